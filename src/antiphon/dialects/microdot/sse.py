"""Server-sent events (WHATWG HTML §9.2), sent by a function that runs alongside the response."""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any, Self

from antiphon.dialects.microdot.request import Request
from antiphon.embedding import contained, encode_json
from antiphon.http import Event

Handler = Callable[..., Any]

MOST_QUEUED = 64 << 10
"""The maximum number of bytes of events that may wait for a client. A slow client delays the sending function."""


class SSE:
    """The object through which a function sends events."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        """The events to send, followed by None at the end."""
        self._queued = 0
        """The size of these events in bytes."""
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def send(
        self,
        data: Any,
        event: str | None = None,
        event_id: str | None = None,
        retry: float | None = None,
        comment: bool = False,
    ) -> None:
        """Send an event. Its data is text, UTF-8 bytes, a dict or list (sent as JSON), or any value to convert to text.

        ``retry`` is the number of seconds that a disconnected client waits before it reconnects. A ``comment`` is sent
        without an event. This call blocks while 64 KiB of events are waiting for the client.
        """
        text = _text(data)
        block = str(Event(comment=text) if comment else _event(text, event, event_id, retry)).encode()
        while not self._has_room.is_set():  # several senders may wait, and the first may use all the space
            await self._has_room.wait()
        self._count(len(block))
        self.queue.put_nowait(block)

    async def next(self) -> bytes | None:
        """Return the next event; None at the end."""
        block = await self.queue.get()
        if block is not None:
            self._count(-len(block))
        return block

    def _count(self, size: int) -> None:
        self._queued += size
        if self._queued < MOST_QUEUED:
            self._has_room.set()
        else:
            self._has_room.clear()


def _event(text: str, event: str | None, event_id: str | None, retry: float | None) -> Event:
    return Event(text, event=event or None, id=event_id or None, retry=retry or None)


def _text(data: Any) -> str:
    if isinstance(data, (dict, list)):
        return encode_json(data).decode()
    return data.decode() if isinstance(data, bytes) else str(data)


class EventChunks:
    """A function's events. The function starts with the first chunk, and ``aclose`` cancels it."""

    def __init__(self, function: Callable[[SSE], Any]) -> None:
        self._function = function
        self._sse = SSE()
        self._task: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        chunk = await self._sse.next()
        if chunk is None:
            await self._task
            raise StopAsyncIteration
        return chunk

    async def _run(self) -> None:
        try:
            await contained(self._function(self._sse))
        except asyncio.CancelledError:
            pass  # ends the events, like a return
        finally:
            self._sse.queue.put_nowait(None)

    async def aclose(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])


def sse_response(request: Request, event_function: Handler, /, *args: Any, **kwargs: Any) -> Any:
    """Return a response whose events are sent by a coroutine function, which receives the request and the SSE.

    If the function raises an error, the response is cut short.
    """
    chunks = EventChunks(lambda sse: event_function(request, sse, *args, **kwargs))
    return chunks, 200, {"Content-Type": "text/event-stream"}


def with_sse(f: Handler) -> Handler:
    """Turn a coroutine function with the parameters ``request, sse`` into a handler that responds with its events."""

    @wraps(f)
    async def handler(request: Request, *args: Any, **kwargs: Any) -> Any:
        return sse_response(request, f, *args, **kwargs)

    return handler
