"""What a handler may return, and what becomes of it."""

from datetime import date, datetime

import pytest

from antiphon.dialects.microdot import Response, redirect
from antiphon.dialects.microdot.microdot import NoCaseDict
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@pytest.mark.parametrize(("body", "sent"), [("Grüße", "Grüße"), (None, "")])
def test_hooks_may_set_the_body_to_text_and_to_nothing(app, serve, body, sent):
    app.get("/")(lambda request: "first")

    @app.after_request
    async def after(request, response):
        response.body = body

    response = serve(app).get("/")
    assert (response.status, response.text) == (200, sent)


def test_a_response_may_be_completed_in_a_way_of_its_own(answer):
    def made():
        response = Response("made")
        response.complete = lambda: response.headers.update({"X-Done": "yes"})
        return response

    assert answer(made).headers["x-done"] == "yes"


def test_a_header_that_was_taken_out_is_not_there_any_more():
    headers = NoCaseDict({"X-A": "1", "X-B": "2"})
    assert headers.popitem() == ("X-B", "2")
    assert ("x-b" in headers, headers.setdefault("x-b", "3")) == (False, "3")


def test_a_body_that_cannot_be_sent_is_a_500(answer):
    assert answer(object()).status == 500


@pytest.mark.parametrize("bad", [{"X-A": "a\r\nX-B: b"}, {"X A": "1"}])
def test_a_header_that_cannot_be_sent_is_a_500(answer, bad):
    response = answer(("x", 200, bad))
    assert response.status == 500
    assert "x-b" not in response.headers


COOKIES = [
    ({"expires": datetime(2030, 1, 2, 3, 4, 5)}, "Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
    ({"expires": date(2030, 1, 2)}, "Expires=Wed, 02 Jan 2030 00:00:00 GMT"),
    ({"expires": "Wed, 02 Jan 2030 03:04:05 GMT"}, "Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
    ({"expires": "Wed, 2 Jan 2030 3:04:05 GMT"}, "Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
    ({"expires": "Wed, 02-Jan-2030 03:04:05 GMT"}, "Expires=Wed, 02 Jan 2030 03:04:05 GMT"),
    ({"path": "/; SameSite=Strict"}, "Path=/; SameSite=Strict"),
    ({"path": "/x;samesite=none ;Secure; HttpOnly;"}, "Path=/x; SameSite=None; Secure; HttpOnly"),
    ({"path": "; SameSite=Lax", "max_age": 0}, "SameSite=Lax; Max-Age=0"),
    ({"path": "/a%3Bb é"}, "Path=/a%3Bb%20%C3%A9"),
    ({"path": "relative", "http_only": True}, "HttpOnly"),  # user agents take the request's path for both
    ({"domain": "example.com"}, "Domain=example.com"),
    ({"partitioned": True, "secure": True}, "Secure; Partitioned"),
    ({"partitioned": True}, "Partitioned"),
    ({"path": "/; SameSite=None"}, "Path=/; SameSite=None"),
    ({"max_age": 0}, "Max-Age=0"),
]


@rows("options, printed", COOKIES)
def test_the_attributes_of_a_cookie(options, printed):
    response = Response()
    response.set_cookie("a", "1", **options)
    assert response.headers["Set-Cookie"] == [f"a=1; {printed}"]


@rows("name, value", [("a", "a;b"), ("a", "a\r\nb"), ("a", "a\0"), ("a=b", ""), ("a\n", ""), ("", "")])
def test_a_cookie_that_injects_is_refused(name, value):
    with pytest.raises(ValueError, match="cookie"):
        Response().set_cookie(name, value)


@rows(
    "options, said",
    ({"path": "/a;b"}, "write a semicolon in the path as %3B"),
    ({"path": "/; Max-Age=1"}, "set other attributes with the parameters of set_cookie"),
    ({"path": "/; SameSite=Sometimes"}, "samesite must be 'Lax', 'Strict' or 'None'"),
    ({"path": "x\r\nX-A: b"}, "control"),
    ({"expires": "Wed, 02 Jan 2030 03:04:05 GMT; SameSite=Lax"}, "date that browsers can parse"),
)
def test_attributes_of_a_cookie_that_cannot_be(options, said):
    with pytest.raises(ValueError, match=said):
        Response().set_cookie("a", "1", **options)


@rows("location", ["/a\r\nX-B: b", "/a\n", "\r"])
def test_a_redirect_that_cannot_be(location):
    with pytest.raises(ValueError, match="invalid redirect URL"):
        redirect(location)
