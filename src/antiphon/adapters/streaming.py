"""Writing a response's body piece by piece from an event loop, until it ends or the client goes away."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress

from antiphon.bridge import LoopIterator, close
from antiphon.handler import log_failure
from antiphon.request import Request

Write = Callable[[bytes], Awaitable[None]]


async def write_pieces(
    request: Request,
    body: Iterable[bytes | str] | AsyncIterable[bytes | str],
    begin: Callable[[], Awaitable[Write]],
    gone: Callable[[], Awaitable[object]],
    silent: bool = False,
) -> bool:
    """Write a body to its end, and close it in every case: whether the client was there to the end.

    ``begin`` sends the head and gives what writes a piece. ``gone`` waits until the client goes away; then the iteration is cancelled where it waits. A body that fails is
    logged, and raised so that the server cuts the response. A ``silent`` body is only closed.
    """
    pieces = aiter(body) if isinstance(body, AsyncIterable) else LoopIterator(body)
    watch = _Watch(gone)
    try:
        write = await begin()
        if not silent:
            await _write_each(pieces, write, watch)
    except asyncio.CancelledError:
        if not watch.client_left:
            raise
    except Exception as error:
        log_failure(request, error)
        raise
    finally:
        await watch.end()
        await close(pieces)
    return not watch.client_left


async def _write_each(pieces: AsyncIterator[bytes | str], write: Write, watch: "_Watch") -> None:
    """Write until the pieces end, or can't be written any more, which is how some servers say that the client left."""
    async for piece in pieces:
        if piece:
            data = piece.encode() if isinstance(piece, str) else piece
            try:
                await write(data)
            except Exception:
                watch.client_left = True
                return


class _Watch:
    """Cancels the task that made it as soon as the client goes away."""

    def __init__(self, gone: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it is made in a coroutine
        self._writer = task
        self._watcher = asyncio.create_task(self._wait(gone))
        self._cancelled = False
        self.client_left = False

    async def _wait(self, gone: Callable[[], Awaitable[object]]) -> None:
        await gone()
        self.client_left = self._cancelled = True
        self._writer.cancel()

    async def end(self) -> None:
        """Stop watching; a cancellation of its own that is still on its way is taken back."""
        self._watcher.cancel()
        if self._cancelled and self._writer.uncancel() == 0:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
