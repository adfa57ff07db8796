"""Parts of a body: slices of bytes, windows of a file, or chunks with everything else dropped."""

from collections.abc import AsyncIterable, Generator, Iterable, Iterator
from functools import partial
from typing import TypeAlias, TypeGuard

from antiphon.concurrency.iterables import AsyncByteGenerator, AsyncChunks, BlockingChunks, ByteGenerator
from antiphon.http.ranges import ByteRange
from antiphon.response.files import Windowed, is_for_any_thread
from antiphon.response.message import Body, Stream

Layout: TypeAlias = Iterable[bytes | ByteRange]
"""The items to send, in order: bytes to send unchanged, and parts of the body."""


def known_length(body: Body) -> int | None:
    """Return the length of a body in bytes; None if it is unknown."""
    if isinstance(body, bytes):
        return len(body)
    return body.length if _is_windowed(body) else None


def has_any_order(body: Body) -> bool:
    """Return True if parts of a body can be sent in any order, not only forwards."""
    return known_length(body) is not None


def part_of(body: Body, part: ByteRange) -> Body:
    """Return a part of a body, which must lie within it. Closing the part, read or not, closes the body."""
    if isinstance(body, bytes):
        return body[part.first : part.last + 1]
    if _is_windowed(body) and body.length is not None:
        return body.window(part.first, part.length)
    return _cut(body, [part])


def parts_of(body: Body, layout: Layout) -> Body:
    """Return parts of a body, which must not overlap, and the bytes between them. Closing them closes the body."""
    if isinstance(body, bytes):
        whole = memoryview(body)
        return b"".join([whole[item.first : item.last + 1] if isinstance(item, ByteRange) else item for item in layout])
    if _is_windowed(body) and body.length is not None:
        return Windows(body, layout)
    return _cut(body, layout)


def _is_windowed(body: object) -> TypeGuard[Windowed]:
    return hasattr(body, "window")


def _cut(stream: Stream, layout: Layout) -> Stream:
    if isinstance(stream, AsyncIterable):
        return AsyncChunks(stream, partial(_cut_each_async, layout))
    return BlockingChunks(stream, partial(_cut_each, layout))


class Windows:
    """Windows of a body, one after another, and the bytes between them."""

    is_at_hand = True

    def __init__(self, body: Windowed, layout: Layout) -> None:
        self._body = body
        self._chunks = self._each(layout)
        self.is_for_any_thread = is_for_any_thread(body)

    def _each(self, layout: Layout) -> Generator[bytes, None, None]:
        for item in layout:
            if isinstance(item, ByteRange):
                yield from self._body.window(item.first, item.length)
            else:
                yield item

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close the open window, and the body if it can be closed."""
        self._chunks.close()
        if close_it := getattr(self._body, "close", None):
            close_it()


class Cutter:
    """A cutter for a body's chunks, which are fed to it in order: it follows a layout whose parts are in order, too."""

    def __init__(self, layout: Layout) -> None:
        self._layout = iter(layout)
        self._position = 0
        self._part: ByteRange | None = None
        self._before = self._advance()

    @property
    def is_over(self) -> bool:
        """True if no more of the body needs to be sent."""
        return self._part is None

    def feed(self, chunk: bytes | str) -> bytes:
        """Return the part of the next chunk to send, possibly empty."""
        data = chunk.encode() if isinstance(chunk, str) else chunk
        start = self._position
        end = self._position = start + len(data)
        sent = self._before
        self._before = []
        while self._part is not None and self._part.first < end:
            first, last = self._part
            sent.append(data[max(first - start, 0) : last + 1 - start])
            if last >= end:
                break
            sent += self._advance()
        return b"".join(sent)

    def _advance(self) -> list[bytes]:
        """Go to the next part. Return the bytes to send before it, or before the end."""
        before: list[bytes] = []
        for item in self._layout:
            if isinstance(item, ByteRange):
                self._part = item
                return before
            before.append(item)
        self._part = None
        return before


def _cut_each(layout: Layout, stream: Iterable[bytes | str]) -> ByteGenerator:
    """Yield a chunk, possibly empty, for each one read, so that the iteration can stop between any two."""
    cutter = Cutter(layout)
    if cutter.is_over:
        return
    for chunk in stream:
        yield cutter.feed(chunk)
        if cutter.is_over:
            return


async def _cut_each_async(layout: Layout, stream: AsyncIterable[bytes | str]) -> AsyncByteGenerator:
    cutter = Cutter(layout)
    if cutter.is_over:
        return
    async for chunk in stream:
        yield cutter.feed(chunk)
        if cutter.is_over:
            return
