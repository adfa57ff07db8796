"""What the documents say of conditions and ranges of a response, row by row."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from antiphon.dialects.werkzeug.wrappers import Request, Response
from antiphon.dialects.werkzeug.wsgi import wrap_file
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

WRITTEN = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.feature("kay-142")
@rows("wrapped", [False, True])
def test_what_the_client_has_is_answered_by_304(wrapped):
    env = environ(HTTP_IF_NONE_MATCH='"a"')
    response = Response("text")
    response.set_etag("a")
    assert response.make_conditional(Request(env) if wrapped else env) is response
    assert called(response, env)[0] == "304 NOT MODIFIED"
    assert called(response, env)[2] == b""


@pytest.mark.feature("kay-142")
@rows(
    "keys, status",
    [
        ({"HTTP_IF_NONE_MATCH": '"b"'}, 200),
        ({"HTTP_IF_NONE_MATCH": '"b"', "HTTP_IF_MODIFIED_SINCE": WRITTEN}, 200),
        ({"HTTP_IF_MATCH": '"b"'}, 412),
        ({"HTTP_IF_MATCH": '"a"'}, 200),
        ({"HTTP_IF_MODIFIED_SINCE": WRITTEN}, 304),
        ({"HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:36 GMT"}, 200),
    ],
)
def test_conditions(keys, status):
    response = Response("text", headers={"ETag": '"a"', "Last-Modified": WRITTEN})
    assert response.make_conditional(environ(**keys)).status_code == status


@pytest.mark.feature("kay-142")
@rows(
    "wanted, status, body, content_range",
    [
        ("bytes=1-3", 206, b"123", "bytes 1-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=0-100", 206, b"0123456789", "bytes 0-9/10"),
        ("", 200, b"0123456789", None),
    ],
)
def test_ranges(wanted, status, body, content_range):
    env = environ(HTTP_RANGE=wanted or None)
    for content in (["01", "234", "56789"], wrap_file(env, BytesIO(b"0123456789"), 3)):
        response = Response(content).make_conditional(env, accept_ranges=True, complete_length=10)
        answer = called(response, env)
        assert (response.status_code, answer[2]) == (status, body)
        assert dict(answer[1]).get("Content-Range") == content_range
        assert dict(answer[1])["Accept-Ranges"] == "bytes"
        assert dict(answer[1]).get("Content-Length", str(len(body))) == str(len(body))


def test_a_range_that_is_not_there_is_refused():
    from antiphon.dialects.werkzeug.exceptions import RequestedRangeNotSatisfiable

    for wanted in ("bytes=10-", "bytes=x"):
        with pytest.raises(RequestedRangeNotSatisfiable) as raised:
            Response("text").make_conditional(environ(HTTP_RANGE=wanted), accept_ranges=True, complete_length=4)
        assert raised.value.length == 4


def test_a_range_of_another_version_is_not_given():
    env = environ(HTTP_RANGE="bytes=0-1", HTTP_IF_RANGE='"old"')
    response = Response("text", headers={"ETag": '"new"'}).make_conditional(env, accept_ranges=True, complete_length=4)
    assert called(response, env)[2] == b"text"


@pytest.mark.feature("kay-143")
def test_without_a_tag_only_a_date_is_set():
    response = Response("text").make_conditional(environ(HTTP_IF_NONE_MATCH='"a"'))
    assert response.status_code == 200
    assert abs(response.date - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.feature("kay-144")
def test_conditions_are_for_reading():
    response = Response("text", headers={"ETag": '"a"'})
    response.make_conditional(environ(HTTP_IF_NONE_MATCH='"a"', REQUEST_METHOD="POST"))
    assert response.status_code == 200
    assert "Date" not in response.headers
    response.make_conditional(environ(HTTP_IF_NONE_MATCH='"a"'))
    assert response.response == [b"text"]
