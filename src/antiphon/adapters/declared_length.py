"""The length that a streamed response declares, and the one that its chunks have (RFC 9110 §8.6)."""

from collections.abc import Iterable

from antiphon.explanations import explained
from antiphon.http.grammar import parse_or_none
from antiphon.http.head import parse_length


def declared_length(fields: Iterable[tuple[str, str]]) -> "DeclaredLength | None":
    """Return the length that header fields declare, with a count of the chunks; None if they declare none."""
    for name, value in fields:
        if name == "content-length":
            declared = parse_or_none(parse_length, value)
            return None if declared is None else DeclaredLength(declared)
    return None


class DeclaredLength:
    """The Content-Length that a response declares, and the bytes that are sent of it."""

    __slots__ = ("_declared", "_sent")

    def __init__(self, declared: int) -> None:
        self._declared = declared
        self._sent = 0

    def count(self, chunk: bytes) -> None:
        """Count a chunk, before it is sent. Raises RuntimeError if there is more than was declared.

        Servers would cut that off silently.
        """
        self._sent += len(chunk)
        if self._sent > self._declared:
            raise self._wrong("more")

    def end(self) -> None:
        """Check that nothing is missing. Raises RuntimeError if there is less than was declared."""
        if self._sent < self._declared:
            raise self._wrong("less")

    def _wrong(self, than: str) -> RuntimeError:
        return explained(
            "wrong-content-length",
            RuntimeError(
                f"the body has {than} than the {self._declared} bytes that its Content-Length says: declare the"
                " length that the chunks have together, or none"
            ),
        )
