from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.body.form_data import FormIndex
from antiphon.http.errors import BadRequest, ContentTooLarge
from antiphon.http.limits import Limits
from antiphon.uploads.spool import Spool
from tests.body.forms_in_parts import BOUNDARY, cut, evenly, print_form, print_part
from tests.helpers.rows import rows
from tests.uploads.spools import SPOOLS

pytestmark = pytest.mark.once

CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"
CLOSING = b"--%b--\r\n" % BOUNDARY

FORM = print_form(
    [
        (b"title", None, None, b"Tea \xc3\xa9"),
        (b"photo", b"a b.png", b"image/png", b"\x89PNG\r\n\0"),
        (b"empty", b"empty.txt", b"text/plain", b""),
        (b"missing", b"", b"application/octet-stream", b""),
        (b"title", None, None, b"Cake"),
        (b"photo", b"\xc3\xa9.png", None, b"second"),
    ]
)


def read(body, *, chunks=None, charset=None, content_type=CONTENT_TYPE, make=SPOOLS["in memory"], **limits):
    data = FormIndex(content_type, Limits(**limits))
    for chunk in [body] if chunks is None else chunks:
        data.feed(chunk)
    spool = make(body) if body else Spool()
    return data.read(spool, charset)


def told(form):
    files = [(name, (file.filename, file.content_type, file.read(), bool(file))) for name, file in form.files.items()]
    return form.fields.items(), files


def test_has_fields_and_files_in_order():
    fields, files = told(read(FORM))
    assert fields == [("title", "Tea é"), ("title", "Cake")]
    assert [(name, filename, str(kind or ""), content) for name, (filename, kind, content, _) in files] == [
        ("photo", "a b.png", "image/png", b"\x89PNG\r\n\0"),
        ("empty", "empty.txt", "text/plain", b""),
        ("missing", "", "application/octet-stream", b""),
        ("photo", "é.png", "", b"second"),
    ]


def test_tells_an_empty_file_from_a_field_that_was_left_empty():
    assert [(name, bool(file)) for name, file in read(FORM).files.items()] == [
        ("photo", True), ("empty", True), ("missing", False), ("photo", True),
    ]  # fmt: skip


@rows("make", SPOOLS.values(), ids=SPOOLS)
@rows("size", [1, 7, 64, 1000])
def test_is_found_however_it_is_cut_and_kept(make, size):
    assert told(read(FORM, chunks=evenly(FORM, size), make=make)) == told(read(FORM))


@given(st.lists(st.integers(0, 2000), max_size=8), st.sampled_from([*SPOOLS.values()]))
def test_is_found_wherever_it_is_cut(places, make):
    assert told(read(FORM, chunks=cut(FORM, places), make=make)) == told(read(FORM))


def test_leaves_out_parts_without_a_name():
    body = print_part(b"Content-Disposition: form-data", b"lost") + FORM
    assert told(read(body)) == told(read(FORM))


class TestCharsets:
    def field(self, value, *, charset=None, content_type=None, named=None):
        parts = [(b"field", None, content_type, value)]
        parts += [(b"_charset_", None, None, named)] if named else []
        return read(print_form(parts), charset=charset).fields["field"]

    def test_are_utf_8_unless_something_says_otherwise(self):
        assert self.field(b"\xc3\xa9") == "é"
        assert self.field(b"\xe9") == "\ufffd"

    def test_may_be_what_the_request_declares(self):
        assert self.field(b"\xe9", charset="iso-8859-1") == "é"

    def test_are_rather_what_the_field_charset_names(self):
        assert self.field(b"\xef", named=b"windows-1251", charset="iso-8859-1") == "п"
        assert self.field(b"\xc3\xa9", named=b"nonsense") == "é"

    def test_are_rather_what_a_field_says_for_itself(self):
        assert self.field(b"\xe9", content_type=b"text/plain; charset=latin1", named=b"windows-1251") == "é"
        assert self.field(b"\xef", content_type=b"text/plain; charset=x", named=b"windows-1251") == "п"
        assert self.field(b"\xef", content_type=b"text/plain", named=b"windows-1251") == "п"
        assert self.field(b"\xc3\xa9", content_type=b"nonsense") == "é"

    def test_hold_for_names_and_filenames_too(self):
        body = print_form([(b"\xe9", b"\xe9.png", None, b""), (b"_charset_", None, None, b"iso-8859-1")])
        [(name, file)] = read(body).files.items()
        assert (name, file.filename) == ("é", "é.png")


FIELD, FILE = (b"a", None, None, b"12345"), (b"f", b"f", None, b"12345")
BOUNDS = {
    "parts": (2, [FIELD, FILE], [FIELD, FILE, FILE]),
    "fields": (2, [FIELD, FIELD, FILE], [FIELD, FILE, FIELD, FIELD]),
    "files": (1, [FIELD, FIELD, FILE], [FILE, FIELD, FILE]),
    "file": (5, [FILE, FILE], [FILE, (b"f", b"f", None, b"123456")]),
    "form": (10, [FIELD, FIELD, FILE], [FIELD, FILE, (b"a", None, None, b"123456")]),
}


