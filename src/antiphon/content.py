"""A request's content: received once, within a limit, and kept for everyone who reads it."""

from antiphon.head import Head, parse_length
from antiphon.http.errors import BadRequest, ContentTooLarge, HTTPError


class Content:
    """The bytes of a request's body, which come from its head unless they are given."""

    __slots__ = ("_declared", "_head", "_pieces", "data", "failure")

    def __init__(self, head: Head, data: bytes | None = None) -> None:
        self.data = data
        """All of it; None until it is loaded."""
        self.failure: HTTPError | None = None
        """Why it could not be loaded."""
        self._head = head
        self._declared: int | None = None
        self._pieces: list[bytes] = []

    @property
    def length(self) -> int | None:
        """The declared length in bytes (RFC 9110 §8.6). Raises BadRequest (400) for one that is none."""
        if self._declared is None and (value := self._head.field("content-length")):
            try:
                self._declared = parse_length(value)
            except ValueError as error:
                raise BadRequest(str(error)) from None
        return self._declared

    async def load(self, limit: int) -> None:
        """Receive all of it. Called again, it goes on where it broke off. Where the head blocks, it never waits.

        Raises ContentTooLarge (413) from Content-Length before a byte is read, else by counting; BadRequest (400) for
        a bad Content-Length or a body that ends too early; ClientDisconnected.
        """
        if self.data is None:
            try:
                self.data = await self._received(limit)
            except HTTPError as error:
                self.failure = error
                raise
            self._pieces.clear()
        elif len(self.data) > limit:
            raise _too_large(limit)

    async def _received(self, limit: int) -> bytes:
        declared = self.length
        if declared is not None and self._head.field("transfer-encoding"):
            raise BadRequest("a body has a Content-Length or a Transfer-Encoding, not both")
        if declared is not None and declared > limit:
            raise _too_large(limit)
        pieces = self._pieces
        size = sum(map(len, pieces))
        while size != declared and size <= limit and (piece := await self._head.receive()):
            pieces.append(piece)
            size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if declared is not None and size != declared:
            end = "ended after" if size < declared else "has"
            raise BadRequest(f"the body {end} {size} bytes, where Content-Length declares {declared}")
        return b"".join(pieces)


def _too_large(limit: int) -> ContentTooLarge:
    return ContentTooLarge(f"the body is longer than the {limit} bytes that are accepted", limit="body")
