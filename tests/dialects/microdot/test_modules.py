"""The modules that handlers and tests import beside the application."""

import asyncio
from importlib import import_module

import pytest

import antiphon.dialects.microdot
from antiphon.dialects.microdot import AsyncBytesIO, Microdot, iscoroutine
from antiphon.dialects.microdot.auth import BaseAuth, BasicAuth, TokenAuth
from antiphon.dialects.microdot.cors import CORS
from antiphon.dialects.microdot.microdot import invoke_handler
from antiphon.dialects.microdot.sse import sse_response, with_sse
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

PACKAGE = "antiphon.dialects.microdot"


@pytest.mark.parametrize("module", ["utemplate"])
def test_modules_that_are_not_offered_say_so(module):
    with pytest.raises(ImportError, match=rf"does not offer microdot\.{module}: "):
        import_module(f"{PACKAGE}.{module}")


@rows("module", ["asgi", "wsgi"])
def test_the_core_can_be_imported_from_the_server_s_module(module):
    names = vars(import_module(f"{PACKAGE}.{module}"))
    for name in ("AsyncBytesIO", "Request", "Response", "URLPattern", "abort", "iscoroutine", "redirect", "send_file"):
        assert names[name] is getattr(antiphon.dialects.microdot, name)
    assert issubclass(names["Microdot"], Microdot)


@rows("way", ["set", "a subclass's"])
def test_the_functions_that_servers_are_given_may_be_others(way):
    from antiphon.dialects.microdot import asgi, wsgi

    def around_wsgi(inner):
        return lambda environ, start_response: inner({**environ, "HTTP_X_SEEN": "wsgi"}, start_response)

    def around_asgi(inner):
        async def asgi_app(scope, receive, send):
            await inner({**scope, "headers": [*scope["headers"], (b"x-seen", b"asgi")]}, receive, send)

        return asgi_app

    class OverWSGI(wsgi.Microdot):
        def wsgi_app(self, environ, start_response):
            return around_wsgi(super().wsgi_app)(environ, start_response)

    class OverASGI(asgi.Microdot):
        async def asgi_app(self, scope, receive, send):
            await around_asgi(super().asgi_app)(scope, receive, send)

    if way == "set":
        apps = wsgi.Microdot(), asgi.Microdot()
        apps[0].wsgi_app = around_wsgi(apps[0].wsgi_app)
        apps[1].asgi_app = around_asgi(apps[1].asgi_app)
    else:
        apps = OverWSGI(), OverASGI()
    for app, interface in zip(apps, ("wsgi", "asgi"), strict=True):
        app.get("/")(lambda request: request.headers.get("X-Seen", "not seen"))
        with Client(app, interface) as client:
            assert client.get("/").text == interface
        with Client(app, "rsgi") as client:
            assert client.get("/").text == "not seen"


def test_functions_are_invoked_by_their_colour():
    async def waiting(value, *, more=0):
        return value + more

    def plain(value, *, more=0):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return waiting(value, more=more) if value == 7 else value + more

    async def both():
        return [await invoke_handler(each, n, more=1) for each in (waiting, plain) for n in (1, 7)]

    assert asyncio.run(both()) == [2, 8, 2, 8]
    coroutine = waiting(1)
    assert iscoroutine(coroutine)
    assert not iscoroutine(plain)
    coroutine.close()


def test_who_asks_needs_a_function(serve):
    app, auth = Microdot(), BasicAuth()
    app.get("/")(auth(lambda request: "x"))
    assert serve(app).get("/").status == 401
    assert serve(app).get("/", headers={"authorization": "Basic YTpi"}).status == 500
    with pytest.raises(NotImplementedError):
        BaseAuth()._get_auth(None)


def test_credentials_that_are_none_are_none(serve):
    class Nobody(TokenAuth):
        def _get_auth(self, request):
            return False

    app, auth = Microdot(), Nobody()
    auth.authenticate(lambda request, value: value)
    app.get("/")(auth(lambda request: "x"))
    assert serve(app).get("/").status == 401


def test_all_sites_may_ask(serve):
    app = Microdot()
    CORS(app, allowed_origins="*")
    app.get("/")(lambda request: ("x", {"Vary": "Accept"}))
    client = serve(app)
    assert client.get("/").headers["access-control-allow-origin"] == "*"
    response = client.get("/", headers={"origin": "https://a.example"})
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert {name.strip().lower() for name in response.headers["vary"].split(",")} == {"accept", "origin"}
    asked = {
        "origin": "https://a.example",
        "access-control-request-headers": "x-a",
        "access-control-request-method": "put",
    }
    headers = client.options("/", headers=asked).headers
    assert (headers["access-control-allow-headers"], headers["access-control-allow-methods"]) == ("x-a", "PUT")


def test_all_sites_may_ask_without_cookies_alone(serve):
    app = Microdot()
    CORS(app, allowed_origins="*", allow_credentials=True)
    app.get("/")(lambda request: "x")
    client = serve(app)
    for ask in (client.get, client.options):
        headers = ask("/", headers={"origin": "https://evil.example", "cookie": "a=b"}).headers
        assert headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in headers


def test_a_function_that_fails_breaks_off_the_response(interface):
    app = Microdot()

    @app.get("/")
    async def handler(request):
        async def events(request, sse):
            await sse.send("one")
            raise ZeroDivisionError

        return sse_response(request, events)

    with Client(app, interface) as client, pytest.raises(ZeroDivisionError), client.stream("GET", "/") as response:
        for _ in response:
            pass


def test_a_function_that_ends_by_a_cancellation_ends_its_events(serve):
    app = Microdot()

    @app.get("/")
    @with_sse
    async def events(request, sse):
        await sse.send("one")
        raise asyncio.CancelledError

    assert serve(app).get("/").text == "data: one\n\n"


def test_a_function_is_cancelled_when_the_client_leaves(interface):
    app = Microdot()
    ended = []

    @app.get("/")
    @with_sse
    async def events(request, sse):
        try:
            while True:
                await sse.send("tick")
                await asyncio.sleep(0.001)
        finally:
            ended.append(True)

    with Client(app, interface) as client:
        with client.stream("GET", "/") as response:
            assert next(iter(response)).startswith(b"data: tick")
        assert ended == [True]


def test_bytes_are_read_and_written_as_a_stream():
    async def read():
        stream = AsyncBytesIO(b"one\ntwo;three")
        parts = [
            await stream.readline(),
            await stream.readuntil(b";"),
            await stream.readexactly(2),
            await stream.read(),
        ]
        assert await stream.awrite(b"x") == 1
        await stream.aclose()
        return parts

    assert asyncio.run(read()) == [b"one\n", b"two;", b"th", b"ree"]


def test_credentials_of_another_scheme_are_nobody_s():
    app = Microdot()
    auth = BasicAuth()
    auth.authenticate(lambda request, username, password: username)
    app.get("/")(auth(lambda request: request.g.current_user))
    assert Client(app).get("/", headers={"authorization": "Bearer abc"}).status == 401
