"""Events that are written to a client by an event loop, with heartbeats: by one task, one message after another."""

import asyncio

import pytest

from antiphon import Response
from antiphon.adapters.streaming import write_chunks
from antiphon.app.dispatch.open_resources import StreamEnd
from antiphon.http.head import RequestHead
from antiphon.request.request import Request
from antiphon.response import events
from tests.helpers.draining import draining_for
from tests.helpers.rows import rows

SOON = 0.01
BEAT = b": \n\n"

draining = draining_for(events)


class Server:
    """A server that takes messages, each once it is ``open``, and fails at those that are named."""

    def __init__(self, *, fails_at=None, error=None):
        self.taken = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.busy = 0
        self.fails_at = fails_at
        self.error = error

    async def begin(self):
        return self.send

    async def send(self, message):
        assert not self.busy, "two messages at once"
        if message["body"] == self.fails_at:
            raise self.error
        self.busy = 1
        self.asked.set()
        try:
            await self.open.wait()
            self.taken.append(message["body"])
        finally:
            self.busy = 0

    async def write(self, body):
        others = asyncio.all_tasks()
        is_whole = await write_chunks(Request(RequestHead()), body, self.begin)
        assert asyncio.all_tasks() <= others
        return is_whole


def beating(source, **options):
    return Response.events(source, **{"heartbeat": SOON, **options}).body


def run(main):
    async def in_time():
        async with asyncio.timeout(20):
            return await main()

    return asyncio.run(in_time())


@rows("around", [lambda body: body, StreamEnd().watching], ids=["events", "noted"])
def test_a_source_runs_in_the_task_that_writes(around):
    tasks = []

    async def source():
        try:
            tasks.append(asyncio.all_tasks())
            yield "a"
            await asyncio.sleep(0)
            tasks.append(asyncio.all_tasks())
        finally:
            await asyncio.sleep(0)
            tasks.append(asyncio.all_tasks())

    async def main():
        server = Server()
        assert await server.write(around(beating(source(), heartbeat=60)))
        return tasks == [{asyncio.current_task()}] * 3, server.taken

    assert asyncio.run(main()) == (True, [b"data: a\n\n"])


@rows(
    "around",
    [lambda body: body, StreamEnd().watching, lambda body: (chunk async for chunk in body)],
    ids=["events", "noted", "a generator of its own"],
)
def test_beats_while_the_source_is_silent_and_no_longer(around):
    async def main():
        server = Server()

        async def source():
            while server.taken.count(BEAT) < 2:
                await asyncio.sleep(SOON / 2)
            yield "a"
            while server.taken.count(BEAT) < 4:
                await asyncio.sleep(SOON / 2)
            yield "b"

        assert await server.write(around(beating(source())))
        return server.taken

    taken = run(main)
    assert taken[:2] == [BEAT, BEAT]
    assert [chunk for chunk in taken if chunk != BEAT] == [b"data: a\n\n", b"data: b\n\n"]


def test_an_event_waits_for_the_heartbeat_that_a_slow_client_has_not_taken():
    async def main():
        server, given = Server(), []
        server.open.clear()

        async def source():
            await server.asked.wait()
            given.append("a")
            yield "a"
            given.append("b")
            yield "b"

        writing = asyncio.create_task(server.write(beating(source())))
        await server.asked.wait()
        await asyncio.sleep(5 * SOON)
        held = [*given]
        server.open.set()
        await writing
        return held, server.taken[0], [chunk for chunk in server.taken if chunk != BEAT]

    assert run(main) == (["a"], BEAT, [b"data: a\n\n", b"data: b\n\n"])


def test_a_timeout_of_the_source_is_its_own_while_a_heartbeat_is_stuck():
    async def main():
        server = Server()
        server.open.clear()

        async def source():
            await server.asked.wait()
            try:
                async with asyncio.timeout(SOON):
                    await asyncio.Event().wait()
            except TimeoutError:
                server.open.set()
                yield "timeout"

        assert await server.write(beating(source()))
        return server.taken

    assert run(main) == [BEAT, b"data: timeout\n\n"]


def test_a_client_that_a_heartbeat_finds_gone_ends_the_source():
    ended = []

    async def source():
        try:
            await asyncio.Event().wait()
            yield "never"
        finally:
            await asyncio.sleep(0)
            ended.append("closed")

    assert run(lambda: Server(fails_at=BEAT, error=ConnectionResetError()).write(beating(source()))) is False
    assert ended == ["closed"]


def test_a_server_that_fails_at_a_heartbeat_fails_at_the_next_event(caplog):
    error = ValueError("a bug of the server")

    async def main():
        server = Server(fails_at=BEAT, error=error)

        async def source():
            await asyncio.sleep(5 * SOON)
            yield "a"

        with pytest.raises(ValueError, match="a bug") as caught:
            await server.write(beating(source()))
        return caught.value, server.taken

    assert run(main) == (error, [])
    assert "a bug of the server" in caplog.text


class TestAProcessThatDrains:
    def test_ends_a_source_that_holds_on_to_its_wait(self, draining):
        async def source():
            yield "first"
            asyncio.get_running_loop().call_later(SOON, draining.give)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                yield "last words"
            yield "never"

        async def main():
            server = Server()
            is_whole = await server.write(beating(source(), heartbeat=60))
            return is_whole, server.taken, asyncio.current_task().cancelling()

        assert run(main) == (True, [b"data: first\n\n", b"data: last words\n\n"], 0)

    def test_does_not_keep_a_cancellation_of_others_from_its_task(self, draining):
        ended = []

        async def source():
            try:
                yield "first"
                asyncio.get_running_loop().call_soon(writing.cancel)
                draining.give()
                await asyncio.sleep(60)
            finally:
                ended.append("closed")

        async def main():
            nonlocal writing
            server = Server()
            writing = asyncio.create_task(server.write(beating(source(), heartbeat=60)))
            with pytest.raises(asyncio.CancelledError):
                await writing

        writing = None
        run(main)
        assert ended == ["closed"]

    def test_leaves_what_is_being_sent_its_time(self, draining):
        async def main():
            server = Server()
            server.open.clear()

            async def source():
                yield "first"
                yield "never"

            writing = asyncio.create_task(server.write(beating(source())))
            await server.asked.wait()
            draining.give()
            await asyncio.sleep(0)
            server.open.set()
            return await writing, server.taken

        assert run(main) == (True, [b"data: first\n\n"])
