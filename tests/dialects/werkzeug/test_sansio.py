"""What needs no environ, beside that of Werkzeug."""

import pytest
from werkzeug.datastructures import Headers as OriginalHeaders
from werkzeug.sansio import http as original_http
from werkzeug.sansio import utils as original_utils
from werkzeug.sansio.request import Request as OriginalRequest
from werkzeug.sansio.response import Response as OriginalResponse

from antiphon.dialects.werkzeug.datastructures import Headers
from antiphon.dialects.werkzeug.exceptions import HTTPException, abort
from antiphon.dialects.werkzeug.sansio import http, utils
from antiphon.dialects.werkzeug.sansio.request import Request
from antiphon.dialects.werkzeug.sansio.response import Response
from antiphon.dialects.werkzeug.wrappers import Request as WSGIRequest
from antiphon.dialects.werkzeug.wrappers import Response as WSGIResponse
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

SINCE = "Sun, 06 Nov 1994 08:49:37 GMT"


@rows(
    "values",
    {},
    {"http_if_none_match": '"a"', "etag": '"a"'},
    {"http_if_match": '"a"', "etag": '"a"'},
    {"http_if_modified_since": SINCE, "last_modified": SINCE},
    {"http_range": "bytes=0-", "http_if_range": '"a"', "etag": '"a"', "ignore_if_range": False},
    {"http_range": "bytes=0-", "http_if_range": SINCE, "last_modified": SINCE, "ignore_if_range": False},
    {"data": b"x", "etag": '"a"'},
    ids=str,
)
def test_conditions(values):
    same(
        outcome(lambda: original_http.is_resource_modified(**values)),
        outcome(lambda: http.is_resource_modified(**values)),
    )


def test_cookies():
    assert list(http.parse_cookie("a=b; c=d").items()) == [("a", "b"), ("c", "d")]
    assert not http.parse_cookie(None)


@rows(
    "name, values",
    ("get_host", ("http", "a:80")),
    ("get_host", ("https", "a:0443")),
    ("get_host", ("https", None, ("b", 443))),
    ("get_host", ("http", "evil.com", None, ["a.com"])),
    ("get_current_url", ("http", "a")),
    ("get_current_url", ("http", "a", "/r/", "/\u00fc b", b"q=%20")),
    ("get_content_length", ("5",)),
    ("get_content_length", ("5", "chunked")),
    ("get_content_length", (None,)),
    ("get_content_length", ("9" * 5000,)),
    ("host_is_trusted", ("a.b.com", [".b.com"])),
)
def test_places(name, values):
    same(outcome(getattr(original_utils, name), *values), outcome(getattr(utils, name), *values))


def public(cls):
    return {name for base in cls.__mro__[:-1] for name in vars(base) if not name.startswith("_")}


@rows("whole, head, theirs", [(WSGIRequest, Request, OriginalRequest), (WSGIResponse, Response, OriginalResponse)])
def test_the_head_has_the_names_of_the_original_and_is_the_base_of_the_whole(whole, head, theirs):
    assert issubclass(whole, head)
    assert public(theirs) <= public(head)
    assert not {"form", "files", "stream", "data", "get_data", "set_data", "iter_encoded"} & public(head)


HEADERS = {
    "Host": "example.com:80", "Accept": "text/html;q=0.5, text/plain", "Accept-Charset": "utf-8", "Range": "bytes=0-5",
    "Accept-Encoding": "gzip, br;q=0", "Accept-Language": "de, en;q=0.8", "Authorization": "Basic YTpi",
    "Cache-Control": "no-cache, max-age=5", "Content-Type": "Text/HTML; charset=x", "Content-Length": "5",
    "Content-Encoding": "gzip", "Cookie": "a=b; c=d", "Date": SINCE, "If-Match": '"a"', "If-None-Match": 'W/"a"',
    "If-Modified-Since": SINCE, "If-Unmodified-Since": SINCE, "If-Range": '"a"', "Max-Forwards": "3", "Pragma": "x",
    "Origin": "http://a.example", "Referer": "/from", "User-Agent": "curl/8", "X-Forwarded-For": "192.0.2.1, 192.0.2.2",
    "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "A, b",
}  # fmt: skip
NOT_COMPARED = {"headers", "environ", "user_agent_class", "dict_storage_class", "list_storage_class"}
NOT_COMPARED |= {"parameter_storage_class"}


def shown(value):
    if hasattr(value, "to_header"):
        return type(value).__name__.removeprefix("Known"), value.to_header()
    return list(value.items(multi=True)) if hasattr(value, "getlist") else getattr(value, "string", value)


@rows("sent", [{}, HEADERS, {"Host": "a b", "Content-Length": "x", "Transfer-Encoding": "chunked"}])
@rows("name", sorted(public(OriginalRequest) - NOT_COMPARED))
def test_an_attribute_of_a_request_that_is_made_of_values(name, sent):
    def read(request_class, headers_class):
        values = ("get", "https", ("b", 443), "/r/", "/\u00fc b", b"q=%20&a", headers_class(sent), "192.0.2.9")
        made = request_class(*values)
        assert (made.method, made.path, made.query_string, made.headers) == ("GET", values[4], values[5], values[6])
        return shown(getattr(made, name))

    same(outcome(read, OriginalRequest, OriginalHeaders), outcome(read, Request, Headers))


def test_lines_of_a_header_are_joined():
    headers = Headers([("Cookie", "a=b"), ("Cookie", "c=d"), ("Accept", "a/b"), ("Accept", "c/d")])
    made = Request("GET", "http", None, "", "/", b"", headers, None)
    assert made.cookies.to_dict() == {"a": "b", "c": "d"}
    assert list(made.accept_mimetypes.values()) == ["a/b", "c/d"]
    assert (repr(made), "HTTP_X" in made.environ) == ("<Request 'http:///' [GET]>", False)
    with pytest.raises(KeyError):
        made.environ["HTTP_X"]


@rows(
    "values",
    {},
    {"status": 404},
    {"status": "odd"},
    {"headers": {"X-A": "b"}},
    {"mimetype": "a/b"},
    {"content_type": "text/x"},
    ids=str,
)
def test_a_response_without_a_body(values):
    def made(cls):
        response = cls(**values)
        response.set_cookie("a", "b")
        response.set_etag("c")
        response.vary.add("Cookie")
        response.cache_control.no_store = True
        response.content_security_policy.default_src = "'self'"
        response.access_control_allow_credentials = True
        response.www_authenticate.realm = "r"
        return response.status, list(response.headers), response.is_json, response.get_etag(), response.mimetype

    same(outcome(made, OriginalResponse), outcome(made, Response))


def test_a_response_without_a_body_may_be_raised():
    response = Response(205)
    with pytest.raises(HTTPException) as caught:
        abort(response)
    assert caught.value.get_response() is response
