"""A request's body in chunks, as they arrive or as they were kept."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from antiphon.body.content import Content, NotLoadedError
from antiphon.http.limits import Limits


class BodyOwner(Protocol):
    """The request that a body belongs to."""

    @property
    def limits(self) -> Limits: ...
    def _not_loaded(self) -> Exception: ...


class BodyStream:
    """The body, iterated from its start each time; chunks have at most 256 KiB, or are the bytes that arrived at once.

    ``for`` is for code that may block, ``async for`` for an event loop. Raises what ``Request.load`` does, and
    RuntimeError for a body that was already streamed without being kept.
    """

    __slots__ = ("_content", "_owner")

    def __init__(self, content: Content, owner: BodyOwner) -> None:
        self._content = content
        self._owner = owner

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
        """Return the chunk that begins at an offset, for code that may block; empty at the end."""
        content = self._content
        content.check_kept(offset)
        content.check_size(self._owner.limits)
        try:
            return content.read_at(offset) or content.advance_on_thread(self._owner.limits)
        except NotLoadedError:
            raise self._owner._not_loaded() from None

    async def achunk_at(self, offset: int) -> bytes:
        """Return what ``chunk_at`` does, on an event loop."""
        content = self._content
        content.check_kept(offset)
        content.check_size(self._owner.limits)
        return await content.aread_at(offset) or await content.aadvance(self._owner.limits)
