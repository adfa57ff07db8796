"""Writing a response's body chunk by chunk from an event loop, until it ends or the client goes away."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress

from antiphon.concurrency.bridge import AsyncFromSync
from antiphon.concurrency.iterables import aclose, as_bytes
from antiphon.concurrency.loop import TIME_SLICE, yield_to_loop
from antiphon.handler.contract import is_broken_by_client, log_broken_body
from antiphon.request.request import Request
from antiphon.response.files import is_at_hand

Write = Callable[[bytes], Awaitable[None]]

_watches: "set[_Watch]" = set()
"""Those of all responses that are being written."""


async def write_chunks(
    request: Request,
    body: Iterable[bytes | str] | AsyncIterable[bytes | str],
    begin: Callable[[], Awaitable[Write]],
    gone: Callable[[], Awaitable[object]],
    silent: bool = False,
) -> bool:
    """Write a body to its end, and close it in every case: whether all is written, and the client still there.

    ``begin`` sends the head and gives what writes a chunk. ``gone`` waits until the client goes away; then the
    iteration is cancelled where it waits. A body that fails is logged, and raised so that the server cuts the
    response; one that reads the request's, which the client breaks off, has no end. One that is all written is whole,
    though it fails to close, which is logged. A ``silent`` body is only closed.
    """
    chunks: AsyncIterator[bytes | str] | None = None
    is_whole = False
    watch = _Watch(gone)
    try:
        chunks = aiter(body) if isinstance(body, AsyncIterable) else AsyncFromSync(body)
        # What is at hand, and fails at once, has the server answer with an error; others wait for nothing.
        first = await anext(chunks, b"") if is_at_hand(body) and not silent else b""
        write = await _begun(begin, watch)
        if write is not None and not silent and await _written(first, write, watch):
            await _write_each(chunks, write, watch)
        is_whole = not watch.client_left
    except asyncio.CancelledError:
        if not watch.take_back():
            raise
    except Exception as error:
        if not is_broken_by_client(request, error):
            log_broken_body(request, error)
            raise
    finally:
        try:
            await watch.end()
            await aclose(chunks, body)
        except Exception as error:
            if not is_whole:
                raise
            if not is_broken_by_client(request, error):
                log_broken_body(request, error)
        finally:
            _watches.discard(watch)
    return is_whole


async def _begun(begin: Callable[[], Awaitable[Write]], watch: "_Watch") -> Write | None:
    try:
        return await begin()
    except OSError:
        watch.client_left = True
        return None


async def _write_each(chunks: AsyncIterator[bytes | str], write: Write, watch: "_Watch") -> None:
    """Write until the chunks end, or can't be written any more. Others have their turns, as the watch does."""
    end_of_turn = time.monotonic() + TIME_SLICE
    async for chunk in chunks:
        if not await _written(chunk, write, watch):
            return
        if time.monotonic() > end_of_turn:
            await yield_to_loop()
            end_of_turn = time.monotonic() + TIME_SLICE


async def _written(chunk: bytes | str, write: Write, watch: "_Watch") -> bool:
    """Write a chunk: False where it can't be, which is how some servers say that the client left."""
    if data := as_bytes(chunk):
        try:
            await write(data)
        except Exception:
            watch.client_left = True
            return False
    return True


def cut_off(seconds: float) -> None:
    """Break off what is still being written on the event loops of this process, as if the clients had gone.

    Called on a thread without a loop. Bodies get some seconds to be closed.
    """
    end = time.monotonic() + seconds
    for watch in _watches.copy():
        watch.cut_soon()
    while _watches and time.monotonic() < end:
        time.sleep(0.01)


class _Watch:
    """Cancels the task that made it as soon as the client goes away."""

    def __init__(self, gone: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it is made in a coroutine
        self._writer = task
        self._watcher = asyncio.create_task(self._wait(gone))
        self._has_cancelled = self._has_ended = False
        self.client_left = False
        _watches.add(self)

    async def _wait(self, gone: Callable[[], Awaitable[object]]) -> None:
        with suppress(Exception):  # a server that can't tell any more is no reason to stop
            await gone()
            self.cut()

    def cut(self) -> None:
        """Have the client be gone, unless it is, or all is written."""
        if not (self.client_left or self._has_ended):
            self.client_left = self._has_cancelled = True
            self._writer.cancel()

    def cut_soon(self) -> None:
        """The same from another thread."""
        with suppress(RuntimeError):  # a loop that has ended has nothing to write
            self._writer.get_loop().call_soon_threadsafe(self.cut)

    def take_back(self) -> bool:
        """Take back its own cancellation, if there was one: whether nobody else has cancelled the task."""
        if not self._has_cancelled:
            return False
        self._has_cancelled = False
        return self._writer.uncancel() == 0

    async def end(self) -> None:
        """Stop watching. A cancellation that is still on its way to the task doesn't reach it any more."""
        self._has_ended = True
        self._watcher.cancel()
        if self.take_back():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
