"""WebSockets in Microdot's words: messages, the end, upgrades in the middle of a handler, and mounts."""

import asyncio

import pytest

from antiphon import App, WebSocketClosed
from antiphon.dialects.microdot import Microdot, Request
from antiphon.dialects.microdot.test_client import TestClient
from antiphon.dialects.microdot.websocket import WebSocket, WebSocketError, websocket_upgrade, with_websocket
from antiphon.testing import Client, HandshakeRefused

pytestmark = pytest.mark.axes("interface")
INTERFACES = ("asgi", "rsgi")


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": None, "headers": {"cookie": "session=1"}}, 403),
        ({"origin": "https://shop.example.com"}, 101),
        ({}, 101),
    ],
)
def test_pages_of_other_sites(app, interface, options, status, monkeypatch):
    monkeypatch.setattr(WebSocket, "trusted_origins", ["https://shop.example.com"])
    if status == 101:
        with Client(app, interface).websocket("/echo/Ada", **options) as socket:
            socket.send("hello")
            assert socket.receive() == "Ada: hello"
        return
    with pytest.raises(HandshakeRefused) as refused, Client(app, interface).websocket("/echo/Ada", **options):
        pass
    assert refused.value.response.status == status


@pytest.fixture
def ends():
    return []


@pytest.fixture
def app(ends):
    app = Microdot()

    @app.route("/echo/<name>")
    @with_websocket
    async def echo(request, ws, name):
        try:
            while True:
                message = await ws.receive()
                await ws.send(f"{name}: {message}" if isinstance(message, str) else message)
        except WebSocketError:
            ends.append(request.path)
            raise

    @app.route("/upgrade")
    async def upgrade(request):
        ws = await websocket_upgrade(request)
        await ws.send(b"text", WebSocket.TEXT)
        await ws.send("binary", WebSocket.BINARY)
        await ws.close()
        await ws.close()
        return

    @app.route("/fail")
    @with_websocket
    async def fail(request, ws):
        await ws.send("a")
        raise LookupError("inside")

    return app


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("mounted", [False, True])
class TestTalk:
    def opened(self, app, path, interface, mounted):
        if mounted:
            outer = App()
            outer.mount("/in", app)
            app, path = outer, f"/in{path}"
        return Client(app, interface).websocket(path)

    def test_messages(self, app, ends, interface, mounted):
        with self.opened(app, "/echo/Ada", interface, mounted) as socket:
            socket.send("hello")
            assert socket.receive() == "Ada: hello"
            socket.send("")
            socket.send(b"\xff")
            assert socket.receive() == b"\xff"
        assert ends == ["/echo/Ada"]

    def test_upgrade_in_a_handler(self, app, interface, mounted):
        with self.opened(app, "/upgrade", interface, mounted) as socket:
            assert [*socket] == ["text", b"binary"]
            assert socket.closed.code == (1000 if interface == "asgi" else 1005)  # RSGI sends no code


def test_error_is_logged_and_closes_the_socket(app, caplog):
    with Client(app, "asgi").websocket("/fail") as socket:
        assert socket.receive() == "a"
        with pytest.raises(WebSocketClosed) as end:
            socket.receive()
    assert end.value.code == 1011
    assert "LookupError" in caplog.text


def test_limit_of_a_message(app, monkeypatch):
    monkeypatch.setattr(WebSocket, "max_message_length", 4)
    with Client(app, "asgi").websocket("/echo/a") as socket:
        socket.send("12345")
        assert [*socket] == []
        assert socket.closed.code == 1009
    monkeypatch.setattr(WebSocket, "max_message_length", 0)
    with Client(app, "asgi").websocket("/echo/a") as socket:
        socket.send("x" * 100_000)
        assert len(socket.receive()) == 100_003
    assert Request.max_body_length < 100_000


def test_plain_requests_are_refused_as_microdot_does(app):
    assert Client(app, "asgi").get("/upgrade").status == 400


def test_wsgi_names_servers_that_can(app):
    with pytest.raises(HandshakeRefused, match="Uvicorn") as refused, Client(app, "wsgi").websocket("/upgrade"):
        pass
    assert refused.value.response.status == 501


def test_two_tasks(app):
    """Handlers send in one task what comes from elsewhere, and receive in another."""

    @app.route("/two")
    @with_websocket
    async def two(request, ws):
        async def push():
            await ws.send("pushed")

        pushing = asyncio.create_task(push())
        assert await ws.receive() == "a"
        await pushing

    with Client(app, "asgi").websocket("/two") as socket:
        assert socket.receive() == "pushed"
        socket.send("a")


def test_the_test_client_opens_sockets_with_its_cookies():
    app = Microdot()

    @app.route("/echo")
    @with_websocket
    async def echo(request, socket):
        await socket.send(request.cookies["session"])

    received = []

    def messages():
        received.append((yield))

    asyncio.run(TestClient(app, cookies={"session": "of Ada"}).websocket("/echo", messages))
    assert received == ["of Ada"]
