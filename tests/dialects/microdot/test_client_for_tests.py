"""The client that tests of an application send their requests by."""

import asyncio
from contextvars import Context

import pytest

from antiphon import current_request
from antiphon.dialects.microdot import Microdot, Request, Response, abort
from antiphon.dialects.microdot.cors import CORS
from antiphon.dialects.microdot.sse import with_sse
from antiphon.dialects.microdot.test_client import TestClient
from antiphon.testing import Client


@pytest.fixture
def shop():
    app = Microdot()

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
    async def echo(request):
        return [request.method, request.args.get("a"), request.body.decode(), request.headers["Host"], request.scheme]

    @app.post("/json")
    def json(request):
        return request.json

    @app.get("/cookies")
    async def cookies(request):
        @request.after_request
        def keep(request, response):
            response.set_cookie("a", "1")
            response.set_cookie("b", "2", path="/cookies")
            if "a" in request.cookies:
                response.delete_cookie("a")

        return request.cookies

    @app.get("/events")
    @with_sse
    async def events(request, sse):
        await sse.send({"a": 1}, event="e", event_id="7", retry=2)
        await sse.send("text")

    app.get("/bytes")(lambda request: b"\xff")
    app.get("/handled")(lambda request: Response.already_handled)
    app.get("/fail")(lambda request: abort(409, "no"))
    return app


def ask(app, *requests, **options):
    """What a client gets for some requests."""

    async def all_of_them():
        client = TestClient(app, **options)
        return [await getattr(client, method)(*arguments) for method, *arguments in requests]

    return asyncio.run(all_of_them())


def test_the_client_sends_each_method(shop):
    methods = ["get", "post", "put", "patch", "delete", "query"]
    answers = ask(shop, *[(method, "/echo?a=%20b") for method in methods], scheme="https", host="shop.example")
    assert [answer.json for answer in answers] == [
        [method.upper(), " b", "", "shop.example", "https"] for method in methods
    ]


def test_the_client_sends_bodies(shop):
    text, raw, json = ask(
        shop, ("post", "/echo", {}, "text"), ("put", "/echo", None, b"bytes"), ("post", "/json", None, {"a": [1]})
    )
    assert (text.json[2], raw.json[2], json.json) == ("text", "bytes", {"a": [1]})
    assert json.headers["content-type"] == "application/json; charset=UTF-8"
    assert json.headers["Content-Length"] == str(len(json.body))


def test_the_client_keeps_cookies(shop):
    first, second, third, elsewhere = ask(
        shop, ("get", "/cookies"), ("get", "/cookies", {"Cookie": "c=3"}), ("get", "/cookies"), ("get", "/echo")
    )
    assert first.json == {}
    assert second.json == {"c": "3", "a": "1", "b": "2"}
    assert third.json == {"b": "2"}
    assert elsewhere.status_code == 200


def test_the_client_reads_events_bytes_and_errors(shop):
    events, raw, handled, failed = ask(
        shop, ("get", "/events"), ("get", "/bytes"), ("get", "/handled"), ("get", "/fail")
    )
    assert events.events == [
        {"data": b'{"a":1}', "data_json": {"a": 1}, "event": "e", "event_id": "7", "retry": 2.0},
        {"data": b"text", "data_json": None, "event": None, "event_id": None, "retry": None},
    ]
    assert (raw.body, raw.text) == (b"\xff", None)
    assert handled.status_code is None
    assert (failed.status_code, failed.text, failed.json) == (409, "no", None)


def test_the_client_sends_headers_as_text_without_space_around(shop):
    headers = {"Host": " shop.example\n", "X-Number": 1}
    assert ask(shop, ("get", "/echo", headers))[0].json[3] == "shop.example"


def test_the_client_is_held_to_the_limits(shop, monkeypatch):
    monkeypatch.setattr(Request, "max_content_length", 3)
    assert ask(shop, ("post", "/echo", None, b"four"))[0].status_code == 413


def test_the_client_in_a_handler_leaves_the_current_request_as_it_is(shop):
    app = Microdot()

    @app.get("/")
    async def outer(request):
        inner = await TestClient(shop).get("/cookies")
        return [current_request().path, inner.status_code]

    def ask_outside_of_any_request():
        assert Client(app, "asgi").get("/").json[0] == "/"
        assert ask(app, ("get", "/"))[0].json[0] == "/"
        with pytest.raises(RuntimeError, match="no request"):
            current_request()

    Context().run(ask_outside_of_any_request)


def test_the_client_has_no_sockets(shop):
    with pytest.raises(NotImplementedError):
        ask(shop, ("request", "GET", "/", None, None, ()))


def test_a_dispatch_of_one_s_own_finds_the_body():
    class Signed(Microdot):
        async def dispatch_request(self, req):
            if req.json["key"] != "secret":
                return Response("refused", 403)
            return await super().dispatch_request(req)

    app = Signed()
    app.post("/")(lambda request: request.json)
    for key, status in (("secret", 200), ("guessed", 403)):
        assert ask(app, ("post", "/", None, {"key": key}))[0].status_code == status
        assert Client(app, "asgi").post("/", json={"key": key}).status == status


def test_headers_that_were_consulted_are_named_in_vary():
    app = Microdot()
    CORS(app, allowed_origins=["https://a.example"])

    @app.get("/")
    async def handler(request):
        return "x", {"Vary": "Cookie"}

    response = asyncio.run(TestClient(app).get("/", headers={"Origin": "https://a.example"}))
    assert response.headers["Vary"] == "Cookie, Origin"


def test_an_error_of_an_error_handler_is_raised():
    app = Microdot()

    @app.errorhandler(404)
    @app.errorhandler(500)
    async def fail(request):
        raise RuntimeError("no page for that")

    with pytest.raises(RuntimeError, match="no page for that"):
        asyncio.run(TestClient(app).get("/"))
