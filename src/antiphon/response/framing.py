"""Where a response ends: one right length at most, whatever its header fields say (RFC 9112 §6.3)."""

from collections.abc import Iterable
from typing import TypeAlias

Lines: TypeAlias = Iterable[tuple[str, str]]

FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Fields that say where a message ends."""
WITHOUT_CONTENT = {204: None, 205: 0, 304: None}
"""Statuses that no content goes with, and the length that is declared for them (RFC 9110 §8.6, §15.3.6)."""


def framed(fields: Lines, length: int | None, status: int, method: str) -> tuple[list[tuple[str, str]], int | None]:
    """The fields with one right length at most, and the length that is still to be declared.

    Whoever reads a message must not be told of two ends; how it is coded is the server's to say.
    """
    declared = {value for name, value in fields if name == "content-length"}
    is_right = len(declared) == 1 and _may_declare(declared.pop(), length, status, method)
    kept: list[tuple[str, str]] = []
    for field in fields:
        if field[0] not in FRAMING or (is_right and field[0] == "content-length" and field not in kept):
            kept.append(field)
    return kept, None if is_right else length


def _may_declare(declared: str, length: int | None, status: int, method: str) -> bool:
    """Whether a Content-Length that was set is right, or may be: HEAD is often answered without a body."""
    if status == 304 or declared == str(length):
        return status != 205
    return status not in WITHOUT_CONTENT and (length is None or (length == 0 and method == "HEAD"))
