"""Conversations over a WebSocket, as tests hold them over each interface."""

import asyncio
import gc
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import ref

import pytest

from antiphon import (
    App,
    BlockingWebSocket,
    Dependency,
    Limits,
    Request,
    Response,
    WebSocket,
    WebSocketClosed,
    abort,
    current_request,
)
from antiphon.testing import AsyncClient, Client, HandshakeRefused
from antiphon.websockets import channel
from tests.helpers.noted_ends import noting_ends
from tests.helpers.rows import rows

INTERFACES = ("asgi", "rsgi")


@dataclass
class Move:
    x: int


def opened(app, path="/", interface="asgi", **options):
    return Client(app, interface).websocket(path, **options)


def echoing(app, pause=0.0, **options):
    @app.websocket("/", **options)
    async def echo(request: Request, socket: WebSocket):
        async for message in socket:
            await asyncio.sleep(pause)
            await socket.send(message)

    return app


@rows("interface", INTERFACES)
class TestBothColours:
    def test_async_handler(self, interface):
        app = App()

        @app.websocket("/rooms/<int:number>")
        async def room(request: Request, socket: WebSocket, number: int):
            async for message in socket:
                await socket.send({"room": number, "said": str(message)})

        with opened(app, "/rooms/7", interface) as socket:
            socket.send("hello")
            assert socket.receive_as(dict[str, int | str]) == {"room": 7, "said": "hello"}
            assert socket.response.status == 101

    def test_def_handler(self, interface):
        app = App()

        @app.websocket("/rooms/<int:number>")
        def room(request: Request, socket: BlockingWebSocket, number: int):
            for message in socket:
                socket.send(f"{number}: {message} at {current_request().path}")

        with opened(app, "/rooms/7", interface) as socket:
            socket.send("hello")
            assert socket.receive() == "7: hello at /rooms/7"
            socket.send(b"\xff")
            assert socket.receive() == "7: b'\\xff' at /rooms/7"

    def test_typed_values(self, interface):
        app = App()

        @app.websocket("/")
        async def play(request: Request, socket: WebSocket):
            async for move in socket.values(Move):
                await socket.send(Move(move.x + 1))

        with opened(app, interface=interface) as socket:
            socket.send({"x": 1})
            assert socket.receive_as(Move) == Move(2)
            for wrong, status in [({"x": "a"}, 422), ("{", 400), (b"\xff", 400)]:
                socket.send(wrong)
                assert socket.receive_as(dict)["status"] == status
            socket.send({"x": 5})
            assert socket.receive_as(Move) == Move(6)

    def test_values_are_not_iterated_on_a_loop_by_for(self, interface):
        app, raised = App(), []

        @app.websocket("/")
        async def moves(request: Request, socket: WebSocket):
            try:
                next(iter(socket.values(Move)))
            except TypeError as error:
                raised.append(str(error))

        with opened(app, interface=interface):
            pass
        assert [error.partition(" with ")[0] for error in raised] == ["an `async def` handler iterates its socket"]

    def test_end_of_the_client(self, interface):
        app, ends = noting_ends()
        with opened(app, interface=interface) as socket:
            socket.close(4000, "enough")
        assert ends == [4000 if interface == "asgi" else 1005]  # RSGI tells no code

    def test_end_of_the_handler(self, interface):
        app = App()

        @app.websocket("/")
        async def leave(request: Request, socket: WebSocket):
            await socket.close(4001, "full")

        with opened(app, interface=interface) as socket:
            with pytest.raises(WebSocketClosed) as end:
                socket.receive()
            assert end.value.code == (4001 if interface == "asgi" else 1005)  # RSGI sends no code