@rows("size", [1, 20, 10_000])
@rows("limit", BOUNDS)
class TestBeyondALimit:
    def test_is_a_413_that_names_it(self, limit, size):
        most, _, beyond = BOUNDS[limit]
        body = print_form(beyond)
        with pytest.raises(ContentTooLarge) as refused:
            read(body, chunks=evenly(body, size), **{limit: most})
        assert refused.value.members == {"limit": limit, "maximum": most}
        assert refused.value.type == f"urn:antiphon:limit:{limit}"
        assert str(most) in refused.value.detail

    def test_is_not_what_just_fits(self, limit, size):
        most, fits, _ = BOUNDS[limit]
        body = print_form(fits)
        form = read(body, chunks=evenly(body, size), **{limit: most})
        assert len(form.fields.items()) + len(form.files.items()) == len(fits)

    def test_is_found_as_soon_as_it_is_clear(self, limit, size):
        most, _, beyond = BOUNDS[limit]
        data = FormIndex(CONTENT_TYPE, Limits(**{limit: most}))
        chunks = iter(evenly(print_form(beyond) + b"x" * 5000, size))
        with pytest.raises(ContentTooLarge):
            deque(map(data.feed, chunks), maxlen=0)
        assert len(b"".join(chunks)) >= min(5000, max(0, 5000 + len(print_form(beyond)) - size))

    def test_that_was_set_since_is_a_413_too(self, limit, size):
        most, _, beyond = BOUNDS[limit]
        data = FormIndex(CONTENT_TYPE, Limits())
        deque(map(data.feed, evenly(print_form(beyond), size)), maxlen=0)
        for _ in range(2):
            with pytest.raises(ContentTooLarge) as refused:
                data.check(Limits(**{limit: most}))
            assert refused.value.members == {"limit": limit, "maximum": most}


NAMED = b'Content-Disposition: form-data; name="a"'


def test_an_extended_filename_is_no_harm_beside_a_filename_or_in_a_name():
    """Other libraries take a part with an extended filename alone for a file (RFC 7578 §4.2)."""
    parts = (
        print_part(NAMED + b"; filename=b; filename*=UTF-8''c", b"d"),
        print_part(NAMED[:-1] + b'; filename*=e"', b"f"),
    )
    body = b"".join(parts) + CLOSING
    data = FormIndex(CONTENT_TYPE, Limits())
    data.feed(body)
    form = data.read(SPOOLS["in memory"](body), None)
    assert ([*form.fields.items()], form.files["a"].filename) == ([("a; filename*=e", "f")], "b")


class TestMalformed:
    @rows(
        "body, content_type",
        (b"no form", CONTENT_TYPE),
        (b"", CONTENT_TYPE),
        (FORM.removesuffix(CLOSING), CONTENT_TYPE),
        (FORM[: len(FORM) // 2], CONTENT_TYPE),
        (FORM, "multipart/form-data"),
        (FORM, "multipart/form-data; boundary="),
        (FORM, "multipart/form-data; boundary=a; boundary=b"),
        (FORM, "text/plain"),
        (print_part(b"no field", b"") + CLOSING, CONTENT_TYPE),
        (print_part(NAMED + b"; filename*=UTF-8''b.png", b"\x89PNG") + CLOSING, CONTENT_TYPE),
        (print_part(NAMED + b'; FileName*0="b.png"', b"\x89PNG") + CLOSING, CONTENT_TYPE),
        ids=[
            "none",
            "empty",
            "not closed",
            "cut off",
            "no boundary",
            "empty boundary",
            "two",
            "other",
            "bad head",
            "an extended filename",
            "a filename in pieces",
        ],
    )
    @rows("size", [1, 10_000])
    def test_is_a_400_for_who_reads_the_form_only(self, body, content_type, size):
        data = FormIndex(content_type, Limits())
        for chunk in evenly(body, size):
            data.feed(chunk)  # nobody asked for the form
        spool = SPOOLS["in memory"](body) if body else Spool()
        for _ in range(2):
            with pytest.raises(BadRequest):
                data.read(spool, None)


LONG, SHORT, MALFORMED = print_part(NAMED, b"0123456789"), print_part(NAMED, b""), print_part(b"no field", b"")


@rows(
    "body, limits, first",
    (LONG + SHORT + SHORT + CLOSING, {"form": 9, "parts": 2}, "form"),
    (SHORT + SHORT + LONG + CLOSING, {"form": 9, "fields": 1}, "fields"),
    (LONG + LONG + SHORT + CLOSING, {"form": 19, "fields": 2, "parts": 2}, "form"),
    (LONG + MALFORMED + CLOSING, {"form": 9}, "form"),
)
@rows("size", [1, 7, 40, 1000])
def test_of_several_faults_the_first_is_told_however_the_body_is_cut(body, limits, first, size):
    with pytest.raises(ContentTooLarge) as caught:
        read(body, chunks=evenly(body, size), **limits)
    assert caught.value.members["limit"] == first
