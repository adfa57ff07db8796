"""WebSockets of mounted applications: through the outer application, and as the server would carry them."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount as StarletteMount
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket as StarletteSocket
from starlette.websockets import WebSocketDisconnect

import antiphon
from antiphon import App, Limits, Request, Response, WebSocket, WebSocketClosed
from antiphon.dialects.microdot import Microdot
from antiphon.testing import AsyncClient, Client, HandshakeRefused
from tests.helpers.rows import rows

PACKAGE = Path(antiphon.__file__).parent

told: list[int] = []
"""The codes of which the mounted application was told."""


async def talk(socket: StarletteSocket) -> None:
    await socket.accept("v2" if "v2" in socket.scope["subprotocols"] else None, [(b"x-inner", b"yes")])
    try:
        async for message in socket.iter_json():
            await socket.send_json({"said": message, "at": str(socket.url), "root": socket.scope["root_path"]})
    finally:
        told.append(0)


async def listen(socket: StarletteSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect as end:
        told.append(end.code)


async def leave(socket: StarletteSocket) -> None:
    await socket.accept()
    await socket.close(4001, "full")


async def refuse(socket: StarletteSocket) -> None:
    await socket.close()


async def deny(socket: StarletteSocket) -> None:
    await socket.send_denial_response(JSONResponse({"why": "full"}, 429, {"retry-after": "7"}))


async def deny_by_stream(socket: StarletteSocket) -> None:
    await socket.send_denial_response(StreamingResponse(iter(["a", "b"]), 410))


async def fail(socket: StarletteSocket) -> None:
    await socket.accept()
    raise LookupError("inside")


async def fail_first(socket: StarletteSocket) -> None:
    raise LookupError("inside")


async def push(socket: StarletteSocket) -> None:
    """Send and receive in two tasks, as many applications do."""
    await socket.accept()

    async def read() -> None:
        async for text in socket.iter_text():
            await socket.send_text(text)

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        await socket.send_text("pushed")


ROUTES = {
    "/talk": talk, "/listen": listen, "/leave": leave, "/refuse": refuse, "/deny": deny,
    "/stream": deny_by_stream, "/fail": fail, "/fail-first": fail_first, "/push": push,
}  # fmt: skip


def outer_app(**options):
    told.clear()
    app = App(**options)
    app.mount("/ws", Starlette(routes=[WebSocketRoute(path, endpoint) for path, endpoint in ROUTES.items()]))
    return app


@pytest.fixture
def client_of():
    """A function that makes a client, of which the application is stopped at the end."""
    with ExitStack() as stack:
        yield lambda app, interface="asgi": stack.enter_context(Client(app, interface))


@rows("interface", ["asgi", "rsgi"])
class TestOverBoth:
    def test_messages_and_paths(self, client_of, interface):
        with client_of(outer_app(), interface).websocket("/ws/talk?x=1") as socket:
            socket.send({"a": 1})
            answer = {"said": {"a": 1}, "at": "ws://testserver/ws/talk?x=1", "root": "/ws"}
            assert socket.receive_as(dict) == answer

    def test_end_of_the_client(self, client_of, interface):
        with client_of(outer_app(), interface).websocket("/ws/listen") as socket:
            socket.send(b"\xff")
            assert socket.receive() == b"\xff"
            socket.close(4000)
        assert told == [4000 if interface == "asgi" else 1005]  # RSGI tells no code

    def test_end_of_the_application(self, client_of, interface):
        with client_of(outer_app(), interface).websocket("/ws/leave") as socket:
            with pytest.raises(WebSocketClosed) as end:
                socket.receive()
            assert end.value.code == (4001 if interface == "asgi" else 1005)  # RSGI sends no code

    @rows("path, status", [("/refuse", 403), ("/deny", 429), ("/stream", 410), ("/fail-first", 500), ("/none", 403)])
    def test_refusals(self, client_of, interface, path, status):
        with pytest.raises(HandshakeRefused) as refused, client_of(outer_app(), interface).websocket(f"/ws{path}"):
            pass
        assert refused.value.response.status == status

    def test_error_after_the_handshake(self, client_of, interface, caplog):
        code = "1011" if interface == "asgi" else "1005"
        with (
            client_of(outer_app(), interface).websocket("/ws/fail") as socket,
            pytest.raises(WebSocketClosed, match=code) as closed,
        ):
            socket.receive()
        assert isinstance(closed.value.__cause__, LookupError)
        (record,) = [record for record in caplog.records if record.name == "antiphon"]
        assert record.exc_info[0] is LookupError

    def test_two_tasks(self, client_of, interface):
        with client_of(outer_app(), interface).websocket("/ws/push") as socket:
            assert socket.receive() == "pushed"
            socket.send("a")
            assert socket.receive() == "a"


def test_answer_of_the_handshake_is_passed_on(client_of):
    app = outer_app()

    @app.middleware
    def mark(request: Request) -> Iterator[Response]:
        response = yield
        response.headers["x-status"] = str(response.status)

    client = client_of(app)
    with client.websocket("/ws/talk", subprotocols=["v1", "v2"]) as socket:
        assert socket.subprotocol == "v2"
        assert (socket.response.headers["x-inner"], socket.response.headers["x-status"]) == ("yes", "101")
    with pytest.raises(HandshakeRefused) as refused, client.websocket("/ws/deny"):
        pass
    response = refused.value.response
    assert (response.json, response.headers["retry-after"]) == ({"why": "full"}, "7")
    assert response.headers["x-status"] == "429"
    with pytest.raises(HandshakeRefused) as refused, client.websocket("/ws/stream"):
        pass
    assert refused.value.response.body == b"ab"


def test_checks_of_the_outer_application(client_of):
    app = outer_app(trusted_hosts=["testserver"], limits=Limits(message=4))
    client = client_of(app)
    for options, status in [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": None, "headers": {"cookie": "a=1"}}, 403),
        ({"headers": {"host": "evil.example"}}, 421),
    ]:
        with pytest.raises(HandshakeRefused) as refused, client.websocket("/ws/listen", **options):
            pass
        assert refused.value.response.status == status
    with client.websocket("/ws/listen") as socket:
        socket.send(b"12345")
        assert [*socket] == []
        assert socket.closed.code == 1009
    assert told == [1009]


def test_sessions_of_the_mounted_application(client_of, app):
    async def count(socket: StarletteSocket) -> None:
        await socket.accept()
        await socket.send_json(socket.session.get("user"))

    routes = [WebSocketRoute("/", count)]
    app.mount("/ws", SessionMiddleware(Starlette(routes=[StarletteMount("/in", routes=routes)]), "key"))
    with client_of(app).websocket("/ws/in/") as socket:
        assert socket.receive() == "null"


def test_mounted_app_has_its_own_checks(client_of):
    inner, outer = App(trusted_origins=["https://shop.example"]), App()
    outer.mount("/in", inner)

    @inner.websocket("/<name>")
    async def talk(request: Request, socket: WebSocket, name: str):
        await socket.send(f"{name} {request.root_path}")

    client = client_of(outer)
    with client.websocket("/in/a", origin="https://shop.example") as socket:
        assert socket.receive() == "a /in"
    with pytest.raises(HandshakeRefused) as refused, client.websocket("/in/a", origin="https://evil.example"):
        pass
    assert refused.value.response.status == 403


@rows(
    "messages, fault",
    ([], "ended without accepting"),
    ([{"type": "websocket.send", "text": "a"}], "sent 'websocket.send'"),
    ([{"type": "http.response.start"}], "sent 'http.response.start'"),
    ([{"type": "websocket.accept", "headers": [(b"a", b"\n")]}], "an invalid reply to a handshake"),
    ([{"type": "websocket.http.response.start", "status": 404, "headers": []}], "before its response did"),
)
def test_application_that_breaks_the_rules(client_of, messages, fault, caplog):
    async def broken(scope, receive, send):
        await receive()
        for message in messages:
            await send(message)

    app = App()
    app.mount("/ws", broken)
    with pytest.raises(HandshakeRefused) as refused, client_of(app).websocket("/ws/"):
        pass
    assert refused.value.response.status == 500
    assert fault in caplog.text


async def plain(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})


microdot = Microdot()


@microdot.get("/")
async def index(request):
    return "plain"


@pytest.mark.once
@rows("application", [plain, microdot], ids=["ASGI", "a dialect"])
def test_only_handshakes_are_looked_at_as_such(application):
    app, called = App(), set()
    app.mount("/in", application)

    def note(frame, event, argument):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(PACKAGE):
            called.add(file.relative_to(PACKAGE).as_posix())

    async def ask_twice():
        client = AsyncClient(app, "asgi")
        await client.get("/in/")  # imports and plans, once
        sys.setprofile(note)
        try:
            await client.get("/in/")
        finally:
            sys.setprofile(None)

    asyncio.run(ask_twice())
    assert "app/mount.py" in called
    assert not [file for file in called if "handshakes" in file or "sockets" in file or "conversations" in file]
