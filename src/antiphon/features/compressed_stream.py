"""Pieces of a body, each compressed when it comes and sent at once. They keep the colour of their source, and close it.

A source that fails is not finished: who reads it can tell by the missing end that it broke off.
"""

from collections.abc import AsyncIterable, Iterable, Iterator
from functools import partial
from typing import TypeAlias

from antiphon.body.compressors import Compressor
from antiphon.concurrency.iterables import AsyncMade, AsyncPieces, BlockingPieces, Made, as_bytes

Pieces: TypeAlias = BlockingPieces[bytes | str] | AsyncPieces[bytes | str]

AT_ONCE = 64 << 10
"""How many bytes are compressed in one go where an event loop waits for it: that takes it a millisecond."""


def compressed_stream(source: Iterable[bytes | str] | AsyncIterable[bytes | str], compressor: Compressor) -> Pieces:
    """The pieces of a source, compressed; empty ones stay empty."""
    if isinstance(source, AsyncIterable):
        return AsyncPieces(source, partial(_compress_async, compressor))
    return BlockingPieces(source, partial(_compress, compressor))


def sliced(body: bytes) -> Iterator[bytes]:
    """A body in pieces."""
    return (body[start : start + AT_ONCE] for start in range(0, len(body), AT_ONCE))


def _compress(compressor: Compressor, source: Iterable[bytes | str]) -> Made:
    for piece in source:
        data = as_bytes(piece)
        yield compressor.piece(data) if data else b""
    yield compressor.finish()


async def _compress_async(compressor: Compressor, source: AsyncIterable[bytes | str]) -> AsyncMade:
    """On the loop where it is little, else on a worker thread."""
    async for piece in source:
        data = as_bytes(piece)
        if len(data) > AT_ONCE:
            yield await _compress_on_thread(compressor, data)
        else:
            yield compressor.piece(data) if data else b""
    yield compressor.finish()


async def _compress_on_thread(compressor: Compressor, data: bytes) -> bytes:
    from antiphon.concurrency.crossing import Crossing

    return await Crossing().run(compressor.piece, data)
