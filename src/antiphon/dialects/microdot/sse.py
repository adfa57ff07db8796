"""Server-sent events (WHATWG HTML §9.2), sent by a function that runs beside the response."""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any, Self

from antiphon.dialects.microdot.request import Request
from antiphon.http.event import Event
from antiphon.serialization.json import encode_json

Handler = Callable[..., Any]


class SSE:
    """Where a function sends its events."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        """What is to be sent; None at the end."""

    async def send(
        self,
        data: Any,
        event: str | None = None,
        event_id: str | None = None,
        retry: float | None = None,
        comment: bool = False,
    ) -> None:
        """Send an event: text, bytes of text, a dict or a list, which become JSON, or another value as its text.

        ``retry`` is after how many seconds a client that lost the stream comes back. A ``comment`` has nothing else.
        """
        text = _text(data)
        block = Event(comment=text) if comment else _event(text, event, event_id, retry)
        self.queue.put_nowait(str(block).encode())


def _event(text: str, event: str | None, event_id: str | None, retry: float | None) -> Event:
    return Event(text, event=event or None, id=event_id or None, retry=int(retry * 1000) if retry else None)


def _text(data: Any) -> str:
    if isinstance(data, (dict, list)):
        return encode_json(data).decode()
    return data.decode() if isinstance(data, bytes) else str(data)


class EventChunks:
    """The events of a function, which begins with the first that is asked for, and is cancelled by ``aclose``."""

    def __init__(self, function: Callable[[SSE], Any]) -> None:
        self._function = function
        self._sse = SSE()
        self._task: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        chunk = await self._sse.queue.get()
        if chunk is None:
            await self._task
            raise StopAsyncIteration
        return chunk

    async def _run(self) -> None:
        try:
            await self._function(self._sse)
        except asyncio.CancelledError:
            pass  # which ends the events, as if the function had returned
        finally:
            self._sse.queue.put_nowait(None)

    async def aclose(self) -> None:
        """Cancel the function, and wait until it has ended."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])


def sse_response(request: Request, event_function: Handler, /, *args: Any, **kwargs: Any) -> Any:
    """What a handler returns to answer by the events that a coroutine function sends. It gets the request and the SSE.

    An error that it raises breaks off the response.
    """
    chunks = EventChunks(lambda sse: event_function(request, sse, *args, **kwargs))
    return chunks, 200, {"Content-Type": "text/event-stream"}


def with_sse(f: Handler) -> Handler:
    """Have a coroutine function with the parameters ``request, sse`` be a handler that answers by its events."""

    @wraps(f)
    async def handler(request: Request, *args: Any, **kwargs: Any) -> Any:
        return sse_response(request, f, *args, **kwargs)

    return handler
