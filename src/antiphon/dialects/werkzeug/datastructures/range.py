"""Range, Content-Range and If-Range (RFC 9110 §14, §13.1.5). A ``stop`` is the position after the last byte."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from antiphon.dialects.werkzeug.tokens import http_date, quote_etag


class IfRange:
    """The validator in If-Range: a tag without quotes, a date, or neither."""

    def __init__(self, etag: str | None = None, date: datetime | None = None) -> None:
        self.etag = etag
        self.date = date

    def to_header(self) -> str:
        """Return the header's value, which is empty if it has neither."""
        if self.date is not None:
            return http_date(self.date)
        return "" if self.etag is None else quote_etag(self.etag)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


class Range:
    """The requested ``ranges``: (start, stop), (start, None) up to the end, or (-5, None) for the last five bytes.

    Raises ValueError if a range stops before it starts.
    """

    def __init__(self, units: str, ranges: Sequence[tuple[int, int | None]]) -> None:
        self.units = units
        self.ranges = ranges
        for start, stop in ranges:
            if start is None or (stop is not None and not 0 <= start < stop):
                raise ValueError(f"{(start, stop)} is not a valid range.")

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """Return the start and stop of the range in ``length`` bytes.

        Returns None if there are several ranges, the unit is not bytes, or the range is out of bounds.
        """
        if self.units != "bytes" or length is None or len(self.ranges) != 1:
            return None
        start, stop = self.ranges[0]
        if stop is None:
            start, stop = start + length if start < 0 else start, length
        return (start, min(stop, length)) if is_byte_range_valid(start, stop, length) else None

    def make_content_range(self, length: int | None) -> "ContentRange | None":
        """Return the ContentRange for the range, or None if ``range_for_length`` returns None."""
        part = self.range_for_length(length)
        return None if part is None else ContentRange(self.units, *part, length)

    def to_content_range_header(self, length: int | None) -> str | None:
        """Return the Content-Range header for the range, or None if ``range_for_length`` returns None."""
        part = self.make_content_range(length)
        return None if part is None else part.to_header()

    def to_header(self) -> str:
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
    """An attribute that calls its object's ``on_update`` when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, instance: object | None, owner: type) -> Any:
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance: "ContentRange", value: Any) -> None:
        setattr(instance, self.name, value)
        instance.tell()


class ContentRange:
    """The range that a message contains, and the total ``length``, which may be None.

    If ``start`` and ``stop`` are None, it contains only the length. Setting any attribute changes the response's
    header. The object is falsy if ``units`` is None, which means that there is no header.
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
        """Set all attributes at once. Raises AssertionError if the range is invalid."""
        if not is_byte_range_valid(start, stop, length):
            raise AssertionError("Bad range provided")
        self._units = units
        self._start = start
        self._stop = stop
        self._length = length
        self.tell()

    def unset(self) -> None:
        self.set(None, None, units=None)

    def tell(self) -> None:
        """Call ``on_update`` if it is set."""
        if self.on_update is not None:
            self.on_update(self)

    def to_header(self) -> str:
        """Return the header's value, which is empty if there is no header."""
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
    """Return True if a range has both ends or neither, and starts before both its stop and the length."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)
