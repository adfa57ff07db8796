"""The client that tests of an application send their requests by."""

import asyncio
from contextvars import Context

import pytest

from antiphon import current_request
from antiphon.dialects.microdot import Microdot, Response, abort
from antiphon.dialects.microdot.cors import CORS
from antiphon.dialects.microdot.test_client import TestClient
from antiphon.testing import Client


@pytest.fixture
def shop():
    app = Microdot()

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
    async def echo(request):
        return [request.method, request.args.get("a"), request.body.decode(), request.headers["Host"], request.scheme]

    @app.get("/cookies")
    async def cookies(request):
        @request.after_request
        def keep(request, response):
            response.set_cookie("a", "1")
            response.set_cookie("b", "2", path="/cookies")
            if "a" in request.cookies:
                response.delete_cookie("a")

        return request.cookies

    app.get("/bytes")(lambda request: b"\xff")
    app.get("/handled")(lambda request: Response.already_handled)
    app.get("/fail")(lambda request: abort(409, "no"))
    return app


def ask(app, *requests, **options):
    async def all_of_them():
        client = TestClient(app, **options)
        return [await getattr(client, method)(*arguments) for method, *arguments in requests]

    return asyncio.run(all_of_them())


def test_the_client_keeps_cookies(shop):
    first, second, third, elsewhere = ask(
        shop, ("get", "/cookies"), ("get", "/cookies", {"Cookie": "c=3"}), ("get", "/cookies"), ("get", "/echo")
    )
    assert first.json == {}
    assert second.json == {"c": "3", "a": "1", "b": "2"}
    assert third.json == {"b": "2"}
    assert elsewhere.status_code == 200


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
