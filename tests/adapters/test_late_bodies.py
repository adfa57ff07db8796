"""Small bodies for which an application has to wait, as under most servers for loops."""

import asyncio
import json

import pytest

from antiphon import App, Limits
from antiphon.http.errors import ClientDisconnected
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")

SOON = 0.02


@pytest.fixture(params=["asgi", "rsgi"])
def interface(request):
    return request.param


@pytest.fixture(params=["async def", "def"])
def style(request):
    return request.param


class Exchange:
    """A POST whose body comes in chunks, one after another, and then ends, unless it ``stalls``."""

    def __init__(self, interface, servers, app, chunks, length=6, *, stalls=False, seconds=0.0):
        fields = [("host", "localhost"), ("accept", "application/json"), ("content-length", str(length))]
        base = servers.ASGIServer if interface == "asgi" else servers.RSGIServer

        class Server(base):
            async def receive(self):
                await asyncio.sleep(seconds)
                return await super().receive()

            async def __anext__(self):
                await asyncio.sleep(seconds)
                if stalls and not self._chunks:
                    self.received += 1
                    await self._left.wait()
                    raise OSError("the client has left")
                return await super().__anext__()

        if interface == "asgi":
            messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
            self.server = Server([*messages, *([] if stalls else [{"type": "http.request"}])])
            raw = [(name.encode(), value.encode()) for name, value in fields]
            self.steps = app(servers.scope("POST", "/", raw), self.server.receive, self.server.send)
        else:
            self.server = Server(chunks)
            self.steps = app.__rsgi__(servers.rsgi_scope("POST", "/", fields), self.server)

    async def asked(self, times):
        while self.server.received < times:
            await asyncio.sleep(0)

    async def answered(self):
        await asyncio.wait_for(self.steps, 10)
        return self.server.answer


def echoing(style, **options):
    app = App(**options)

    def echo(request):
        return request.body

    app.post("/")(in_style(style, echo))
    return app


@rows(
    "chunks, length, status",
    ([b"abcdef"], 6, 200),
    ([b"abc", b"def"], 6, 200),
    ([b"abc", b"", b"def"], 6, 200),
    ([b"a"] * 6, 6, 200),
    ([], 0, 200),
    ([b"abc"], 6, 400),
    ([], 6, 400),
    ([b"abcdefg"], 6, 400),
    ([b"abc", b"defg"], 6, 400),
    ids=[
        "whole",
        "in two",
        "with an empty one",
        "in bytes",
        "none",
        "cut off",
        "nothing",
        "too long",
        "too long later",
    ],
)
def test_are_what_they_are_declared_to_be(interface, servers, style, chunks, length, status):
    answer = asyncio.run(Exchange(interface, servers, echoing(style), chunks, length).answered())
    assert answer.status == status
    assert answer.body == b"".join(chunks) or status == 400


@rows("chunks", [[], [b"abc"]], ids=["at all", "as a whole"])
@rows("limit", ["timeout", "rate"])
def test_that_never_come_are_a_408(interface, servers, style, limit, chunks, monkeypatch):
    monkeypatch.setattr("antiphon.body.receiver.GRACE", SOON)
    app = echoing(style, limits=Limits(timeout=SOON, rate=0) if limit == "timeout" else Limits(rate=1000))
    exchange = Exchange(interface, servers, app, chunks, stalls=True)
    answer = asyncio.run(exchange.answered())
    assert (answer.status, json.loads(answer.body)["limit"]) == (408, limit)
    assert exchange.server.received <= len(chunks) + 1  # on a busy machine, the time is over before


def test_that_drip_are_a_408_however_soon_the_next_byte_comes(interface, servers, style, monkeypatch):
    monkeypatch.setattr("antiphon.body.receiver.GRACE", SOON)
    exchange = Exchange(
        interface, servers, echoing(style, limits=Limits(rate=10_000)), [b"a"] * 1000, 1000, seconds=0.002
    )
    answer = asyncio.run(exchange.answered())
    assert (answer.status, json.loads(answer.body)["limit"]) == (408, "rate")
    assert exchange.server.received < 100


@pytest.mark.parametrize("chunks", [[], [b"abc"]], ids=["at all", "as a whole"])
def test_are_not_waited_for_when_the_client_has_left(interface, servers, style, chunks, seen):
    async def main():
        app = echoing(style)
        app.errorhandler(ClientDisconnected)(lambda request, error: seen.append(error) or "gone")
        exchange = Exchange(interface, servers, app, chunks, stalls=True)
        task = asyncio.create_task(exchange.answered())
        await exchange.asked(len(chunks) + 1)
        exchange.server.leave()
        await task

    asyncio.run(main())
    assert len(seen) == 1


@rows("chunks", [[], [b"abc"]], ids=["at all", "as a whole"])
@rows("way", ["by the server", "by a timeout around it"])
def test_are_not_waited_for_when_the_request_is_cancelled(interface, servers, style, way, chunks):
    async def main():
        exchange = Exchange(interface, servers, echoing(style), chunks, stalls=True)
        limit = asyncio.timeout(None)

        async def answered():
            try:
                async with limit:
                    await exchange.steps
            except TimeoutError:
                return "timeout", asyncio.current_task().cancelling()

        task = asyncio.create_task(answered())
        await exchange.asked(len(chunks) + 1)
        if way == "by the server":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return "cancelled", task.cancelling()
        limit.reschedule(asyncio.get_running_loop().time())
        return await task

    assert asyncio.run(main()) == (("cancelled", 1) if way == "by the server" else ("timeout", 0))


def test_are_within_the_deadline_of_their_route(interface, servers):
    app = App(deadline=SOON)

    @app.post("/")
    async def wait(request):
        await asyncio.sleep(5)

    exchange = Exchange(interface, servers, app, [b"abc", b"def"], seconds=SOON)
    assert asyncio.run(exchange.answered()).status == 504


def test_that_take_all_of_the_deadline_are_answered_by_who_needs_not_wait(interface, servers, style):
    exchange = Exchange(interface, servers, echoing(style, deadline=SOON), [b"abc", b"def"], seconds=SOON)
    assert asyncio.run(exchange.answered()).body == b"abcdef"
