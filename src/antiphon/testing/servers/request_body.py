"""The body of a request as it reaches a server: chunk by chunk, only as the application asks for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from antiphon.testing.sent_request import Content, SentRequest
from antiphon.testing.servers.answer import Answer

CHUNK = 64 << 10
"""Bytes of a body that arrive at once, as from a socket."""


class RequestBody:
    """The chunks of a body, up to the declared length.

    ``complete`` tells that all of it has come, ``broken`` that it breaks off: the client went away. That is so when the
    chunks end before the declared length, or getting one raises ConnectionError.
    """

    def __init__(self, request: SentRequest) -> None:
        self._chunks, self._at_once = _iterate(request.content)
        self._left = _expected(request)
        self._pending: asyncio.Future[bytes | None] | None = None
        self.broken = False

    @property
    def complete(self) -> bool:
        """Whether all of the body has come."""
        return self._left == 0

    async def next(self, answer: Answer) -> bytes:
        """The next chunk, ``b""`` at the end or when the client leaves meanwhile; on an event loop.

        An iterator that may block is run on a worker thread.
        """
        if self.complete or self.broken:
            return b""
        if self._at_once:
            return self._count(next(self._at_once, None))
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._fetch())
            self._pending.add_done_callback(lambda _: answer.notify())
        pending = self._pending
        await answer.until(lambda: pending.done() or answer.left or answer.complete)
        self.broken = not pending.done() or isinstance(pending.exception(), ConnectionError)
        if self.broken:
            return b""
        self._pending = None
        return self._count(pending.result())

    def read(self) -> bytes:
        """The next chunk, ``b""`` at the end; on a thread. ConnectionError passes, as it comes from a socket."""
        if self.complete or self.broken:
            return b""
        assert isinstance(self._chunks, Iterator)  # noqa: S101 - the WSGI transport has seen to it
        return self._count(next(self._chunks, None))

    def drop(self) -> None:
        """Nobody asks for more."""
        if self._pending is not None:
            self._pending.cancel()

    async def _fetch(self) -> bytes | None:
        if isinstance(self._chunks, AsyncIterator):
            return await anext(self._chunks, None)
        return await asyncio.to_thread(next, self._chunks, None)

    def _count(self, chunk: bytes | None) -> bytes:
        if chunk is None:
            self.broken = self._left is not None
            self._left = self._left or 0
            return b""
        if not isinstance(chunk, bytes):
            raise TypeError(f"the chunks of a body are bytes, not {type(chunk).__name__}")
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        return chunk


def _iterate(content: Content) -> tuple[Iterator[bytes] | AsyncIterator[bytes], Iterator[bytes] | None]:
    """A body's chunks, none of them empty, and these once more if getting them never blocks."""
    if isinstance(content, bytes):
        chunks = (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))
        return chunks, chunks
    if isinstance(content, list | tuple):
        chunks = (chunk for chunk in content if chunk)
        return chunks, chunks
    if isinstance(content, Iterable):
        return (chunk for chunk in content if chunk), None
    return (chunk async for chunk in content if chunk), None


def _expected(request: SentRequest) -> int | None:
    """How many bytes the server reads (RFC 9112 §6.3); None when it reads to the end."""
    if "transfer-encoding" in request.headers:
        return None
    length = request.declared_length
    if length is None and request.http_version == "2" and request.content:
        return None
    return length or 0
