"""Bodies of the other colour: a blocking generator that a loop sends, and an async one that a thread sends."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from threading import Event

import pytest

from antiphon import App, Response
from antiphon.adapters.streaming import write_chunks
from antiphon.concurrency.workers import workers
from antiphon.http.head import RequestHead
from antiphon.request.request import Request
from antiphon.testing import Client
from tests.adapters.conftest import environ, scope
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

ours = ContextVar("ours", default="unset")
theirs = ContextVar("theirs", default="unset")


class Head(RequestHead):
    """A head whose client stays."""

    async def wait_disconnect(self):
        await asyncio.Event().wait()


def write(body, send):
    """Write a body, and tell ``send`` each chunk of it, even if the chunks go out together."""

    async def send_message(message):
        await send(message["body"])

    async def begin():
        return send_message

    return asyncio.run(asyncio.wait_for(write_chunks(Request(Head()), body, begin), 10))


class TestContextVariables:
    def test_that_the_generator_sets_are_seen_by_the_sender_of_that_chunk(self, seen):
        def generator():
            for number in range(20):
                ours.set(number)
                yield b"%d\n" % number
            ours.set("end")

        async def send(chunk):
            seen.append((chunk, ours.get()))

        write(generator(), send)
        assert seen == [(b"%d\n" % number, number) for number in range(20)]

    def test_that_the_generator_seldom_sets_are_seen_from_that_chunk_on(self, seen):
        def generator():
            for number in range(20):
                if number == 10:
                    ours.set("set")
                yield b"%d\n" % number

        async def send(chunk):
            seen.extend((line, ours.get()) for line in chunk.splitlines())

        write(generator(), send)
        assert seen == [(b"%d" % number, "unset" if number < 10 else "set") for number in range(20)]

    def test_that_are_reset_by_the_token_are_reset_for_the_sender(self, seen):
        def generator():
            yield b"a"
            token = ours.set("set")
            yield b"b"
            ours.reset(token)
            yield b"c"

        async def send(chunk):
            seen.append((chunk, ours.get()))

        write(generator(), send)
        assert seen == [(b"a", "unset"), (b"b", "set"), (b"c", "unset")]

    def test_belong_to_the_generator_alone_over_wsgi(self):
        async def generator():
            for number in range(20):
                ours.set(number)
                yield theirs.get()

        def serve():
            app = App()
            app.get("/")(lambda request: Response.stream(generator()))
            for chunk in app(environ(), lambda *_: None):
                seen.add(ours.get())
                theirs.set("the server's")
                sent.append(chunk)

        seen, sent = set(), []
        copy_context().run(serve)
        assert (seen, b"".join(sent)) == ({"unset"}, b"unset" * 20)


LINE = b"line\n"
MANY = 200
"""More streams than there are threads for them."""


def streaming(generator):
    """An application that streams at /stream, and has another page, by functions on threads."""
    app = App()
    app.get("/stream")(lambda request: Response.stream(generator()))
    app.get("/")(lambda request: "hello")
    return app


async def get(app, path, send):
    """Send one request over ASGI, and give each chunk of the response to ``send``."""

    async def receive():
        await asyncio.Event().wait()

    async def take(message):
        if chunk := message.get("body"):
            await send(chunk)

    await app(scope(path=path), receive, take)


async def respond(app, path):
    chunks = []

    async def take(chunk):
        chunks.append(chunk)

    await get(app, path, take)
    return b"".join(chunks)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, DEADLINE))


class TestManyStreamsOnALoop:
    def test_whose_clients_read_nothing_hold_no_threads(self):
        def generator():
            while True:
                yield LINE

        async def main():
            async def take(_):
                taken.append(None)
                await asyncio.Event().wait()

            app = streaming(generator)
            streams = [asyncio.create_task(get(app, "/stream", take)) for _ in range(MANY)]
            while len(taken) < MANY:
                await asyncio.sleep(0.01)
            hello = await respond(app, "/")
            for stream in streams:
                stream.cancel()
            await asyncio.wait(streams)
            return hello

        taken = []
        assert run(main()) == b"hello"

    def test_whose_generators_wait_take_all_threads_and_end(self):
        def generator():
            yield LINE
            yield LINE
            assert may_go.wait(DEADLINE)
            yield from [LINE] * 1000

        async def main():
            app = streaming(generator)
            streams = [asyncio.create_task(respond(app, "/stream")) for _ in range(MANY)]
            while sum(workers.load()) < MANY:  # on a thread, or waiting for one
                await asyncio.sleep(0.01)
            may_go.set()
            return await asyncio.gather(*streams)

        may_go = Event()
        assert set(run(main())) == {LINE * 1002}

    def test_of_five_hundred_each_gets_its_own_lines(self):
        def generator():
            own = next(numbers)
            for line in range(30):
                yield f"{own} {line}\n"

        async def main():
            app = streaming(generator)
            return await asyncio.gather(*[respond(app, "/stream") for _ in range(500)])

        numbers = iter(range(500))
        bodies = run(main())
        owners = [body.split(b" ", 1)[0] for body in bodies]
        assert sorted(map(int, owners)) == list(range(500))
        assert bodies == [b"".join(b"%s %d\n" % (own, line) for line in range(30)) for own in owners]


def test_many_streams_on_threads_each_get_their_own_lines():
    async def generator():
        own = next(numbers)
        for line in range(30):
            if line % 10 == 5:
                await asyncio.sleep(0)
            yield f"{own} {line}\n"

    def read(_):
        chunks = app(environ(path="/stream"), lambda *_: None)
        try:
            return b"".join(chunks)
        finally:
            chunks.close()

    numbers, app = iter(range(300)), streaming(generator)
    with ThreadPoolExecutor(50) as pool:
        bodies = list(pool.map(read, range(300)))
    owners = [body.split(b" ", 1)[0] for body in bodies]
    assert sorted(map(int, owners)) == list(range(300))
    assert bodies == [b"".join(b"%s %d\n" % (own, line) for line in range(30)) for own in owners]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("at", [0, 1, 2, 500])
def test_a_stream_that_fails_sends_all_before_that_and_is_logged_once(interface, at, caplog):
    caplog.clear()
    error = LookupError("boom")

    def lines():
        for number in range(1000):
            if number == at:
                raise error
            yield b"%d\n" % number

    async def async_lines():
        for line in lines():
            yield line

    client = Client(streaming(async_lines if interface == "wsgi" else lines), interface)
    received = []
    with pytest.raises(LookupError) as raised, client.stream("GET", "/stream") as response:
        received.extend(response)
    assert raised.value is error
    assert b"".join(received) == b"".join(b"%d\n" % number for number in range(at))
    assert len(caplog.records) == 1


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("most", [1, 2, 50])
def test_a_stream_whose_client_leaves_is_cleaned_up_once_where_it_runs(interface, most):
    def lines():
        yield from clean(LINE)

    async def async_lines():
        for line in clean(LINE):
            yield line

    def clean(line):
        begun_on = threading.get_ident()
        try:
            while True:
                yield line
        finally:
            closed.append(threading.get_ident() == begun_on)

    closed = []
    with Client(streaming(async_lines if interface == "wsgi" else lines), interface) as client:
        with client.stream("GET", "/stream") as response:
            for _ in range(most):
                next(response)
        gc.collect()
        assert eventually(lambda: closed or None, "it goes on") == [True]


@rows("error", [StopAsyncIteration, StopIteration, RuntimeError])
@rows("at", [0, 1, 1000])
def test_no_error_of_a_blocking_generator_looks_like_its_end(error, at):
    def generator():
        for number in range(at):
            yield b"%d\n" % number
        raise error("it has failed")

    async def send(chunk):
        pass

    with pytest.raises(RuntimeError):
        write(generator(), send)
