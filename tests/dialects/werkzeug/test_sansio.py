"""What needs no environ, beside that of Werkzeug."""

import pytest
from werkzeug.sansio import http as original_http
from werkzeug.sansio import utils as original_utils

from antiphon.dialects.werkzeug.sansio import http, utils
from antiphon.dialects.werkzeug.sansio.response import Response
from antiphon.dialects.werkzeug.wrappers import Response as WSGIResponse
from tests.dialects.werkzeug.in_step import outcome, same

SINCE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"http_if_none_match": '"a"', "etag": '"a"'},
        {"http_if_match": '"a"', "etag": '"a"'},
        {"http_if_modified_since": SINCE, "last_modified": SINCE},
        {"http_range": "bytes=0-", "http_if_range": '"a"', "etag": '"a"', "ignore_if_range": False},
        {"http_range": "bytes=0-", "http_if_range": SINCE, "last_modified": SINCE, "ignore_if_range": False},
        {"data": b"x", "etag": '"a"'},
    ],
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


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("get_host", ("http", "a:80")),
        ("get_host", ("https", None, ("b", 443))),
        ("get_host", ("http", "evil.com", None, ["a.com"])),
        ("get_current_url", ("http", "a")),
        ("get_current_url", ("http", "a", "/r/", "/\u00fc b", b"q=%20")),
        ("get_content_length", ("5",)),
        ("get_content_length", ("5", "chunked")),
        ("get_content_length", (None,)),
        ("get_content_length", ("9" * 5000,)),
        ("host_is_trusted", ("a.b.com", [".b.com"])),
    ],
)
def test_places(name, values):
    same(outcome(getattr(original_utils, name), *values), outcome(getattr(utils, name), *values))


def test_responses_are_found_by_their_base():
    assert issubclass(WSGIResponse, Response)
