"""Functions around work: each request with what follows it, each WebSocket, and work that a program runs by itself."""

import asyncio
import threading

import pytest

from antiphon import App
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually


class Noting:
    """An app with a ``def`` and an ``async def`` function around work. It notes what happens, and on which thread."""

    def __init__(self):
        self.app, self.noted, self.threads = App(), [], set()
        self.app.around_work(self.on_thread)
        self.app.around_work(self.in_task)

    def note(self, what):
        self.noted.append(what)
        if what in ("def", "/def", "handler", "chunk", "after"):
            self.threads.add(threading.get_ident())

    async def anote(self, what):
        await asyncio.sleep(0)
        self.noted.append(what)

    def on_thread(self):
        self.note("def")
        yield
        self.note("/def")

    async def in_task(self):
        self.noted.append("async")
        yield
        self.noted.append("/async")


def plain(noting, request):
    noting.note("handler")
    return "Hello"


async def aplain(noting, request):
    await noting.anote("ahandler")
    return "Hello"


def streams(noting, request):
    def chunks():
        noting.note("chunk")
        yield "Hello"

    noting.note("handler")
    return chunks()


async def astreams(noting, request):
    async def chunks():
        await noting.anote("achunk")
        yield "Hello"

    return chunks()


def defers(noting, request):
    request.after_response(noting.note, "after")
    request.after_response(noting.anote, "aafter")
    noting.note("handler")
    return "Hello"


async def adefers(noting, request):
    request.after_response(noting.note, "after")
    request.after_response(noting.anote, "aafter")
    return await aplain(noting, request)


def defers_lambda(noting, request):
    request.after_response(lambda: noting.anote("aafter"))
    return plain(noting, request)


def fails(noting, request):
    raise ValueError(noting)


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows(
    "handler, expected",
    (plain, "def handler /def"), (aplain, "async def ahandler /def /async"),
    (streams, "def handler chunk /def"), (astreams, "async def achunk /async /def"),
    (defers, "def handler /def def after /def async aafter /async"),
    (adefers, "async def ahandler /def /async def after /def async aafter /async"),
    (defers_lambda, "def handler /def def /def async aafter /async"), (fails, "def /def"),
)  # fmt: skip
def test_it_surrounds_a_request_and_what_follows_it(interface, handler, expected):
    noting = Noting()

    async def acall(request):
        return await handler(noting, request)

    noting.app.get("/")(acall if asyncio.iscoroutinefunction(handler) else lambda request: handler(noting, request))
    with Client(noting.app, interface, raise_errors=False) as client:
        client.get("/")
        eventually(lambda: len(noting.noted) >= len(expected.split()) or None, noting.noted)
    assert " ".join(noting.noted) == expected
    assert len(noting.threads) == 1


@rows("is_async", [False, True])
def test_it_surrounds_a_websocket(is_async):
    noting = Noting()
    if is_async:

        @noting.app.websocket("/")
        async def handler(request, socket):
            await noting.anote("ahandler")
            await socket.send("Hello")

    else:

        @noting.app.websocket("/")
        def handler(request, socket):
            noting.noted.append("handler")
            socket.send("Hello")

    with Client(noting.app) as client, client.websocket("/") as socket:
        assert socket.receive() == "Hello"
    ends = ["/async", "/def"] if is_async else ["/def", "/def", "/async"]
    eventually(lambda: len(noting.noted) >= 3 + len(ends) - is_async or None, noting.noted)
    place = noting.noted.index("ahandler" if is_async else "handler")
    assert set(noting.noted[:place]) == {"def", "async"}
    assert sorted(noting.noted[place + 1 :]) == sorted(ends)


@rows("kind", ["def", "async"])
@rows("receive", ["receive", "iterate", "values"])
def test_it_pauses_while_a_websocket_waits(kind, receive):
    noting = Noting()

    def handler(request, socket):
        assert socket.receive() == "1" if receive == "receive" else True
        for each in {"receive": (), "iterate": socket, "values": socket.values(int)}[receive]:
            noting.note(f"got {each}")
            socket.send("Hello")
        noting.note("over")

    async def ahandler(request, socket):
        assert await socket.receive() == "1" if receive == "receive" else True
        if receive != "receive":
            async for each in socket if receive == "iterate" else socket.values(int):
                noting.note(f"got {each}")
                await socket.send("Hello")
        noting.note("over")

    noting.app.websocket("/")(ahandler if kind == "async" else handler)
    with Client(noting.app) as client, client.websocket("/") as socket:
        eventually(lambda: noting.noted[-1:] == [f"/{kind}"] or None, noting.noted)
        socket.send("1")
        if receive != "receive":
            assert socket.receive() == "Hello"
            eventually(lambda: noting.noted[-3:] == [kind, "got 1", f"/{kind}"] or None, noting.noted)
    eventually(lambda: noting.noted.count("def") == noting.noted.count("/def") or None, noting.noted)
    assert noting.noted[noting.noted.index("over") - 1] == kind
    assert noting.noted.count("async") == noting.noted.count("/async")


@rows(
    "handler, expected",
    (streams, "def handler chunk /def"),
    (defers, "def handler /def def after /def async aafter /async"),
)
def test_it_surrounds_requests_to_a_mounted_app(handler, expected):
    noting, outer = Noting(), App()
    noting.app.get("/")(lambda request: handler(noting, request))
    outer.mount("/below", noting.app)
    with Client(outer) as client:
        client.get("/below/")
        eventually(lambda: len(noting.noted) >= len(expected.split()) or None, noting.noted)
    assert " ".join(noting.noted) == expected


def test_a_program_opens_it_itself():
    noting = Noting()
    with noting.app.work():
        noting.note("handler")

    async def task():
        async with noting.app.work():
            await noting.anote("ahandler")

    asyncio.run(task())
    assert noting.noted == ["def", "handler", "/def", "async", "ahandler", "/async"]


@rows("function", [lambda: None, print])
def test_it_is_a_generator_function(function):
    with pytest.raises(TypeError, match="write `yield` where the work is done"):
        App().around_work(function)