class TestHandshake:
    def test_middleware_sees_it(self, app):
        @app.middleware
        def mark(request: Request) -> Iterator[Response]:
            response = yield
            response.headers["x-status"] = str(response.status)
            response.set_cookie("seen", "yes")

        @app.websocket("/")
        async def talk(request: Request, socket: WebSocket):
            await socket.send("hello")

        client = Client(app)
        with client.websocket("/") as socket:
            assert socket.response.headers["x-status"] == "101"
            assert socket.response.cookies == {"seen": "yes"}
        assert client.cookies.get("seen") == "yes"

    def test_that_middleware_refuses_afterwards_ends_the_conversation(self):
        app, ends = App(), []

        @app.middleware
        def refuse(request: Request) -> Iterator[Response]:
            yield
            return Response("", 503)

        @app.websocket("/")
        def talk(request: Request, socket: BlockingWebSocket):
            with pytest.raises(WebSocketClosed) as end:
                socket.receive()
            ends.append(end.value.reason)

        with pytest.raises(HandshakeRefused), opened(app):
            pass
        assert ends == ["The handshake was not accepted."]

    def test_refusal_before_the_first_message(self, app):
        @app.websocket("/", before=lambda request: abort(401, challenge="Basic") if not request.args else None)
        async def talk(request: Request, socket: WebSocket):
            await asyncio.sleep(0)
            abort(403, "Not you.")

        @app.websocket("/def")
        def blocks(request: Request, socket: BlockingWebSocket):
            abort(409)

        @app.websocket("/moved")
        async def moved(request: Request, socket: WebSocket):
            return {"status": 410}, 410

        for path, status in [("/", 401), ("/?x=1", 403), ("/none", 404), ("/def", 409), ("/moved", 410)]:
            with pytest.raises(HandshakeRefused) as refused, opened(app, path):
                pass
            assert refused.value.response.status == refused.value.response.json["status"] == status

    def test_plain_get(self, app):
        @app.websocket("/")
        async def talk(request: Request, socket: WebSocket): ...

        response = Client(app).get("/")
        assert (response.status, response.headers["upgrade"]) == (426, "websocket")

    def test_plain_route_ignores_the_upgrade(self, app):
        """A server may ignore Upgrade (RFC 9110 §7.8): the handshake is answered as the GET that it is."""
        app.get("/")(lambda request: "hello")
        with pytest.raises(HandshakeRefused) as refused, opened(app):
            pass
        assert (refused.value.response.status, refused.value.response.body) == (200, b"hello")

    def test_wsgi_names_servers_that_can(self, app):
        @app.websocket("/")
        async def talk(request: Request, socket: WebSocket): ...

        with pytest.raises(HandshakeRefused, match="Uvicorn") as refused, opened(app, interface="wsgi"):
            pass
        assert refused.value.response.status == 501

    @rows("offered, agreed", [((), None), (("a", "v1", "v2"), "v2"), (("v1",), "v1"), (("x",), None)])
    def test_subprotocol(self, offered, agreed):
        app = App()

        @app.websocket("/", subprotocols=["v2", "v1"])
        async def talk(request: Request, socket: WebSocket):
            await socket.send(socket.subprotocol)

        with opened(app, subprotocols=offered) as socket:
            assert socket.receive_as(str | None) == agreed if agreed is None else socket.receive() == agreed
            assert socket.subprotocol == agreed

    def test_child_task_opens_it(self, app):
        @app.websocket("/")
        async def talk(request: Request, socket: WebSocket):
            async with asyncio.TaskGroup() as group:
                group.create_task(socket.send("from a child"))
                await asyncio.Event().wait() if request.args else None

        with opened(app) as socket:
            assert socket.receive() == "from a child"


@rows(
    "headers, origin, status",
    ({}, "https://evil.example", 403),
    ({}, "null", 403),
    ({}, "http://sub.localhost", 403),
    ({"cookie": "session=1"}, None, 403),
    ({"sec-fetch-site": "cross-site"}, None, 403),
    ({"sec-fetch-site": "same-site"}, "http://sub.localhost", 403),
    ({}, "https://shop.example.com", 101),
    ({}, None, 101),
    ({}, "", 101),
    ({"sec-fetch-site": "same-origin"}, "http://elsewhere", 101),
)
def test_sites(headers, origin, status):
    app = App(trusted_origins=["https://shop.example.com"])

    @app.websocket("/")
    async def talk(request: Request, socket: WebSocket):
        await socket.send("hello")

    if status == 101:
        with opened(app, headers=headers, origin=origin) as socket:
            assert socket.receive() == "hello"
        return
    with pytest.raises(HandshakeRefused) as refused, opened(app, headers=headers, origin=origin):
        pass
    assert refused.value.response.status == status
    assert refused.value.response.json["title"] == "Cross-site handshake"


