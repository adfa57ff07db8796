"""Pieces of a body, each compressed when it comes and sent at once. They keep the colour of their source, and close it.

A source that fails is not finished: who reads it can tell by the missing end that it broke off.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import TypeAlias

from antiphon.adapters.server_values import as_bytes
from antiphon.content_codings import Compressor

Pieces: TypeAlias = Iterator[bytes] | AsyncIterator[bytes]

AT_ONCE = 64 << 10
"""How many bytes are compressed in one go where an event loop waits for it: that takes it a millisecond."""


def compressed_stream(source: Iterable[bytes | str] | AsyncIterable[bytes | str], compressor: Compressor) -> Pieces:
    """The pieces of a source, compressed; empty ones stay empty."""
    if isinstance(source, AsyncIterable):
        return AsyncPieces(source, compressor)
    return BlockingPieces(source, compressor)


def sliced(body: bytes) -> Iterator[bytes]:
    """A body in pieces."""
    return (body[start : start + AT_ONCE] for start in range(0, len(body), AT_ONCE))


class BlockingPieces:
    """What a blocking source gives, compressed."""

    def __init__(self, source: Iterable[bytes | str], compressor: Compressor) -> None:
        self._source = source
        self._iterator: Iterator[bytes | str] | None = None
        self._compressor = compressor
        self._pieces = self._compress()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the source, wherever it stands."""
        self._pieces.close()
        close = getattr(self._iterator, "close", None) or getattr(self._source, "close", None)
        if close is not None:
            close()

    def _compress(self) -> Generator[bytes, None, None]:
        self._iterator = iter(self._source)
        for piece in self._iterator:
            data = as_bytes(piece)
            yield self._compressor.piece(data) if data else b""
        yield self._compressor.finish()


class AsyncPieces:
    """What an async source gives, compressed: on the loop where it is little, else on a worker thread."""

    def __init__(self, source: AsyncIterable[bytes | str], compressor: Compressor) -> None:
        self._source = source
        self._iterator: AsyncIterator[bytes | str] | None = None
        self._compressor = compressor
        self._pieces = self._compress()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """Close the source, wherever it stands."""
        await self._pieces.aclose()
        aclose = getattr(self._iterator, "aclose", None) or getattr(self._source, "aclose", None)
        if aclose is not None:
            await aclose()

    async def _compress(self) -> AsyncGenerator[bytes, None]:
        self._iterator = aiter(self._source)
        async for piece in self._iterator:
            data = as_bytes(piece)
            if len(data) > AT_ONCE:
                yield await self._compress_on_thread(data)
            else:
                yield self._compressor.piece(data) if data else b""
        yield self._compressor.finish()

    async def _compress_on_thread(self, data: bytes) -> bytes:
        from antiphon.threads import Crossing

        return await Crossing().run(self._compressor.piece, data)
