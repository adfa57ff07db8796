"""Forms that this parser refuses and Werkzeug's reads: no program takes one for an empty form."""

from io import BytesIO

import pytest
import webob as original_webob
import werkzeug.wrappers

from antiphon.dialects import webob
from antiphon.dialects.werkzeug.exceptions import HTTPException
from antiphon.dialects.werkzeug.formparser import FormDataParser
from antiphon.dialects.werkzeug.wrappers import Request
from antiphon.testing import Client
from tests.dialects import programs
from tests.dialects.werkzeug import environs
from tests.helpers.rows import rows

NAMED = b'Content-Disposition: form-data; name="a"'
TWICE = NAMED + b'; name="b"'
MANY = NAMED + b"".join(b"\r\nX-%d: 1" % number for number in range(17))


def form(head, boundary=b"x", end=b"\r\n"):
    return boundary, end.join([b"--" + boundary, head, b"", b"1", b"--" + boundary + b"--", b""])


FORMS = {
    "a long boundary": (form(NAMED, b"b" * 71), 400, "70 printable ASCII"),
    "bare line feeds": (form(NAMED, end=b"\n"), 400, "lines in a part of the form end in LF"),
    "a head with bare line feeds": ((b"x", b"--x\r\n" + NAMED + b"\n\n1\r\n--x--\r\n"), 400, "end in LF"),
    "a delimiter after a line break in CR": ((b"x", b"--x\r\n" + NAMED + b"\r\n\r\n1\r--x--"), 400, "last delimiter"),
    "no line break after an empty part": ((b"x", b"--x\r\n" + NAMED + b"\r\n\r\n--x--"), 400, "last delimiter"),
    "many bytes before": ((b"x", b"p" * 8193 + b"\r\n" + form(NAMED)[1]), 413, "more than 8192 bytes before or after"),
    "many bytes after": ((b"x", form(NAMED)[1] + b"e" * 8193), 413, "more than 8192 bytes before or after"),
    "many fields in a head": (form(MANY), 413, "more than 16 header fields"),
    "a large head": (form(NAMED + b"\r\nX: " + b"x" * 8192), 413, "more than 8192 bytes"),
    "a long name": (form(NAMED.replace(b'"a"', b'"%b"' % (b"a" * 1025))), 413, "longer than 1024 bytes"),
    "base64": (form(NAMED + b"\r\nContent-Transfer-Encoding: base64"), 400, "Content-Transfer-Encoding"),
    "a parameter twice": (form(TWICE), 400, "name twice"),
    "a header twice": (form(NAMED + b"\r\n" + NAMED), 400, "Content-Disposition twice"),
    "NUL in a name": (form(NAMED.replace(b'"a"', b'"a\0"')), 400, "malformed header field"),
    "a line that is no header": (form(NAMED + b"\r\nnonsense"), 400, "malformed header field"),
}


def environ(boundary, body):
    return environs.environ(
        body, REQUEST_METHOD="POST", CONTENT_TYPE=f"multipart/form-data; boundary={boundary.decode()}"
    )


@rows("sent, status, reason", FORMS.values(), ids=FORMS)
def test_the_original_reads_the_form_and_here_it_is_refused_with_the_reason(sent, status, reason):
    assert len(werkzeug.wrappers.Request(environ(*sent)).form) == 1
    request = Request(environ(*sent))
    for _ in range(2):
        with pytest.raises(HTTPException, match=reason) as raised:
            assert request.form
        assert raised.value.code == status


@rows("silent", [True, False])
def test_a_malformed_form_is_an_error_of_values_too(silent):
    boundary, body = form(TWICE)
    with pytest.raises(ValueError, match="name twice"):
        FormDataParser(silent=silent).parse(BytesIO(body), "multipart/form-data", None, {"boundary": boundary.decode()})


@pytest.mark.once
@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", [programs.flask, programs.werkzeug, programs.kay])
@rows("sent, status, reason", [FORMS["bare line feeds"], FORMS["many fields in a head"], FORMS["many bytes after"]])
def test_a_client_is_told(program, interface, sent, status, reason):
    boundary, body = sent
    with Client(program(), interface) as client:
        answer = client.post(
            "/form", body=body, headers={"content-type": "multipart/form-data; boundary=" + boundary.decode()}
        )
    assert answer.status == status
    assert reason in answer.text.replace("&#39;", "'")


WITHOUT_BOUNDARY = [b"", b"\r\n", b"hello", b"a=1", b"--y\r\n" + NAMED + b"\r\n\r\n1\r\n--y--\r\n", b"z--x"]


@rows("body", WITHOUT_BOUNDARY, ids=lambda body: body[:8])
def test_a_body_without_a_boundary_has_no_fields_in_webob(body):
    for library in (original_webob, webob):
        assert not library.Request(environ(b"x", body)).POST


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", [programs.pyramid, programs.webob])
def test_such_a_body_is_answered_as_an_empty_form(program, interface):
    with Client(program(), interface) as client:
        for body in (b"hello", b"z" * 70_000):
            answer = client.post("/form", body=body, headers={"content-type": "multipart/form-data; boundary=x"})
            assert (answer.status, answer.text) == (200, "[]")
