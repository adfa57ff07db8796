"""Habits of WebOb that libraries rely on beyond its documentation, each found by their own tests."""

from antiphon.dialects.webob import Request, Response
from antiphon.dialects.webob.client import SendRequest
from antiphon.dialects.webob.request import environ_add_POST, environ_from_url
from tests.helpers.rows import rows


def test_turbogears_sorts_what_was_parsed_of_a_language_header():
    request = Request.blank("/", headers={"Accept-Language": "en-gb;q=0.8, da"})
    assert sorted(request.accept_language._parsed, key=lambda item: -item[1]) == [("da", 1.0), ("en-gb", 0.8)]
    assert Request.blank("/").accept_language._parsed is None


def test_turbogears_sends_files_by_the_wrapper_of_a_server_which_is_no_iterable():
    class Wrapper:
        def __init__(self, file, size):
            self.file = file

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"]("file", 4096)

    request = Request.blank("/", environ={"wsgi.file_wrapper": Wrapper})
    assert request.send(app).app_iter.file == "file"


def test_pecan_reads_headers_that_a_subclass_overrides_when_the_content_type_is_set():
    class Marked(Response):
        @property
        def headers(self):
            headers = super().headers
            headers["X-Marked"] = "yes"
            return headers

    response = Marked()
    response.content_type = "text/plain"
    assert ("X-Marked", "yes") in response.headerlist


@rows("charset", ["utf-16", "UTF-16LE", "utf-32", "utf-8", "latin-1"])
def test_pyramid_reads_json_in_the_charset_that_it_has(charset):
    request = Request.blank("/", content_type=f"application/json; charset={charset}")
    request.body = '{"a": "\xfc"}'.encode(charset)
    assert request.json == {"a": "\xfc"}


def test_a_server_that_cannot_be_reached_is_a_502_whatever_the_system_says():
    class Unreachable:
        def __init__(self, address):
            self.address = address

        def request(self, *_):
            raise OSError(113, "No route to host")

        def close(self):
            pass

    response = Request.blank("http://example.org/").get_response(SendRequest(Unreachable))
    assert response.status_int == 502


def test_a_form_is_added_to_an_environ_without_a_content_type():
    environ = environ_from_url("/")
    environ_add_POST(environ, None)
    assert environ["REQUEST_METHOD"] == "GET"
    environ_add_POST(environ, {"a": "b"})
    assert Request(environ).POST["a"] == "b"
