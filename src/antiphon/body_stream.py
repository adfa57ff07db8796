"""A request's body in pieces, as they arrive or as they were kept."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from antiphon.body.limits import Limits
from antiphon.content import Content


class HasContent(Protocol):
    """A request."""

    limits: Limits

    @property
    def content(self) -> Content: ...


class BodyStream:
    """The body, iterated from its start, each time; the pieces have at most 256 KiB, or what came at once.

    ``for`` is for code that may block, ``async for`` for an event loop. Raises what ``Request.load`` does, and
    RuntimeError for a body that was streamed before without being kept.
    """

    __slots__ = ("_request",)

    def __init__(self, request: HasContent) -> None:
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        request, content = self._request, self._request.content
        content.check_kept()
        offset = 0
        while piece := content.kept(offset) or content.advance_on_thread(request.limits):
            yield piece
            offset += len(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        request, content = self._request, self._request.content
        content.check_kept()
        offset = 0
        while piece := await content.akept(offset) or await content.advance(request.limits):
            yield piece
            offset += len(piece)
