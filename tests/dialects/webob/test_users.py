"""Habits of WebOb that libraries rely on beyond its documentation, each found by their own tests."""

from antiphon.dialects.webob import Request
from antiphon.dialects.webob.request import environ_add_POST, environ_from_url
from tests.helpers.rows import rows


@rows("charset", ["utf-16", "UTF-16LE", "utf-32", "utf-8", "latin-1"])
def test_pyramid_reads_json_in_the_charset_that_it_has(charset):
    request = Request.blank("/", content_type=f"application/json; charset={charset}")
    request.body = '{"a": "\xfc"}'.encode(charset)
    assert request.json == {"a": "\xfc"}


def test_a_form_is_added_to_an_environ_without_a_content_type():
    environ = environ_from_url("/")
    environ_add_POST(environ, None)
    assert environ["REQUEST_METHOD"] == "GET"
    environ_add_POST(environ, {"a": "b"})
    assert Request(environ).POST["a"] == "b"
