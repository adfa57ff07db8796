"""A request's body in chunks, as they arrive or as they were stored."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from antiphon.body.content import Content, NotLoadedError
from antiphon.http.limits import Limits


class BodyOwner(Protocol):
    """The request to which a body belongs."""

    @property
    def limits(self) -> Limits: ...
    def _not_loaded(self) -> Exception: ...


class BodyStream:
    """The body; each iteration begins at its start. A chunk contains at most 256 KiB, or the bytes that arrived at
    once.

    Use ``for`` in code that may block, and ``async for`` on an event loop. Raises the same errors as ``Request.load``,
    and RuntimeError for a body that has already been streamed without being kept.
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
        """Return the chunk that begins at an offset, in code that may block; empty at the end of the body."""
        content = self._content
        content.check_kept(offset)
        content.check_size(self._owner.limits)
        try:
            return content.read_at(offset) or content.advance_on_thread(self._owner.limits)
        except NotLoadedError:
            raise self._owner._not_loaded() from None

    async def achunk_at(self, offset: int) -> bytes:
        """Return the same chunk as ``chunk_at``, on an event loop."""
        content = self._content
        content.check_kept(offset)
        content.check_size(self._owner.limits)
        return await content.aread_at(offset) or await content.aadvance(self._owner.limits)