class TestAround:
    def test_dependencies_close_at_the_end(self):
        app, events = App(), []
        connection = Dependency[str]("connection")

        def connect(request: Request) -> Iterator[str]:
            events.append("open")
            try:
                yield "connection"
                events.append("commit")
            except BaseException:
                events.append("roll back")
                raise

        app.provide(connection, connect)

        @app.websocket("/")
        async def talk(request: Request, socket: WebSocket):
            assert request[connection] == "connection"
            async for message in socket:
                events.append(message)
                if message == "fail":
                    raise LookupError(message)

        with opened(app) as socket:
            socket.send("first")
        assert events == ["open", "first", "commit"]
        events.clear()
        with opened(app) as socket:
            socket.send("fail")
            with pytest.raises(WebSocketClosed) as end:
                socket.receive()
        assert end.value.code == 1011
        assert events == ["open", "fail", "roll back"]

    def test_context_variables(self):
        app, variable = App(), ContextVar("variable", default="unset")

        @app.middleware
        def set_it(request: Request) -> Iterator[Response]:
            variable.set("set")
            yield

        @app.websocket("/async")
        async def talk(request: Request, socket: WebSocket):
            await socket.send(variable.get())
            await socket.send(variable.get() + current_request().path)

        @app.websocket("/sync")
        def talk_on_thread(request: Request, socket: BlockingWebSocket):
            socket.send(variable.get())
            socket.send(variable.get() + current_request().path)

        for path in ("/async", "/sync"):
            with opened(app, path) as socket:
                assert [*socket] == ["set", f"set{path}"]

    def test_error_is_logged_once_with_the_request(self, caplog, app):
        @app.websocket("/")
        async def fail(request: Request, socket: WebSocket):
            await socket.send(request.id)
            raise LookupError("nothing")

        with opened(app) as socket:
            number = socket.receive()
            with pytest.raises(WebSocketClosed, match="1011") as closed:
                next(iter(socket))
        assert str(closed.value.__cause__) == "nothing"
        (record,) = [record for record in caplog.records if record.name == "antiphon"]
        assert number in record.getMessage()
        assert record.exc_info[0] is LookupError

    def test_a_handler_on_a_thread_may_raise_what_no_future_takes(self, caplog, app):
        @app.websocket("/")
        def take_from_nothing(request: Request, socket: WebSocket):
            socket.send("x")
            next(iter(()))

        with opened(app) as socket:
            assert socket.receive() == "x"
            with pytest.raises(WebSocketClosed, match="1011"):
                socket.receive()
        (record,) = [record for record in caplog.records if record.name == "antiphon"]
        assert isinstance(record.exc_info[1].__cause__, StopIteration)

    def test_http_error_in_the_conversation(self, caplog, app):
        @app.websocket("/")
        async def refuse(request: Request, socket: WebSocket):
            await socket.receive()
            abort(403, "Not that.")

        with opened(app) as socket:
            socket.send("x")
            assert [*socket] == []
            assert (socket.closed.code, socket.closed.reason) == (1008, "Not that.")
        assert not caplog.records


class TestLimits:
    def test_message(self):
        app = echoing(App(limits=Limits(message=4)))
        for fits, too_long in [("abcd", "abcde"), ("éé", "éée"), (b"1234", b"12345")]:
            with opened(app) as socket:
                socket.send(fits)
                assert socket.receive() == fits
                socket.send(too_long)
                assert [*socket] == []
                assert socket.closed.code == 1009

    @rows(
        "of_app, of_route, then, status",
        [
            (None, 1, "/", 503),
            (None, 1, "/other", 101),
            (None, 0, "/", 503),
            (2, None, "/", 503),
            (2, None, "/other", 503),
            (2, 1, "/other", 503),
            (3, 1, "/", 503),
            (3, 1, "/other", 101),
        ],
    )
    def test_sockets_at_once(self, of_app, of_route, then, status):
        app = App(limits=Limits(sockets=of_app))

        async def echo(request: Request, socket: WebSocket):
            async for message in socket:
                await socket.send(message)

        app.websocket("/", limits=Limits(sockets=of_route))(echo)
        app.websocket("/other")(echo)
        client = Client(app)

        def ask(path):
            try:
                with client.websocket(path) as socket:
                    socket.send("a")
                    assert socket.receive() == "a"
            except HandshakeRefused as refused:
                return refused.response.status
            return 101

        with client.websocket("/other" if of_route == 0 else "/"), client.websocket("/other"):
            assert ask(then) == status
        assert ask("/other") == 101

    def test_idle_timeout(self):
        app = echoing(App(), idle_timeout=0.05)
        with opened(app) as socket:
            socket.send("a")
            assert socket.receive() == "a"
            assert [*socket] == []
            assert socket.closed.code == 1001

    def test_a_socket_that_a_task_closes_while_another_one_receives(self):
        app, ends = App(), []

        @app.websocket("/", idle_timeout=60)
        async def talk(request: Request, socket: WebSocket):
            async def receive():
                try:
                    await socket.receive()
                except BaseException as error:
                    ends.append(error)

            receiving = asyncio.create_task(receive())
            await socket.send("hello")
            await socket.close(4000)
            await receiving

        with opened(app) as socket:
            assert socket.receive() == "hello"
        [end] = ends
        assert isinstance(end, WebSocketClosed)
        assert end.code == 4000

    def test_deadline_is_that_of_the_handshake(self):
        app = App(deadline=0.2)

        @app.websocket("/slow")
        async def slow(request: Request, socket: WebSocket):
            await asyncio.sleep(30)

        @app.websocket("/")
        async def talk(request: Request, socket: WebSocket):
            await socket.accept()
            await asyncio.sleep(0.4)
            await socket.send("late")

        with pytest.raises(HandshakeRefused) as refused, opened(app, "/slow"):
            pass
        assert refused.value.response.status == 504
        with opened(app) as socket:
            assert socket.receive() == "late"


