"""Range, Content-Range and If-Range (RFC 9110 §14, §13.1.5). The stop of a part is the position after its last byte."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from antiphon.dialects.werkzeug.tokens import http_date, quote_etag


class IfRange:
    """The validator of If-Range: a tag without quotes, a date, or neither."""

    def __init__(self, etag: str | None = None, date: datetime | None = None) -> None:
        self.etag = etag
        self.date = date

    def to_header(self) -> str:
        """Return the header's value; an empty one for neither."""
        if self.date is not None:
            return http_date(self.date)
        return "" if self.etag is None else quote_etag(self.etag)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


class Range:
    """The requested parts, ``ranges``: (start, stop), (start, None) to the end, or (-5, None) for the last five.

    Raises ValueError for a part that stops before it starts.
    """

    def __init__(self, units: str, ranges: Sequence[tuple[int, int | None]]) -> None:
        self.units = units
        self.ranges = ranges
        for start, stop in ranges:
            if start is None or (stop is not None and not 0 <= start < stop):
                raise ValueError(f"{(start, stop)} is not a valid range.")

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """Return the requested part of ``length`` bytes; None for several parts, other units, or a part outside."""
        if self.units != "bytes" or length is None or len(self.ranges) != 1:
            return None
        start, stop = self.ranges[0]
        if stop is None:
            start, stop = start + length if start < 0 else start, length
        return (start, min(stop, length)) if is_byte_range_valid(start, stop, length) else None

    def make_content_range(self, length: int | None) -> "ContentRange | None":
        """Return the ContentRange for the requested part; None if there is none."""
        part = self.range_for_length(length)
        return None if part is None else ContentRange(self.units, *part, length)

    def to_content_range_header(self, length: int | None) -> str | None:
        """Return the value of Content-Range for the requested part; None if there is none."""
        part = self.make_content_range(length)
        return None if part is None else part.to_header()

    def to_header(self) -> str:
        """Return the header's value."""
        return f"{self.units}={','.join([_printed(start, stop) for start, stop in self.ranges])}"

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def _printed(start: int, stop: int | None) -> str:
    if stop is None:
        return str(start) if start < 0 else f"{start}-"
    return f"{start}-{stop - 1}"


class _Reported:
    """An attribute whose setting calls ``on_update`` of its object."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, instance: object | None, owner: type) -> Any:
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance: "ContentRange", value: Any) -> None:
        setattr(instance, self.name, value)
        instance.tell()


class ContentRange:
    """The part contained in a message, and the ``length`` of the whole, which may be None.

    Without start and stop, there is only the length.

    All attributes can be set, which changes the response's header. It is falsy if ``units`` is None: there is no
    header.
    """

    units = _Reported()
    start = _Reported()
    stop = _Reported()
    length = _Reported()

    def __init__(
        self,
        units: str | None,
        start: int | None,
        stop: int | None,
        length: int | None = None,
        on_update: "Callable[[ContentRange], None] | None" = None,
    ) -> None:
        self.on_update = on_update
        self.set(start, stop, length, units)

    def set(self, start: int | None, stop: int | None, length: int | None = None, units: str | None = "bytes") -> None:
        """Set all attributes at once. Raises AssertionError for an impossible part."""
        if not is_byte_range_valid(start, stop, length):
            raise AssertionError("Bad range provided")
        self._units = units
        self._start = start
        self._stop = stop
        self._length = length
        self.tell()

    def unset(self) -> None:
        """Remove the header."""
        self.set(None, None, units=None)

    def tell(self) -> None:
        """Call ``on_update`` if it is set."""
        if self.on_update is not None:
            self.on_update(self)

    def to_header(self) -> str:
        """Return the header's value; an empty one if there is no header."""
        if self._units is None:
            return ""
        part = "*" if self._start is None or self._stop is None else f"{self._start}-{self._stop - 1}"
        return f"{self._units} {part}/{'*' if self._length is None else self._length}"

    def __bool__(self) -> bool:
        return self._units is not None

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def is_byte_range_valid(start: int | None, stop: int | None, length: int | None) -> bool:
    """Return True if a part is possible: it has both ends or neither, and starts before its stop and the length."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)
