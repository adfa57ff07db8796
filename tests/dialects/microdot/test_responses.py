"""What a handler may return, and what becomes of it."""

from datetime import date, datetime

import pytest

from antiphon.dialects.microdot import Microdot, Response, redirect
from antiphon.dialects.microdot.microdot import NoCaseDict
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


RETURNED = [
    (b"bytes", 200, b"bytes", {"content-type": "text/plain; charset=UTF-8"}),
    (202, 202, b"", {}),
    (("x", {"X-A": "1"}), 200, b"x", {"x-a": "1"}),
    (("x", 201, {"X-A": "1"}), 201, b"x", {"x-a": "1"}),
    ((204,), 204, b"", {}),
    ((302, {"Location": "/there"}), 302, b"", {"location": "/there"}),
    (("<p>", 200, {"Content-Type": "text/html"}), 200, b"<p>", {"content-type": "text/html"}),
    (("x", 200, {"X-Number": 5}), 200, b"x", {"x-number": "5"}),
    (("x", 201, [("X-A", "1"), ("x-b", "2")]), 201, b"x", {"x-a": "1", "x-b": "2"}),
    (("x", [("X-A", "1")]), 200, b"x", {"x-a": "1"}),
    (None, 204, b"", {}),
    ("", 200, b"", {}),
]


@rows("returned, status, body, headers", RETURNED, ids=[repr(row[0]) for row in RETURNED])
def test_what_else_may_be_returned(answer, returned, status, body, headers):
    response = answer(lambda: returned)
    assert (response.status, response.body) == (status, body)
    assert {name: response.headers.get(name) for name in headers} == headers


@pytest.mark.feature("microdot-046")
def test_a_response_of_one_s_own(answer):
    response = answer(Response("made", 201, {"X-A": "1", "Set-Cookie": ["a=1", "b=2"]}, reason="MADE"))
    assert (response.status, response.text, response.headers["x-a"]) == (201, "made", "1")
    assert response.headers.getall("set-cookie") == ["a=1", "b=2"]


@pytest.mark.feature("microdot-046")
def test_hooks_get_a_response_and_return_it(app, serve):
    @app.get("/")
    async def handler(request):
        return {"a": 1}

    @app.after_request
    async def after(request, response):
        assert (response.status_code, response.body) == (200, b'{"a":1}')
        response.status_code = 203
        return response

    assert serve(app).get("/").status == 203


@pytest.mark.parametrize(("body", "sent"), [("Grüße", "Grüße"), (None, "")])
def test_hooks_may_set_the_body_to_text_and_to_nothing(app, serve, body, sent):
    app.get("/")(lambda request: "first")

    @app.after_request
    async def after(request, response):
        response.body = body

    response = serve(app).get("/")
    assert (response.status, response.text) == (200, sent)


def test_a_response_of_a_class_of_one_s_own_is_completed_when_it_is_sent(answer):
    class Signed(Response):
        def complete(self):
            super().complete()
            self.headers["X-Length"] = self.headers["Content-Length"]

    response = answer(lambda: Signed("made"))
    assert (response.text, response.headers["x-length"]) == ("made", "4")
    assert response.headers["content-type"] == "text/plain; charset=UTF-8"


def test_a_response_may_be_completed_in_a_way_of_its_own(answer):
    def made():
        response = Response("made")
        response.complete = lambda: response.headers.update({"X-Done": "yes"})
        return response

    assert answer(made).headers["x-done"] == "yes"


def test_a_response_of_a_class_of_one_s_own_may_give_its_body_in_chunks(answer):
    class Doubled(Response):
        async def body_iter(self):
            for chunk in (self.body, self.body):
                yield chunk

    assert answer(lambda: Doubled("twice ")).text == "twice twice "


def test_headers_may_be_pairs():
    headers = Response(headers=[("X-A", "1"), ("X-B", "2")]).headers
    assert (headers["x-a"], headers) == ("1", NoCaseDict({"X-A": "1", "X-B": "2"}))


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


def test_the_default_content_type(answer, monkeypatch):
    monkeypatch.setattr(Response, "default_content_type", "text/html")
    assert answer("<p>").content_type == "text/html; charset=UTF-8"
    monkeypatch.setattr(Response, "default_content_type", "text/x-own; charset=latin-1")
    assert answer("x").content_type == "text/x-own; charset=latin-1"


# Cookies


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


RAW = ['{"x":1}', "a,b", '"quoted"', 'say "hi", you', "back\\slash", " spaced out ", "x" * 5000]


@rows("value", RAW)
def test_a_cookie_s_value_is_written_as_it_is(serve, value):
    app = Microdot()
    check_kept(app, serve(app), value)


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_so_is_one_beyond_ascii_but_over_rsgi(app, interface):
    with Client(app, interface) as client:
        check_kept(app, client, "Zoë")


def check_kept(app, client, value):
    @app.get("/")
    async def handler(request):
        @request.after_request
        def keep(request, response):
            response.set_cookie("a", value)

        return request.cookies

    sent = f"a={value}".rstrip().encode().decode("latin-1")
    assert client.get("/").headers.getall("set-cookie") == [sent]
    assert client.get("/", headers={"cookie": sent}).json == {"a": value.strip()}


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


# Elsewhere


@pytest.mark.parametrize("location", ["/there", "https://elsewhere.example/x?y=1", "//other.example"])
def test_redirects_may_lead_to_other_sites(answer, location):
    response = answer(redirect(location))
    assert (response.status, response.location) == (302, location)
    assert Response.redirect("/x", 301).status_code == 301


@rows("location", ["/a\r\nX-B: b", "/a\n", "\r"])
def test_a_redirect_that_cannot_be(location):
    with pytest.raises(ValueError, match="invalid redirect URL"):
        redirect(location)


def test_what_is_not_ascii_is_escaped():
    assert redirect("/é\0").headers["Location"] == "/%C3%A9%00"