def test_client_that_leaves_a_handler_that_does_not_listen():
    app, ends = App(), []

    @app.websocket("/")
    async def push(request: Request, socket: WebSocket):
        await socket.send("news")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append(request.lifetime.is_client_gone)
            raise

    with opened(app) as socket:
        assert socket.receive() == "news"
    assert len(ends) == 1


def test_messages_that_come_while_nobody_listens():
    app = echoing(App(), pause=0.08)
    with opened(app) as socket:
        for number in range(4):
            socket.send(str(number))
        assert [socket.receive() for _ in range(4)] == ["0", "1", "2", "3"]


@pytest.fixture
def with_little_room(monkeypatch):
    """Handlers have room for a few messages."""
    monkeypatch.setattr(channel, "MOST_UNREAD", 200)
    monkeypatch.setattr(channel, "STANDSTILL", 0.2)


@pytest.mark.usefixtures("with_little_room")
def test_messages_for_which_there_is_no_room_wait():
    app = echoing(App(), pause=0.04)
    with opened(app) as socket:
        numbers = [str(number) * 100 for number in range(9)]
        for number in numbers:
            socket.send(number)
        assert [socket.receive() for _ in range(9)] == numbers


@pytest.mark.usefixtures("with_little_room")
@pytest.mark.parametrize("interface", INTERFACES)
def test_handler_that_takes_none_of_many_messages(interface):
    """Its client could leave unnoticed, behind the messages for which there is no room."""
    app, ends = App(), []

    @app.websocket("/")
    async def push(request: Request, socket: WebSocket):
        await socket.accept()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append((socket.closed.code, len([message async for message in socket])))

    with opened(app, interface=interface) as socket:
        for _ in range(9):
            socket.send("x" * 100)
        assert [*socket] == []
        assert socket.closed.code == (1008 if interface == "asgi" else 1005)
    assert ends == [(1008, 2)]


def test_handler_that_sends_to_a_server_that_neither_waits_nor_says_that_the_client_has_left():
    app, sent = App(), []

    @app.websocket("/")
    async def pour(request: Request, socket: WebSocket):
        while True:
            await socket.send("x")

    async def serve():
        has_left = asyncio.Event()

        async def receive():
            if not sent:
                return {"type": "websocket.connect"}
            await has_left.wait()
            return {"type": "websocket.disconnect", "code": 1006}

        async def send(message):
            sent.append(message["type"])
            assert len(sent) < 2_000_000, "sent on and on, though the client has left"

        asyncio.get_running_loop().call_later(0.1, has_left.set)
        scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")], "query_string": b""}
        await app(scope, receive, send)

    asyncio.run(serve())
    assert sent[1] == "websocket.send"


def test_async_client():
    app = echoing(App())

    async def talk():
        async with AsyncClient(app).websocket("/") as socket:
            await socket.send("a")
            await socket.send({"x": 1})
            assert await socket.receive() == "a"
            assert await socket.receive_as(Move) == Move(1)

    asyncio.run(talk())


def test_client_that_is_not_heard_and_leaves(app, seen):
    """What it has said is there, in order; that it has left is noticed behind that."""

    @app.websocket("/")
    async def push(request: Request, socket: WebSocket):
        await socket.accept()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.extend([message async for message in socket])
            raise

    with opened(app) as socket:
        for number in range(5):
            socket.send(str(number))
    assert seen == ["0", "1", "2", "3", "4"]


def test_nothing_waits_for_the_garbage_collector():
    app, known = App(), []

    @app.websocket("/<how>")
    async def talk(request: Request, socket: WebSocket, how: str):
        known.append(ref(request))
        if how == "refused":
            abort(403)
        await socket.send("hello")
        if how == "left":
            await asyncio.Event().wait()
        async for message in socket:
            await socket.send(message)

    async def serve(how: str) -> None:
        messages = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "a"}])

        async def receive():
            return next(messages, {"type": "websocket.disconnect", "code": 1000})

        async def send(message):
            pass

        scope = {"type": "websocket", "path": f"/{how}", "headers": [(b"host", b"localhost")], "query_string": b""}
        await app(scope, receive, send)

    async def serve_all() -> None:
        gc.disable()
        try:
            for how in ("refused", "heard", "left"):
                await asyncio.create_task(serve(how))
                await asyncio.sleep(0)
                assert known[-1]() is None
        finally:
            gc.enable()

    asyncio.run(serve_all())
