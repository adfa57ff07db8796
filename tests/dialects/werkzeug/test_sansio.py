"""What needs no environ, beside that of Werkzeug."""

import pytest
from werkzeug.sansio import http as original_http
from werkzeug.sansio import utils as original_utils
from werkzeug.sansio.request import Request as OriginalRequest
from werkzeug.sansio.response import Response as OriginalResponse

from antiphon.dialects.werkzeug.datastructures import Headers
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
    ("get_host", ("http", "a:80")), ("get_host", ("https", "a:0443")), ("get_host", ("https", None, ("b", 443))),
    ("get_host", ("http", "evil.com", None, ["a.com"])), ("get_current_url", ("http", "a")),
    ("get_current_url", ("http", "a", "/r/", "/\u00fc b", b"q=%20")),
    ("get_content_length", ("5",)), ("get_content_length", ("5", "chunked")), ("get_content_length", (None,)),
    ("get_content_length", ("9" * 5000,)), ("host_is_trusted", ("a.b.com", [".b.com"])),
)  # fmt: skip
def test_places(name, values):
    same(outcome(getattr(original_utils, name), *values), outcome(getattr(utils, name), *values))


def public(cls):
    return {name for base in cls.__mro__[:-1] for name in vars(base) if not name.startswith("_")}


@rows("whole, head, theirs", [(WSGIRequest, Request, OriginalRequest), (WSGIResponse, Response, OriginalResponse)])
def test_the_head_has_the_names_of_the_original_and_is_the_base_of_the_whole(whole, head, theirs):
    assert issubclass(whole, head)
    assert public(theirs) <= public(head)
    assert not {"form", "files", "stream", "data", "get_data", "set_data", "iter_encoded"} & public(head)


NOT_COMPARED = {"headers", "environ", "user_agent_class", "dict_storage_class", "list_storage_class"}
NOT_COMPARED |= {"parameter_storage_class"}


def test_lines_of_a_header_are_joined():
    headers = Headers([("Cookie", "a=b"), ("Cookie", "c=d"), ("Accept", "a/b"), ("Accept", "c/d")])
    made = Request("GET", "http", None, "", "/", b"", headers, None)
    assert made.cookies.to_dict() == {"a": "b", "c": "d"}
    assert list(made.accept_mimetypes.values()) == ["a/b", "c/d"]
    assert (repr(made), "HTTP_X" in made.environ) == ("<Request 'http:///' [GET]>", False)
    with pytest.raises(KeyError):
        made.environ["HTTP_X"]
