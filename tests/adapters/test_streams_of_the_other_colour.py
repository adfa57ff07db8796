"""Bodies of the other colour: a blocking generator that a loop sends, and an async one that a thread sends."""

import asyncio
from contextvars import ContextVar, copy_context

from antiphon import App, Response
from antiphon.adapters.streaming import write_chunks
from antiphon.http.head import RequestHead
from antiphon.request.request import Request
from tests.adapters.conftest import environ

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
    def test_that_the_generator_sets_are_seen_by_the_sender_of_that_chunk(self):
        def generator():
            for number in range(20):
                ours.set(number)
                yield b"%d\n" % number
            ours.set("end")

        async def send(chunk):
            seen.append((chunk, ours.get()))

        seen = []
        write(generator(), send)
        assert seen == [(b"%d\n" % number, number) for number in range(20)]

    def test_that_the_generator_seldom_sets_are_seen_from_that_chunk_on(self):
        def generator():
            for number in range(20):
                if number == 10:
                    ours.set("set")
                yield b"%d\n" % number

        async def send(chunk):
            seen.extend((line, ours.get()) for line in chunk.splitlines())

        seen = []
        write(generator(), send)
        assert seen == [(b"%d" % number, "unset" if number < 10 else "set") for number in range(20)]

    def test_that_are_reset_by_the_token_are_reset_for_the_sender(self):
        def generator():
            yield b"a"
            token = ours.set("set")
            yield b"b"
            ours.reset(token)
            yield b"c"

        async def send(chunk):
            seen.append((chunk, ours.get()))

        seen = []
        write(generator(), send)
        assert seen == [(b"a", "unset"), (b"b", "set"), (b"c", "unset")]

    def test_that_the_sender_sets_are_seen_when_the_next_chunk_is_made(self):
        def generator():
            for _ in range(20):
                yield theirs.get().encode()

        async def send(chunk):
            sent.append(chunk)
            theirs.set(f"after {len(sent)}")

        sent = []
        write(generator(), send)
        assert sent == [b"unset", *[f"after {number}".encode() for number in range(1, 20)]]

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
