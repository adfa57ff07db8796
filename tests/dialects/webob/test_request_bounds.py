"""Forms that are malformed, or too large."""

import pytest

from antiphon.dialects.webob.exc import HTTPBadRequest, HTTPRequestEntityTooLarge, HTTPRequestURITooLong
from antiphon.dialects.webob.request import Request
from tests.dialects.werkzeug.environs import CONTENT, MULTIPART, URLENCODED, environ, part, parts
from tests.helpers.rows import rows

FILE = part(CONTENT, 'form-data; name="upload"; filename="a.bin"')


def request(body=b"", **keys):
    return Request(environ(body, **keys))


MALFORMED = {
    "cut off": (parts(FILE)[:-20], MULTIPART),
    "without a boundary": (parts(FILE), "multipart/form-data"),
    "with two boundaries": (parts(FILE), f"{MULTIPART}; boundary=other"),
    "without a disposition": (b"--between\r\nX-A: b\r\n\r\nvalue\r\n--between--\r\n", MULTIPART),
}


@rows("body, content_type", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_form_is_a_bad_request(body, content_type):
    made = request(body, CONTENT_TYPE=content_type, REQUEST_METHOD="POST")
    for error in (HTTPBadRequest, ValueError):
        with pytest.raises(error, match=r"form|boundary|Content-Type"):
            made.POST  # noqa: B018 - read for what it raises
    assert made.body == body


@rows(
    "bound, body, content_type",
    ({"max_form_fields": 2}, b"a=1&b=2&c=3", URLENCODED),
    ({"max_form_fields": 1}, parts(FILE, FILE), MULTIPART),
    ({"max_form_memory": 3}, b"a=123", URLENCODED),
    ({"max_form_memory": 3}, parts(part(b"value")), MULTIPART),
)
def test_a_form_beyond_a_bound_is_too_large(bound, body, content_type):
    keys = {"CONTENT_TYPE": content_type, "REQUEST_METHOD": "POST"}
    with pytest.raises(HTTPRequestEntityTooLarge):
        type("Bounded", (Request,), bound)(environ(body, **keys)).POST  # noqa: B018
    unbounded = type("Unbounded", (Request,), dict.fromkeys(bound))
    assert len(unbounded(environ(body, **keys)).POST) > 0


def test_a_query_beyond_its_bound_is_too_long():
    with pytest.raises(HTTPRequestURITooLong):
        request(QUERY_STRING="&".join(["a"] * 1001)).GET  # noqa: B018
    assert len(request(QUERY_STRING="&".join(["a"] * 1000)).GET) == 1000
