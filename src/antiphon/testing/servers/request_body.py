"""The body of a request as it reaches a server: piece by piece, only as the application asks for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from antiphon.testing.sent_request import Content, SentRequest
from antiphon.testing.servers.answer import Answer

PIECE = 64 << 10
"""Bytes of a body that arrive at once, as from a socket."""


class RequestBody:
    """The pieces of a body, up to the declared length.

    ``complete`` tells that all of it has come, ``broken`` that it breaks off: the client went away. That is so when the
    pieces end before the declared length, or getting one raises ConnectionError.
    """

    def __init__(self, request: SentRequest) -> None:
        self._pieces, self._at_once = _iterate(request.content)
        self._left = _expected(request)
        self._pending: asyncio.Future[bytes | None] | None = None
        self.broken = False

    @property
    def complete(self) -> bool:
        """Whether all of the body has come."""
        return self._left == 0

    async def next(self, answer: Answer) -> bytes:
        """The next piece, ``b""`` at the end or when the client leaves meanwhile; on an event loop.

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
        """The next piece, ``b""`` at the end; on a thread. ConnectionError passes, as it comes from a socket."""
        if self.complete or self.broken:
            return b""
        assert isinstance(self._pieces, Iterator)  # noqa: S101 - the WSGI transport has seen to it
        return self._count(next(self._pieces, None))

    def drop(self) -> None:
        """Nobody asks for more."""
        if self._pending is not None:
            self._pending.cancel()

    async def _fetch(self) -> bytes | None:
        if isinstance(self._pieces, AsyncIterator):
            return await anext(self._pieces, None)
        return await asyncio.to_thread(next, self._pieces, None)

    def _count(self, piece: bytes | None) -> bytes:
        if piece is None:
            self.broken = self._left is not None
            self._left = self._left or 0
            return b""
        if not isinstance(piece, bytes):
            raise TypeError(f"the pieces of a body are bytes, not {type(piece).__name__}")
        if self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
        return piece


def _iterate(content: Content) -> tuple[Iterator[bytes] | AsyncIterator[bytes], Iterator[bytes] | None]:
    """A body's pieces, none of them empty, and these once more if getting them never blocks."""
    if isinstance(content, bytes):
        pieces = (content[start : start + PIECE] for start in range(0, len(content), PIECE))
        return pieces, pieces
    if isinstance(content, list | tuple):
        pieces = (piece for piece in content if piece)
        return pieces, pieces
    if isinstance(content, Iterable):
        return (piece for piece in content if piece), None
    return (piece async for piece in content if piece), None


def _expected(request: SentRequest) -> int | None:
    """How many bytes the server reads (RFC 9112 §6.3); None when it reads to the end."""
    if "transfer-encoding" in request.headers:
        return None
    length = request.declared_length
    if length is None and request.http_version == "2" and request.content:
        return None
    return length or 0
