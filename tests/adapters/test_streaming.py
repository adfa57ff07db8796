"""Writing chunk by chunk, with what servers do that the plays of the other tests don't."""

import asyncio
import threading
import time
from contextvars import ContextVar
from itertools import repeat

import pytest

from antiphon import App, Response
from antiphon.adapters.streaming import cut_off, write_chunks
from antiphon.concurrency.loop import TIME_SLICE
from antiphon.http.head import RequestHead
from antiphon.request.request import Request
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

variable = ContextVar("variable", default="unset")


class Client:
    """The other end: it leaves when it is told to, and takes chunks with or without a wait."""

    def __init__(self, *, waits):
        self.left = asyncio.Event()
        self.waits = waits
        self.taken = []
        self.leaves_after = None

    async def begin(self):
        return self.take

    async def take(self, message):
        self.taken.append(message["body"])
        if len(self.taken) == self.leaves_after:
            self.left.set()
        assert len(self.taken) < 2_000_000, "written on and on, though nobody is there"
        if self.waits:
            await asyncio.sleep(0)

    async def gone(self):
        await self.left.wait()


@pytest.fixture(params=[SyncValues, AsyncValues])
def body(request):
    return request.param(repeat(b"tick"))


@pytest.fixture(params=[True, False], ids=["the server waits", "the server never waits"])
def waits(request):
    """Whether the server's write gives others a turn, as it need not."""
    return request.param


class TellingHead(RequestHead):
    """A head whose server tells of the disconnect by a coroutine function."""

    def __init__(self, wait_disconnect):
        super().__init__()
        self.wait_disconnect = wait_disconnect


def watched_by(wait_disconnect):
    return Request(TellingHead(wait_disconnect))


def write(body, client):
    return write_chunks(watched_by(client.gone), body, client.begin)


class TestAnEndlessBody:
    def test_ends_when_the_client_leaves(self, body, waits):
        async def main():
            client = Client(waits=waits)
            client.leaves_after = 3
            there_to_the_end = await asyncio.wait_for(write(body, client), 10)
            await asyncio.sleep(0)
            return there_to_the_end, asyncio.current_task().cancelling()

        assert asyncio.run(main()) == (False, 0)
        assert body.closed == 1

    @pytest.mark.parametrize("leaves_too", [False, True])
    def test_ends_when_the_server_cancels(self, body, waits, leaves_too):
        async def main():
            client = Client(waits=waits)
            task = asyncio.create_task(write(body, client))
            while len(client.taken) < 3:
                await asyncio.sleep(0)
            if leaves_too:
                client.left.set()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(asyncio.wait_for(main(), 10))
        assert body.closed == 1


class Busy:
    """An async source that waits for nothing. It ends only where nobody else ever has a turn."""

    def __init__(self, chunk):
        self.chunk = chunk
        self.told = []

    async def chunks(self):
        variable.set("the source's")
        try:
            for _ in range(5_000_000):
                yield self.chunk
            self.told.append("went on to the end")
        finally:
            self.told.append(f"closed where the variable is {variable.get()}")


CLOSED = ["closed where the variable is the source's"]


