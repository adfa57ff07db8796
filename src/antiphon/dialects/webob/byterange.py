"""Byte ranges in Range and Content-Range, with exclusive ends like Python's slices (RFC 9110 §14)."""

import re
from collections.abc import Iterator
from typing import Self

__all__ = ["ContentRange", "Range"]

_range = re.compile(r"bytes\s*+=\s*+([0-9]{0,18})\s*+-\s*+([0-9]{0,18})\s*+", re.IGNORECASE).fullmatch
_content_range = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/(?:([0-9]{1,18})|\*)").match


class Range:
    """A single range of a Range header, from ``start`` up to, but not including, ``end``.

    An ``end`` of None means the rest of the content; a negative ``start`` then counts from the end. Raises
    AssertionError if ``end`` is negative.
    """

    def __init__(self, start: int, end: int | None) -> None:
        if end is not None and end < 0:
            raise AssertionError(f"Bad range end: {end!r}")
        self.start = start
        self.end = end

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """Return the start and exclusive end in a body of ``length`` bytes, or None if the range is outside it."""
        if length is None:
            return None
        start, end = self.start, self.end
        if end is None:
            end = length
            if start < 0:
                start = max(start + length, 0)
        return (start, min(end, length)) if is_valid(start, end, length) else None

    def content_range(self, length: int | None) -> "ContentRange | None":
        """Return the Content-Range in a body of ``length`` bytes, or None if the range is outside it."""
        found = self.range_for_length(length)
        return None if found is None else ContentRange(*found, length)

    def __str__(self) -> str:
        if self.end is None:
            return f"bytes={self.start}-" if self.start >= 0 else f"bytes={self.start}"
        return f"bytes={self.start}-{self.end - 1}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} bytes {self.start!r}-{self.end!r}>"

    def __iter__(self) -> Iterator[int | None]:
        return iter((self.start, self.end))

    @classmethod
    def parse(cls, header: str | None) -> Self | None:
        """Parse a header. Return None if it is malformed or has several ranges."""
        match = _range(header or "")
        if match is None or match[1] == match[2] == "":
            return None
        if not match[1]:
            return cls(-int(match[2]), None)
        start, end = int(match[1]), int(match[2]) + 1 if match[2] else None
        return None if end is not None and start >= end else cls(start, end)


class ContentRange:
    """A Content-Range: ``start``, exclusive ``stop``, and the total ``length``. None stands for `*` in the header.

    Raises ValueError if the numbers contradict each other.
    """

    def __init__(self, start: int | None, stop: int | None, length: int | None) -> None:
        if not is_valid(start, stop, length):
            raise ValueError(f"Bad start:stop/length: {start!r}-{stop!r}/{length!r}")
        self.start = start
        self.stop = stop
        self.length = length

    def __str__(self) -> str:
        length = "*" if self.length is None else self.length
        if self.start is None or self.stop is None:
            return f"bytes */{length}"
        return f"bytes {self.start}-{self.stop - 1}/{length}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __iter__(self) -> Iterator[int | None]:
        return iter((self.start, self.stop, self.length))

    @classmethod
    def parse(cls, value: str | None) -> Self | None:
        """Parse a header. Return None if it is malformed or the range ends beyond the total length."""
        match = _content_range(value or "")
        if match is None:
            return None
        first, last, whole = (None if digits is None else int(digits) for digits in match.groups())
        stop = None if last is None else last + 1
        if stop is not None and whole is not None and stop > whole:
            return None
        return cls(first, stop, whole) if is_valid(first, stop, whole) else None


def is_valid(start: int | None, stop: int | None, length: int | None) -> bool:
    """Return True if a range starts within a body of ``length`` bytes. It may extend beyond the end."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)
