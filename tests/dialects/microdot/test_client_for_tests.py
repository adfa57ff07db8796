"""The client that tests of an application send their requests by."""

import asyncio
from contextvars import Context

import pytest

from antiphon import current_request
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot.cors import CORS
from antiphon.dialects.microdot.test_client import TestClient
from antiphon.testing import Client


def ask(app, *requests, **options):
    async def all_of_them():
        client = TestClient(app, **options)
        return [await getattr(client, method)(*arguments) for method, *arguments in requests]

    return asyncio.run(all_of_them())


def test_the_client_in_a_handler_leaves_the_current_request_as_it_is():
    app, shop = Microdot(), Microdot()
    shop.get("/cookies")(lambda request: request.cookies)

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


def test_the_client_has_no_sockets():
    with pytest.raises(NotImplementedError):
        ask(Microdot(), ("request", "GET", "/", None, None, ()))


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
