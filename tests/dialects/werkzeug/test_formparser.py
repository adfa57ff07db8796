"""Forms beside those that Werkzeug reads; and what of them differs."""

import os
import tracemalloc
from contextlib import closing
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import formparser as original

from antiphon.dialects.werkzeug import formparser
from antiphon.dialects.werkzeug.datastructures import MultiDict
from tests.dialects.werkzeug.environs import CONTENT, form, part, parts
from tests.helpers.rows import rows

names = st.text(st.characters(codec="utf-8", exclude_characters='"\\%\r\n', exclude_categories=["Cc"]), max_size=10)


@given(
    st.lists(st.tuples(names, st.none() | names.filter(bool), st.binary(max_size=40)), max_size=5), st.integers(1, 50)
)
def test_forms_in_parts(several, buffer_size):
    body = parts(*[
        part(
            content.replace(b"--between", b""),
            f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"'),
        )
        for name, filename, content in several
    ])  # fmt: skip
    theirs_form, theirs_files = original.MultiPartParser().parse(BytesIO(body), b"between", len(body))
    parser = formparser.MultiPartParser(buffer_size=buffer_size)
    form_, files = parser.parse(BytesIO(body), b"between", len(body))
    assert list(form_.items(multi=True)) == list(theirs_form.items(multi=True))
    ours = [(name, file.filename, file.read()) for name, file in files.items(multi=True)]
    assert ours == [(name, file.filename, file.read()) for name, file in theirs_files.items(multi=True)]
    for several_files in theirs_files.listvalues():
        for file in several_files:
            file.close()


BROKEN = {
    "no boundary": (parts(part(b"a")), {}),
    "no form": (b"nothing of the kind", {"boundary": "between"}),
    "cut off": (parts(part(b"a"))[:-10], {"boundary": "between"}),
    "no Content-Disposition": (b"--between\r\nX: y\r\n\r\na\r\n--between--\r\n", {"boundary": "between"}),
}


@rows("body, options", BROKEN.values(), ids=BROKEN)
def test_what_is_no_form_is_empty_or_an_error(body, options):
    parser = formparser.FormDataParser()
    _, form_, files = parser.parse(BytesIO(body), "multipart/form-data", len(body), options)
    assert (form_, files) == (MultiDict(), MultiDict())
    for library in (original, formparser):
        with pytest.raises(ValueError):  # noqa: PT011 - each says it in its own words
            library.FormDataParser(silent=False).parse(BytesIO(body), "multipart/form-data", len(body), options)


def test_files_are_bounded_by_the_body_alone():
    _, _, files = formparser.parse_form_data(form(), max_form_memory_size=10)
    assert files["upload"].read() == CONTENT


def test_a_large_file_is_not_in_memory():
    size = 16 << 20
    body = parts(part(bytes(size), 'form-data; name="f"; filename="f"'))
    tracemalloc.start()
    try:
        _, files = formparser.MultiPartParser().parse(BytesIO(body), b"between", len(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
    files["f"].seek(size - 1)
    assert files["f"].read() == b"\0"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted there")
def test_closing_the_files_frees_their_room():
    body = parts(*[part(bytes(800_000), f'form-data; name="{name}"; filename="f"') for name in "ab"])
    before = len(os.listdir("/proc/self/fd"))
    _, files = formparser.MultiPartParser().parse(BytesIO(body), b"between", len(body))
    assert len(os.listdir("/proc/self/fd")) == before + 1
    files["a"].close()
    assert files["b"].read() == bytes(800_000)
    files["b"].close()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ValueError, match="closed"):
        files["b"].read()


@rows(
    "disposition, fields, files",
    ("form-data; name=\"a\"; filename=b; filename*=UTF-8''%e2%82%ac", {}, [("a", "b")]),
    ('form-data; filename="a"', {}, []),
    ("form-data", {}, []),
)
def test_read_otherwise_than_by_the_original(disposition, fields, files):
    body = parts(part(b"content", disposition))
    form_, found = formparser.MultiPartParser().parse(BytesIO(body), b"between", len(body))
    assert (form_.to_dict(), [(name, file.filename) for name, file in found.items()]) == (fields, files)


@rows("name", ["filename*=UTF-8''%e2%82%ac.txt", "filename*0=a; filename*1=.txt", "filename*=plain", 'FileName*="x"'])
@rows("factory", [None, formparser.default_stream_factory, lambda *_, **__: BytesIO()])
def test_an_extended_name_alone_makes_a_file_too(name, factory):
    def read(library):
        body = parts(part(b"content", f'form-data; name="a"; {name}', "Content-Type: text/plain"))
        fields, files = library.MultiPartParser(factory).parse(BytesIO(body), b"between", len(body))
        with closing(files["a"]) as file:
            return fields.to_dict(), file.filename, file.content_type, file.read()

    assert read(formparser) == read(original)
