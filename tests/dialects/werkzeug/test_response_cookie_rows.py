"""What the documents say of cookies that are set, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import environ

pytestmark = pytest.mark.once


def set_cookie(*args, **kwargs):
    response = Response()
    response.set_cookie(*args, **kwargs)
    return response.headers["Set-Cookie"]


@pytest.mark.feature("kay-122", "kay-123")
def test_a_cookie_is_deleted_where_it_was_set():
    response = Response()
    response.delete_cookie("a", path="/p", domain="example.com")
    expected = "a=; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/p"
    assert response.headers["Set-Cookie"] == expected


@pytest.mark.feature("kay-149")
def test_cookies_come_back_unchanged():
    response = Response()
    response.set_cookie("a", "1")
    response.set_cookie("b", 't\u00fc;\u2603, \\"x')
    sent = "; ".join([header.partition(";")[0] for header in response.headers.getlist("Set-Cookie")])
    assert Request(environ(HTTP_COOKIE=sent)).cookies.to_dict() == {"a": "1", "b": 't\u00fc;\u2603, \\"x'}


@pytest.mark.feature("kay-150")
def test_the_lifetime_of_a_cookie():
    _, expires, age, _ = set_cookie("a", "b", max_age=timedelta(minutes=2)).split("; ")
    assert age == "Max-Age=120"
    moment = datetime.strptime(expires, "Expires=%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert abs(moment - datetime.now(UTC) - timedelta(minutes=2)) < timedelta(minutes=1)
    assert "Max-Age" not in set_cookie("a", "b")
