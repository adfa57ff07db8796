"""WebSockets over WSGI: the handshake that Antiphon answers itself, on the sockets of a real server on a thread."""

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from werkzeug.serving import make_server

from antiphon import App, Limits, Request, WebSocket
from antiphon.adapters.websockets import socket_channel
from antiphon.http.head import server_head
from tests.contract.sockets.frames import HANDSHAKE
from tests.contract.wire import Connection, ReceivedResponse, SentRequest
from tests.helpers.noted_ends import noting_ends
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.processes


@contextmanager
def served(app: Any, *, threaded: bool = True) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=threaded)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(DEADLINE)
        server.server_close()


def opened(port: int, path: str = "/", **options: Any) -> Any:
    return connect(f"ws://127.0.0.1:{port}{path}", proxy=None, open_timeout=DEADLINE, close_timeout=2, **options)


def respond(port: int, fields: tuple[tuple[str, str], ...], path: str = "/", method: str = "GET") -> ReceivedResponse:
    with Connection(port, DEADLINE) as connection:
        connection.send(SentRequest(method, path, fields).encoded)
        return connection.receive(method)


@pytest.fixture
def app() -> App:
    app = App()

    @app.websocket("/")
    async def echo(request: Request, socket: WebSocket):
        async for message in socket:
            await socket.send(message)

    @app.get("/page")
    def page(request: Request):
        return "a page"

    return app


def without(name: str) -> tuple[tuple[str, str], ...]:
    return tuple(field for field in HANDSHAKE if field[0] != name)


def with_value(name: str, value: str) -> tuple[tuple[str, str], ...]:
    return (*without(name), (name, value))


class TestHandshake:
    @rows(
        "fields, status",
        (without("Connection"), 400),
        (with_value("Connection", "keep-alive"), 400),
        (without("Sec-WebSocket-Key"), 400),
        (with_value("Sec-WebSocket-Key", "short"), 400),
        (with_value("Sec-WebSocket-Key", "x" * 24), 400),
        (with_value("Sec-WebSocket-Version", "8"), 426),
        (without("Sec-WebSocket-Version"), 426),
        (with_value("Upgrade", "h2c"), 426),
        (with_value("Upgrade", "websocketx"), 426),
        (with_value("Upgrade", "websocket/13"), 426),
    )
    def test_malformed(self, app, fields, status):
        with served(app) as port:
            response = respond(port, fields)
            assert response.status == status
            assert response.values("sec-websocket-version") == (["13"] if b"version" in response.body else [])
            assert respond(port, fields, "/page").body == b"a page"

    @pytest.mark.parametrize(("method", "status"), [("HEAD", 426), ("POST", 405)])
    def test_other_methods(self, app, method, status):
        with served(app) as port:
            assert respond(port, HANDSHAKE, method=method).status == status
            if method == "HEAD":
                assert respond(port, HANDSHAKE, "/page", method).status == 200

    @pytest.mark.parametrize(("name", "value"), [("Connection", "keep-alive, Upgrade"), ("Upgrade", "h2c, WebSocket")])
    def test_a_list(self, app, name, value):
        with served(app) as port, Connection(port, DEADLINE) as connection:
            fields = with_value(name, value)
            connection.send(SentRequest("GET", "/", fields).encoded)
            connection.wait_for(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")  # the example of RFC 6455 §1.3

    def test_a_server_with_one_thread(self, app):
        with served(app, threaded=False) as port:
            assert respond(port, HANDSHAKE).status == 501

    def test_without_wsproto(self, app, monkeypatch):
        monkeypatch.setattr("antiphon.adapters.websockets.wsgi.find_spec", lambda name: None)
        with served(app) as port:
            response = respond(port, HANDSHAKE)
        assert response.status == 501
        assert b"antiphon[websockets]" in response.body

    def test_one_too_many(self):
        app = App()

        @app.websocket("/", limits=Limits(sockets=1))
        async def wait(request: Request, socket: WebSocket):
            async for _ in socket:
                pass

        with served(app) as port:
            with opened(port), pytest.raises(InvalidStatus) as refused:
                opened(port)
            assert refused.value.response.status_code == 503
            with opened(port):
                pass


class TestMounts:
    def test_an_application_below_a_prefix(self, app):
        outer = App()
        outer.mount("/in", app)
        with served(outer) as port, opened(port, "/in/") as socket:
            socket.send("hello")
            assert socket.recv() == "hello"

    def test_an_asgi_application(self):
        async def echo(scope, receive, send):
            assert (await receive())["type"] == "websocket.connect"
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})

        outer = App()
        outer.mount("/in", echo, interface="asgi")
        with served(outer) as port, opened(port, "/in/") as socket:
            socket.send("hello")
            assert socket.recv() == "hello"


class TestEnd:
    def test_a_client_that_answers_no_ping(self, monkeypatch):
        monkeypatch.setattr(socket_channel, "HEARTBEAT", 0.05)
        app, ends = noting_ends()
        with served(app) as port, Connection(port, DEADLINE) as connection:
            connection.send(SentRequest("GET", "/", HANDSHAKE).encoded)
            assert eventually(lambda: ends or None, "the handler waits for ever") == [1006]

    def test_a_client_that_answers_pings_stays(self, app, monkeypatch):
        monkeypatch.setattr(socket_channel, "HEARTBEAT", 0.3)
        with served(app) as port, opened(port) as socket:
            with pytest.raises(TimeoutError):
                socket.recv(0.7)
            socket.send("hello")
            assert socket.recv() == "hello"

    def test_nothing_is_left_to_the_garbage_collector(self):
        app, kept = App(), []

        @app.websocket("/")
        async def echo(request: Request, socket: WebSocket):
            kept.extend(map(weakref.ref, (request, server_head(request.head), server_head(request.head).channel)))
            async for message in socket:
                await socket.send(message)

        with served(app) as port:
            gc.disable()
            try:
                for leaves in (lambda socket: socket.close(), lambda socket: socket.socket.close()):
                    with opened(port) as socket:
                        socket.send("hello")
                        assert socket.recv() == "hello"
                        leaves(socket)
                    eventually(lambda: not any(ref() for ref in kept) or None, "something is kept")
            finally:
                gc.enable()

    def test_an_error_ends_the_socket_and_is_logged(self, caplog):
        app = App()

        @app.websocket("/")
        async def fail(request: Request, socket: WebSocket):
            await socket.send("a")
            raise LookupError("inside")

        with served(app) as port, opened(port) as socket:
            assert socket.recv() == "a"
            with pytest.raises(ConnectionClosed):
                socket.recv()
            assert socket.close_code == 1011
        assert "LookupError: inside" in caplog.text
