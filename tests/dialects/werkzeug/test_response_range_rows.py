"""What the documents say of conditions and ranges of a response, row by row."""

from io import BytesIO

import pytest

from antiphon.dialects.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug.wsgi import wrap_file
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


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
