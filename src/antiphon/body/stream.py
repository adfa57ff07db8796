"""A request's body in chunks, as they arrive or as they were kept."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from antiphon.body.content import Content, NotLoadedError
from antiphon.http.limits import Limits


class Reader(Protocol):
    """A request whose body it is."""

    @property
    def limits(self) -> Limits: ...
    def not_loaded(self) -> Exception: ...


class BodyStream:
    """The body, iterated from its start, each time; the chunks have at most 256 KiB, or what came at once.

    ``for`` is for code that may block, ``async for`` for an event loop. Raises what ``Request.load`` does, and
    RuntimeError for a body that was streamed before without being kept.
    """

    __slots__ = ("_content", "_reader")

    def __init__(self, content: Content, reader: Reader) -> None:
        self._content = content
        self._reader = reader

    def __iter__(self) -> Iterator[bytes]:
        offset = 0
        while chunk := self.chunk_at(offset):
            yield chunk
            offset += len(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        offset = 0
        while chunk := await self.achunk_at(offset):
            yield chunk
            offset += len(chunk)

    def chunk_at(self, offset: int) -> bytes:
        """What comes next from there, where that may block; empty at the end."""
        content = self._content
        content.check_kept(offset)
        content.check_size(self._reader.limits)
        try:
            return content.kept(offset) or content.advance_on_thread(self._reader.limits)
        except NotLoadedError:
            raise self._reader.not_loaded() from None

    async def achunk_at(self, offset: int) -> bytes:
        """The same on an event loop."""
        content = self._content
        content.check_kept(offset)
        content.check_size(self._reader.limits)
        return await content.akept(offset) or await content.advance(self._reader.limits)
