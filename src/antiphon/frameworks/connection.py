"""A request's connection in other frameworks: heads made from plain values, and clients that may leave."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any
from weakref import ref

from antiphon.concurrency.iterables import aclose
from antiphon.concurrency.loop import wait_ended
from antiphon.http.head import Address, RequestHead
from antiphon.http.urls.url import unquote

LOOK = 0.5
"""The seconds between two checks."""


async def wait_left(has_left: Callable[[], bool]) -> None:
    """Wait until the client has left."""
    while not has_left():
        await asyncio.sleep(LOOK)


def by_cancellation() -> Callable[[], bool]:
    """Return a function that tells whether the current task was cancelled, as some frameworks do when the client has
    left.
    """
    task = ref(current) if (current := asyncio.current_task()) is not None else None

    def has_left() -> bool:
        watched = task() if task is not None else None
        return watched is not None and watched.cancelling() > 0

    return has_left


def check_not_cancelled() -> None:
    """Raise CancelledError if the current task was cancelled while a thread that works for it is running."""
    if by_cancellation()():
        raise asyncio.CancelledError


async def until_left(chunks: Any, has_left: Callable[[], bool]) -> AsyncGenerator[bytes]:
    """Iterate over a stream's chunks until it ends or the client has left, and always close the stream.

    A single task reads the stream, so a timeout or task group can stay open in it between chunks.
    """
    loop = asyncio.get_running_loop()
    arrival: asyncio.Future[Any] = loop.create_future()
    taken = asyncio.Event()

    async def read() -> None:
        async for chunk in chunks:
            arrival.set_result(chunk)
            await taken.wait()
            taken.clear()

    reading: asyncio.Task[Any] = loop.create_task(read())
    try:
        while True:
            while not (await asyncio.wait([reading, arrival], timeout=LOOK, return_when=asyncio.FIRST_COMPLETED))[0]:
                if has_left():
                    return
            if not arrival.done():
                reading.result()
                return
            if has_left():
                return
            chunk, arrival = arrival.result(), loop.create_future()
            yield chunk
            taken.set()
    finally:
        reading.cancel()
        await wait_ended(reading)
        del reading  # it refers to a raised error, whose frames refer to this one
        await aclose(chunks)


class ServedHead(RequestHead):
    """A head made from plain values, on an event loop. The framework has received the body or will receive it."""

    blocks = False
    __slots__ = ("_has_body", "has_left")
    _has_body: bool
    has_left: Callable[[], bool]

    @property
    def has_body(self) -> bool:
        """True if the framework declares a body."""
        return self._has_body

    async def wait_disconnect(self) -> None:
        """Wait until the client has left."""
        await wait_left(self.has_left)


def plain_head(
    method: str,
    target: str,
    fields: Iterable[tuple[str, str]],
    scheme: str,
    host: str,
    http_version: str,
    client: str | None,
    *,
    has_body: bool,
    has_left: Callable[[], bool],
) -> ServedHead:
    """Return the head of a request.

    ``target`` is the path and query as sent. ``has_left`` returns whether the client has disconnected.
    """
    path, _, query = target.partition("?")
    raw = path.encode("latin-1", "replace")
    head = ServedHead(
        method,
        unquote(raw) or "/",
        query.encode("latin-1", "replace"),
        scheme=scheme,
        authority=host,
        raw_path=raw,
        http_version=http_version,
        client=Address(client, None) if client else None,
    )
    head._fields = [(name.lower(), value) for name, value in fields]
    head._has_body, head.has_left = has_body, has_left
    return head
