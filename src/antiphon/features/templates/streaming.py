"""Streams of rendered text, in chunks that are worth sending."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing
from time import monotonic

_SIZE = 4096
"""Characters of a chunk, at least, unless it is the last one, or was long in the making."""
_WAIT = 0.1
"""Seconds after which a chunk is sent, however short it is, when the next piece comes."""


class _Buffer:
    """Pieces of text that wait to become a chunk."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._since = monotonic()

    def add(self, piece: str) -> bool:
        """Add a piece. True if it is time to send what there is."""
        self._pieces.append(piece)
        self._size += len(piece)
        return self._size >= _SIZE or monotonic() - self._since > _WAIT

    def take(self) -> str:
        """Take out what there is."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size, self._since = 0, monotonic()
        return text


def stream_of(pieces: Iterator[str]) -> Iterator[str]:
    """Return the chunks of a text, of which the first is made already. Raises what comes before that."""
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
    """Return what ``stream_of`` does of a text that awaits."""
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
