"""Handlers that stream: sync and async iterators, from both kinds of handlers, and where they were closed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

from antiphon import App, Request, Response
from tests.contract.application.registration import def_and_async

CHUNKS: tuple[bytes | str, ...] = (b"one\n", "zwölf\n", b"", b"three\n")
LARGE_CHUNK = bytes(range(256)) * 64
LARGE_COUNT = 64
LINES = [b"%d\n" % number for number in range(5000)]
"""Chunks that take less time than to get from a thread to a loop."""
PAUSE = 0.05
"""Seconds between two chunks of a stream without end."""
LONGER_PAUSE = 30.0
"""The pause of an async one: longer than it takes, on a busy machine, until the clients of streams are watched."""

closed: dict[str, str] = {}
"""The position of each endless stream when it was closed, by the name that its request gave it."""


def register(app: App) -> None:
    _register_whole(app)
    _register_broken(app)
    _register_endless(app)


async def slowly(chunks: Iterator[bytes | str]) -> AsyncIterator[bytes | str]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def quickly(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def streams(app: App, name: str, chunks: Callable[[], Iterator[bytes | str]]) -> None:
    """Register an iterator at ``/stream/sync/{name}``, and as an async one at ``/stream/async/{name}``."""

    @def_and_async(app, f"/stream/sync/{name}")
    def by_iterator(_: Request) -> Iterator[bytes | str]:
        return chunks()

    @def_and_async(app, f"/stream/async/{name}")
    def by_async_iterator(_: Request) -> AsyncIterator[bytes | str]:
        return slowly(chunks())


def _register_whole(app: App) -> None:
    streams(app, "few", lambda: iter(CHUNKS))
    streams(app, "none", lambda: iter(()))
    streams(app, "large", lambda: iter([LARGE_CHUNK] * LARGE_COUNT))

    @def_and_async(app, "/stream/sync/lines")
    def lines(_: Request) -> Iterator[bytes]:
        return iter(LINES)

    @def_and_async(app, "/stream/async/lines")
    def async_lines(_: Request) -> AsyncIterator[bytes]:
        return quickly(iter(LINES))

    @def_and_async(app, "/stream/sized")
    def sized(_: Request) -> Response:
        return Response.stream(iter((b"12345", b"67890")), headers={"content-length": "10"})


def _register_broken(app: App) -> None:
    def fails_midway() -> Iterator[bytes]:
        yield b"the first half\n"
        raise RuntimeError("the second half is missing")

    def fails_at_once() -> Iterator[bytes]:
        raise RuntimeError("there is not even a first half")
        yield b""

    streams(app, "fails-midway", fails_midway)
    streams(app, "fails-at-once", fails_at_once)


def _register_endless(app: App) -> None:
    def endless(name: str) -> Iterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                time.sleep(PAUSE)
        finally:
            closed[name] = "at a chunk"

    async def endless_async(name: str) -> AsyncIterator[bytes]:
        where = "before it began"
        try:
            while True:
                where = "at a chunk"
                yield b"tick\n"
                where = "while it waits"
                await asyncio.sleep(LONGER_PAUSE)
        finally:
            closed[name] = where

    def quick(name: str) -> Iterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                time.sleep(0)  # Waitress has another thread that has to find that the client has left
        finally:
            closed[name] = "at a chunk"

    async def quick_async(name: str) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick\n"
        finally:
            closed[name] = "at a chunk"

    @def_and_async(app, "/stream/sync/quick")
    def by_quick_iterator(request: Request) -> Iterator[bytes]:
        return quick(request.args["name"])

    @def_and_async(app, "/stream/async/quick")
    def by_quick_async_iterator(request: Request) -> AsyncIterator[bytes]:
        return quick_async(request.args["name"])

    @def_and_async(app, "/stream/sync/endless")
    def by_iterator(request: Request) -> Iterator[bytes]:
        return endless(request.args["name"])

    @def_and_async(app, "/stream/async/endless")
    def by_async_iterator(request: Request) -> AsyncIterator[bytes]:
        return endless_async(request.args["name"])

    @def_and_async(app, "/stream/closed/<name>")
    def where_closed(request: Request) -> dict[str, str | None]:
        return {"closed": closed.get(request.path_params["name"])}
