"""Streams of rendered text, in chunks large enough to send."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing
from time import monotonic

_SIZE = 4096
"""The least characters of a chunk, unless it is the last one or took long to make."""
_WAIT = 0.1
"""Seconds after which the next piece completes a chunk of any length."""


class _Buffer:
    """Pieces of text that will become a chunk."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._since = monotonic()

    def add(self, piece: str) -> bool:
        """Add a piece. Return True if it is time to send the pieces."""
        self._pieces.append(piece)
        self._size += len(piece)
        return self._size >= _SIZE or monotonic() - self._since > _WAIT

    def take(self) -> str:
        """Take out the pieces."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size, self._since = 0, monotonic()
        return text


def stream_of(pieces: Iterator[str]) -> Iterator[str]:
    """Return the chunks of a text, the first of which is already made. Raises errors that come before it."""
    stream = _begun(_chunks(pieces))
    next(stream)
    return stream


def _begun(chunks: Iterator[str]) -> Generator[str]:
    first = next(chunks, "")
    yield ""
    yield first
    yield from chunks


def _chunks(pieces: Iterator[str]) -> Generator[str]:
    buffer = _Buffer()
    for piece in pieces:
        if buffer.add(piece):
            yield buffer.take()
    yield buffer.take()


async def astream_of(pieces: AsyncGenerator[str]) -> AsyncIterator[str]:
    """Return the chunks as ``stream_of`` does, for a text that awaits."""
    stream = _abegun(_achunks(pieces))
    await anext(stream)
    return stream


async def _abegun(chunks: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async with aclosing(chunks):
        first = await anext(chunks, "")
        yield ""
        yield first
        async for chunk in chunks:
            yield chunk


async def _achunks(pieces: AsyncGenerator[str]) -> AsyncGenerator[str]:
    buffer = _Buffer()
    async with aclosing(pieces):
        async for piece in pieces:
            if buffer.add(piece):
                yield buffer.take()
    yield buffer.take()
