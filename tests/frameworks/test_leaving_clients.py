"""Clients that leave in the middle of a stream, on sockets: the stream is closed, and what comes after it is called."""

import asyncio
import logging
import socket
import threading

import pytest

from antiphon import Response, view
from antiphon.frameworks.connection import until_left
from tests.frameworks import apps
from tests.frameworks.exchanges import listening
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE


class Ended:
    """The views of one stream, and the events that it sets."""

    def __init__(self):
        self.closed, self.after = threading.Event(), threading.Event()

    def views(self, interface=None):
        def silent(request):
            return self.answer(request, 3600)

        def talkative(request):
            return self.answer(request, 0.01)

        return {function.__name__: view(interface=interface)(function) for function in (silent, talkative)}

    def answer(self, request, pause):
        async def chunks():
            try:
                while True:
                    yield b"more"
                    await asyncio.sleep(pause)
            finally:
                self.closed.set()

        request.after_response(self.after.set)
        return Response.stream(chunks())


def test_one_task_reads_a_stream_to_its_end():
    tasks = []

    async def chunks():
        for number in range(3):
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0)
            yield b"%d" % number
        tasks.append(asyncio.current_task())

    async def read():
        return [chunk async for chunk in until_left(chunks(), lambda: False)]

    assert asyncio.run(read()) == [b"0", b"1", b"2"]
    assert len({*tasks}) == 1


@rows("before", [0, 2])
def test_a_stream_that_fails_is_closed_and_its_error_raised(before):
    closed = []

    async def chunks():
        try:
            for _ in range(before):
                yield b"more"
            raise OSError("a full disk")
        finally:
            closed.append(True)

    async def read():
        return [chunk async for chunk in until_left(chunks(), lambda: False)]

    with pytest.raises(OSError, match="a full disk"):
        asyncio.run(read())
    assert closed == [True]


@pytest.mark.parametrize("make", [
    apps.aiohttp, apps.tornado, apps.sanic, apps.starlette, apps.litestar, apps.quart, apps.falcon_asgi,
    apps.django_asgi,
])  # fmt: skip
def test_the_stream_is_closed(make, caplog):
    caplog.set_level(logging.CRITICAL)
    ended = Ended()

    @rows("name", ["silent", "talkative"])
    def is_closed(name):
        ended.closed.clear()
        ended.after.clear()
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            received = b""
            while b"more" not in received:
                received += client.recv(1000)
        assert ended.closed.wait(DEADLINE)
        assert ended.after.wait(DEADLINE)

    with listening(make, ended.views) as port:
        is_closed()
