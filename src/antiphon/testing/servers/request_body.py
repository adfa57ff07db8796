"""Request bodies as they reach a server: chunk by chunk, and only when the application requests them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from antiphon.explanations import explained
from antiphon.testing.requests import ClientContent, ClientRequest
from antiphon.testing.servers.async_exchange import ResponseChannel

CHUNK = 64 << 10
"""The size of the chunks in which a body arrives, in bytes."""


class RequestBody:
    """The chunks of a body, up to its declared length.

    ``is_broken`` is set when the body is cut short, as after a disconnect: the chunks end before the declared length,
    or getting one raises ConnectionError.
    """

    def __init__(self, request: ClientRequest) -> None:
        self._chunks, self._ready_chunks = _iterate(request.content)
        self._left = _expected_length(request)
        self._pending: asyncio.Future[bytes | None] | None = None
        self.is_broken = False

    @property
    def is_complete(self) -> bool:
        """True if the whole body has arrived."""
        return self._left == 0

    async def next(self, response: ResponseChannel) -> bytes:
        """Return the next chunk, or ``b""`` at the end or after a disconnect; for use on an event loop.

        An iterator that may block runs on a worker thread.
        """
        if self.is_complete or self.is_broken:
            return b""
        if self._ready_chunks:
            return self._count(next(self._ready_chunks, None))
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._fetch())
            self._pending.add_done_callback(lambda _: response.notify())
        pending = self._pending
        await response.wait_until(lambda: pending.done() or response.is_disconnected or response.is_complete)
        self.is_broken = not pending.done() or isinstance(pending.exception(), ConnectionError)
        if self.is_broken:
            return b""
        self._pending = None
        return self._count(pending.result())

    def read(self) -> bytes:
        """Return the next chunk, or ``b""`` at the end; for use on a thread.

        Raises ConnectionError as a socket does."""
        if self.is_complete or self.is_broken:
            return b""
        assert isinstance(self._chunks, Iterator)  # noqa: S101 - the WSGI transport has checked this
        return self._count(next(self._chunks, None))

    def drop(self) -> None:
        """Stop receiving."""
        if self._pending is not None:
            self._pending.cancel()

    async def _fetch(self) -> bytes | None:
        if isinstance(self._chunks, AsyncIterator):
            return await anext(self._chunks, None)
        return await asyncio.to_thread(next, self._chunks, None)

    def _count(self, chunk: bytes | None) -> bytes:
        if chunk is None:
            self.is_broken = self._left is not None
            self._left = self._left or 0
            return b""
        if not isinstance(chunk, bytes):
            raise explained(
                "bad-test-request", TypeError(f"the chunks of a body must be bytes, not {type(chunk).__name__}")
            )
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        return chunk


def _iterate(content: ClientContent) -> tuple[Iterator[bytes] | AsyncIterator[bytes], Iterator[bytes] | None]:
    """Return an iterator of a body's non-empty chunks, and the same one again if it never blocks."""
    if isinstance(content, bytes):
        chunks = (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))
        return chunks, chunks
    if isinstance(content, list | tuple):
        chunks = (chunk for chunk in content if chunk)
        return chunks, chunks
    if isinstance(content, Iterable):
        return (chunk for chunk in content if chunk), None
    return (chunk async for chunk in content if chunk), None


def _expected_length(request: ClientRequest) -> int | None:
    """Return the number of bytes that the server reads (RFC 9112 §6.3); None if it reads to the end."""
    if "transfer-encoding" in request.headers:
        return None
    length = request.declared_length
    if length is None and request.http_version == "2" and request.content:
        return None
    return length or 0
