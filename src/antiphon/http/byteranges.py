"""multipart/byteranges: several parts of one representation as one body (RFC 9110 §14.6), without the bytes."""

import re
from collections.abc import Iterator, Sequence

from antiphon.http.grammar import format_parameters
from antiphon.http.headers import field_value
from antiphon.http.ranges import ByteRange, ContentRange

_boundary = re.compile(r"[0-9A-Za-z'()+_,\-./:=?]{1,70}").fullmatch


class MultipartByteRanges:
    """The framing of a body that has several parts. Immutable.

    Iteration gives what the body is made of in its order: bytes to send as they are, and each `ByteRange` in the place
    where its bytes belong. ``length`` and ``content_type`` are of the whole representation, the latter None when it has
    none. ``boundary`` must not occur in the content: let it be random. Raises ValueError without a part, for one that
    ends after the whole, and for a bad boundary (RFC 2046 §5.1.1) or content type.
    """

    __slots__ = ("_boundary", "_heads", "_ranges")

    def __init__(
        self, ranges: Sequence[ByteRange], length: int, *, boundary: str, content_type: str | None = None
    ) -> None:
        if not ranges:
            raise ValueError("a body of parts has at least one")
        if not _boundary(boundary):
            raise ValueError(f"not a multipart boundary: {boundary[:80]!r}")
        described = "" if content_type is None else f"Content-Type: {field_value(content_type)}\r\n"
        heads = [
            f"--{boundary}\r\n{described}Content-Range: {ContentRange(*part, length)}\r\n\r\n".encode("latin-1")
            for part in ranges
        ]
        self._boundary = boundary
        self._ranges = tuple(ranges)
        self._heads = [heads[0], *[b"\r\n" + head for head in heads[1:]], f"\r\n--{boundary}--\r\n".encode("latin-1")]

    @property
    def content_type(self) -> str:
        """The value of the response's Content-Type."""
        return f"multipart/byteranges{format_parameters({'boundary': self._boundary})}"

    @property
    def content_length(self) -> int:
        """How many bytes the body has."""
        return sum(map(len, self._heads)) + sum([part.length for part in self._ranges])

    def __iter__(self) -> Iterator[bytes | ByteRange]:
        for head, part in zip(self._heads, self._ranges, strict=False):
            yield head
            yield part
        yield self._heads[-1]
