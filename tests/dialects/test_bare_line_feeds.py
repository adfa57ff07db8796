"""Forms in parts with a bare LF before or after a delimiter: read as the originals read them, or refused."""

from io import BytesIO

import pytest
import webob as original_webob
import werkzeug.wrappers
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects import webob
from antiphon.dialects._environ.forms import DelimiterLines, follows_bare_line_feed
from antiphon.dialects.werkzeug.wrappers import Request
from antiphon.http.errors import BadRequest
from antiphon.testing import Client
from tests.dialects import programs
from tests.dialects.werkzeug import environs
from tests.helpers.rows import rows

BOUNDARY = b"--x-y"
FIELD = b'Content-Disposition: form-data; name="a"\r\n\r\n'
FILE = b'Content-Disposition: form-data; name="a"; filename="f"\r\n\r\n'
OTHER = b'Content-Disposition: form-data; name="b"\r\n\r\n'
LARGE = bytes(range(256)) * 400

READ = {
    "before the last one": b"--B\r\nA1\n--B--", "around the last one": b"--B\r\nA1\n--B--\n",
    "before the last one, CRLF after": b"--B\r\nA1\n--B--\r\n",
    "before the last one, padding after": b"--B\r\nA1\n--B-- ",
    "after the last one": b"--B\r\nA1\r\n--B--\n",
    "before the last of two": b"--B\r\nA1\r\n--B\r\nO2\n--B--\n",
    "before the one between": b"--B\r\nA1\n--B\r\nO2\r\n--B--\r\n",
    "after the one between": b"--B\r\nA1\r\n--B\nO2\r\n--B--\r\n",
    "around the one between": b"--B\r\nA1\n--B\nO2\r\n--B--\r\n",
    "around each": b"--B\nA1\n--B\nO2\n--B--\n", "after the first one": b"--B\nA1\r\n--B--\r\n",
    "before the first one": b"\n--B\r\nA1\r\n--B--", "after an empty part": b"--B\r\nA\n--B--",
    "after an empty line": b"--B\r\nA1\r\n\n--B--",
    "with text after the last one": b"--B\r\nA1\n--B--\nepilogue",
    "before a longer line": b"--B\r\nA1\n--Bz\r\n--B--\r\n",
    "in content": b"--B\r\nA1\n2\r\n\n3\n\r\n--B--\r\n", "in large content": b"--B\r\nAL\n--B\nO2\n--B--\n",
}  # fmt: skip
LOST = {
    "a part after the last delimiter": b"--B\r\nA1\n--B--\r\n--B\r\nO2\r\n--B--\r\n",
    "content with the last delimiter": b"--B\r\nA1\n--B--\r\nmore\r\n--B--\r\n",
    "a part that is cut off": b"--B\r\nA1\n--B\r\nO2",
    "the end of the last delimiter": b"--B\r\nA1\n--B",
    "half of that end": b"--B\r\nA1\n--B-",
}
SIZES = [1, 7, 1 << 16]


class InPieces(BytesIO):
    """A body of which a number of bytes come at a time."""

    def __init__(self, body, size):
        super().__init__(body)
        self.size = size

    def read(self, size=-1):
        return super().read(self.size if size < 0 else min(size, self.size))


class OriginalRequest(werkzeug.wrappers.Request):
    """Werkzeug's, with files in memory, which need not be closed."""

    def _get_file_stream(self, *lengths, **names):
        return BytesIO()


class OriginalWebObRequest(original_webob.Request):
    """WebOb's, with a large body in memory."""

    request_body_tempfile_limit = 1 << 20


def written(form, head):
    return form.replace(b"A", head).replace(b"O", OTHER).replace(b"L", LARGE).replace(b"B", BOUNDARY)


CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"


def environ(body, size):
    return environs.environ(body, CONTENT_TYPE=CONTENT_TYPE, wsgi__input=InPieces(body, size))


def fields_of_werkzeug(request):
    files = [(name, file.read()) for name, file in request.files.items(multi=True)]
    return [*request.form.items(multi=True), *files]


def fields_of_webob(request):
    return [(name, value.file.read() if hasattr(value, "file") else value) for name, value in request.POST.items()]


LIBRARIES = [
    pytest.param(OriginalRequest, Request, fields_of_werkzeug, id="werkzeug"),
    pytest.param(OriginalWebObRequest, webob.Request, fields_of_webob, id="webob"),
]


@rows("head", [FIELD, FILE], ids=["field", "file"])
@rows("form", READ.values(), ids=READ)
@rows("original, dialect, fields", LIBRARIES)
def test_a_form_is_read_as_the_original_reads_it(original, dialect, fields, form, head):
    body = written(form, head)
    expected = fields(original(environ(body, len(body))))
    assert expected
    for size in SIZES:
        assert fields(dialect(environ(body, size))) == expected


@rows("head", [FIELD, FILE], ids=["field", "file"])
@rows("form", LOST.values(), ids=LOST)
@rows("original, dialect, fields", LIBRARIES)
def test_a_form_is_refused_that_the_original_reads_in_part(original, dialect, fields, form, head):
    body = written(form, head)
    assert len(fields(original(environ(body, len(body))))) < 3
    for size in SIZES:
        with pytest.raises(ValueError, match=r"must end in CRLF|last delimiter is missing"):
            fields(dialect(environ(body, size)))


@pytest.mark.once
@pytest.mark.axes("interface")
@rows("program", [programs.flask, programs.kay, programs.pyramid, programs.webob, programs.werkzeug])
def test_a_large_form_is_read_over_each_interface(program, interface):
    with Client(program(), interface) as client:
        answer = client.post(
            "/form", body=written(READ["in large content"], FILE), headers={"content-type": CONTENT_TYPE}
        )
    assert answer.status == 200
    assert "'a'" in answer.text
    assert "'b'" in answer.text


PIECES = st.lists(st.sampled_from([b"--B", b"\n", b"\r", b"--", b"-", b"1", b" "]), max_size=12).map(b"".join)


def in_crlf(chunks):
    lines = DelimiterLines(BOUNDARY)
    try:
        return b"".join(lines.in_crlf(chunks)), lines.has_boundary, lines.has_delimiter, lines.has_bare_line_feed
    except BadRequest as error:
        return error.detail


@given(PIECES, st.lists(st.integers(1, 30), max_size=8))
def test_chunks_of_any_size_give_the_same_lines(form, sizes):
    body = written(form, FIELD)
    chunks, start = [], 0
    for size in sizes:
        chunks.append(body[start : start + size])
        start += size
    assert in_crlf([*chunks, body[start:]]) == in_crlf([body])


@given(PIECES)
def test_lines_in_crlf_stay_as_they_are(form):
    body = written(form, FIELD).replace(b"\r", b"").replace(b"\n", b"\r\n")
    assert not follows_bare_line_feed(body, BOUNDARY)
    assert in_crlf([body])[0] == body