class TestASourceThatWaitsForNothing:
    """Nor do the writes."""

    @rows(
        "chunk, response",
        (b"tick", Response),
        (b"", Response),
        ("", Response),
        ({"tick": 1}, Response.ndjson),
        ("tick", lambda source: Response.events(source, heartbeat=None)),
        ids=["chunks", "empty chunks", "empty text", "values", "events"],
    )
    def test_leaves_others_their_turns_and_is_closed_when_the_client_leaves(self, servers, chunk, response):
        source = Busy(chunk)
        app = App()
        app.get("/")(lambda request: response(source.chunks()))
        sent = []

        async def others(left):
            for _ in range(3):
                await asyncio.sleep(0)
            left.set()

        async def main():
            left = asyncio.Event()
            other = None

            async def receive():
                await left.wait()
                return {"type": "http.disconnect"}

            async def send(message):
                nonlocal other
                other = other or asyncio.create_task(others(left))
                sent.append(message["type"])

            await app(servers.scope(headers=[(b"host", b"localhost")]), receive, send)
            return other.done()

        assert asyncio.run(main())
        assert source.told == CLOSED
        assert sent[0] == "http.response.start"

    async def being_written(self, source):
        """A task that writes its chunks for a client that takes them all, and has begun to."""

        async def take(message):
            pass

        async def begin():
            return take

        writing = write_chunks(watched_by(Client(waits=False).gone), source.chunks(), begin)
        task = asyncio.create_task(writing)
        await asyncio.sleep(0)
        return task

    def test_of_many_each_writes_little_more_when_its_client_has_left(self, servers, app):
        made = [0] * 20

        async def chunks(at):
            while True:
                made[at] += 1
                time.sleep(0.001)  # blocks, so that the count does not depend on the machine
                yield b"tick"

        app.get("/<int:at>")(lambda request, at: Response(chunks(at)))

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            pass

        async def main():
            scopes = [servers.scope(path=f"/{at}", headers=[(b"host", b"localhost")]) for at in range(len(made))]
            await asyncio.gather(*[app(scope, receive, send) for scope in scopes])

        asyncio.run(main())
        assert sorted(made)[len(made) // 2] < 20, made
        assert max(made) < 60, made  # what begins before the others has a whole time slice

    def test_ends_when_the_server_cancels(self):
        source = Busy(b"tick")

        async def main():
            task = await self.being_written(source)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert source.told == CLOSED

    def test_is_cut_off_at_the_end_of_the_process(self):
        source = Busy(b"tick")

        async def main():
            writing = await self.being_written(source)
            await asyncio.to_thread(cut_off, 20)
            return await writing

        assert asyncio.run(main()) is False
        assert source.told == CLOSED


class TestASourceThatWaits:
    def test_is_asked_for_its_next_chunk_in_the_pass_in_which_it_gave_one(self):
        passes, asked_in = 0, []

        async def chunks():
            for _ in range(3):
                asked_in.append(passes)
                await asyncio.sleep(2 * TIME_SLICE)
                asked_in.append(passes)
                yield b"tick"

        async def main():
            nonlocal passes
            client = Client(waits=False)
            writing = asyncio.create_task(write_chunks(watched_by(client.gone), chunks(), client.begin))
            while not writing.done():
                passes += 1
                await asyncio.sleep(0)

        asyncio.run(main())
        given_in, asked_again_in = asked_in[1:-1:2], asked_in[2::2]
        assert asked_again_in == given_in


class TestChunksThatAreReady:
    """Each message to a server may cost a switch of threads."""

    WAIT, FAIL, WORK = "waits", "fails", "works for longer than a time slice"

    @rows(
        "source, fields, sent",
        ([b"a", b"b", b"c"], (), [b"a", b"bc"]),
        ([b"a", WAIT, b"b", WAIT, b"c"], (), [b"a", b"b", b"c"]),
        ([b"a", b"b", b"c", WAIT, b"d", b"e", b"f", b"g", WAIT], (), [b"a", b"bc", b"d", b"e", b"fg"]),
        ([WORK, b"a", WORK, b"b", WORK, b"c"], (), [b"a", b"b", b"c"]),
        ([b"a", b"b", b"c", FAIL], (), [b"a", b"bc"]),
        ([b"a" * 40_000] * 5, (), [b"a" * 40_000, b"a" * 80_000, b"a" * 80_000]),
        ([b"a", b"b", b"c"], [("content-length", "3")], [b"a", b"b", b"c"]),
        ids=["all", "none", "some", "after work", "before an error", "up to a size", "not of a declared length"],
    )
    def test_after_the_first_are_sent_as_one(self, source, fields, sent, waits, caplog):
        async def chunks():
            for each in source:
                if each == self.WAIT:
                    await asyncio.sleep(0.001)
                elif each == self.FAIL:
                    raise ValueError("of the source")
                elif each == self.WORK:
                    time.sleep(1.1 * TIME_SLICE)
                else:
                    yield each

        async def main():
            client = Client(waits=waits)
            await asyncio.gather(
                write_chunks(watched_by(client.gone), chunks(), client.begin, fields=fields), return_exceptions=True
            )
            return client.taken

        assert asyncio.run(main()) == sent

    def test_are_sent_while_their_source_waits_and_times_out(self):
        async def chunks():
            yield b"a"
            yield b"b"
            yield b"c"
            try:
                async with asyncio.timeout(0.02):
                    await asyncio.Event().wait()
            except TimeoutError:
                yield b"timed out"

        async def main():
            taken, is_slow = [], asyncio.Event()

            async def take(message):
                taken.append(message["body"])
                if len(taken) == 2:
                    await asyncio.sleep(0.05)
                    is_slow.set()

            async def begin():
                return take

            return await write_chunks(watched_by(asyncio.Event().wait), chunks(), begin), taken, is_slow.is_set()

        assert asyncio.run(main()) == (True, [b"a", b"bc", b"timed out"], True)


class TestTheWatch:
    def test_reaches_a_body_that_waits_for_something_else(self, seen):
        async def chunks():
            try:
                yield b"a"
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                seen.append("cleaned up")

        async def main():
            client = Client(waits=True)
            client.leaves_after = 1
            return await asyncio.wait_for(write(chunks(), client), 10)

        assert asyncio.run(main()) is False
        assert seen == ["cleaned up"]

    def test_does_not_close_a_blocking_body_while_it_runs(self):
        running = threading.Lock()
        client = None

        class Body:
            def __iter__(self):
                return self

            def __next__(self):
                with running:
                    threading.Event().wait(0.02)
                return b"a"

            def close(self):
                assert not running.locked()

        async def main():
            nonlocal client
            client = Client(waits=True)
            task = asyncio.create_task(write(Body(), client))
            await asyncio.sleep(0.01)
            client.left.set()
            return await asyncio.wait_for(task, 10)

        assert asyncio.run(main()) is False


class TestAClientThatCannotBeWrittenTo:
    @rows("error", [ConnectionResetError("gone"), OSError("gone")], ids=repr)
    def test_has_left(self, error, caplog):
        closed = []

        def chunks():
            try:
                yield b"a"
                yield b"b"
            finally:
                closed.append(1)

        async def main():
            client = Client(waits=True)

            async def refuses(message):
                raise error

            async def begin():
                return refuses

            return await write_chunks(watched_by(client.gone), chunks(), begin)

        assert asyncio.run(main()) is False
        assert closed == [1]
        assert caplog.records == []

    def test_has_not_left_where_the_server_says_something_else(self, caplog):
        async def refuses(message):
            raise ValueError("too much data")

        async def main():
            async def begin():
                return refuses

            return await write_chunks(watched_by(Client(waits=True).gone), iter([b"a"]), begin)

        with pytest.raises(ValueError, match="too much data"):
            asyncio.run(main())
        assert "too much data" in caplog.text

    def test_has_left_before_the_response_began(self, caplog):
        body = SyncValues()

        async def main():
            client = Client(waits=True)

            async def begin():
                raise ConnectionResetError("gone")

            return await write_chunks(watched_by(client.gone), body, begin)

        assert asyncio.run(main()) is False
        assert (body.read, body.closed) == (0, 1)
        assert caplog.records == []


class TestABodyThatFailsToClose:
    @pytest.fixture(params=[SyncValues, AsyncValues])
    def failing(self, request):
        """Makes a body of two chunks, of either kind, that may fail before it fails to close."""

        class Failing(request.param):
            def __init__(self, error=None):
                super().__init__([b"a", b"b"], error)

            def close(self):
                super().close()
                raise LookupError("stuck")

            async def aclose(self):
                await super().aclose()
                raise LookupError("stuck")

        return Failing

    @rows("method, sent", [("GET", b"ab"), ("HEAD", b"")])
    @rows("interface", ["asgi", "rsgi"])
    def test_is_whole_and_logged_when_all_of_it_was_written(self, servers, failing, interface, method, sent, caplog):
        body = failing()
        app = App()
        app.get("/")(lambda request: Response(body))
        if interface == "asgi":
            answer = servers.asgi(app, servers.scope(method))
            assert answer.ended
        else:
            answer = servers.rsgi(app, servers.rsgi_scope(method))
        assert (answer.status, answer.body, answer.error) == (200, sent, None)
        assert body.closed == 1
        (record,) = caplog.records
        assert str(record.exc_info[1]) == "stuck"
        assert "request" in record.getMessage()

    def test_is_cut_when_it_has_failed_before(self, servers, failing, caplog, app):
        app.get("/")(lambda request: Response(failing(ValueError("midway"))))
        answer = servers.asgi(app)
        assert (answer.body, answer.ended) == (b"ab", False)
        assert str(answer.error) == "stuck"
        assert [str(record.exc_info[1]) for record in caplog.records] == ["midway"]


class TestCuttingOff:
    @rows("kind", [SyncValues, AsyncValues])
    def test_closes_what_is_being_written(self, kind):
        body = kind(repeat(b"tick"))

        async def main():
            client = Client(waits=True)
            writing = asyncio.create_task(write_chunks(watched_by(client.gone), body, client.begin))
            while not client.taken:
                await asyncio.sleep(0)
            await asyncio.to_thread(cut_off, 20)
            return body.closed, await writing

        assert asyncio.run(main()) == (1, False)

    def test_leaves_what_is_being_closed_its_time(self, seen):
        class Ended(AsyncValues):
            async def aclose(self):
                seen.append("closing")
                await asyncio.sleep(0.05)
                seen.append("closed")

        async def main():
            client = Client(waits=True)
            writing = asyncio.create_task(write_chunks(watched_by(client.gone), Ended([]), client.begin))
            while not seen:
                await asyncio.sleep(0)
            await asyncio.to_thread(cut_off, 20)
            return [*seen], await writing

        assert asyncio.run(main()) == (["closing", "closed"], True)

    def test_finds_nothing_of_bodies_that_could_not_be_closed(self, caplog):
        class Stuck(AsyncValues):
            async def aclose(self):
                raise LookupError("stuck")

        async def main():
            client = Client(waits=True)
            client.leaves_after = 3
            with pytest.raises(LookupError):
                await write_chunks(watched_by(client.gone), Stuck(repeat(b"tick")), client.begin)
            before = time.monotonic()
            await asyncio.to_thread(cut_off, 600)
            return time.monotonic() - before

        assert asyncio.run(main()) < 300
