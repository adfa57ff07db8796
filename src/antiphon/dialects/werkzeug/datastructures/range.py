"""Range, Content-Range and If-Range; a part's stop is the position after its last one (RFC 9110 §14, §13.1.5)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from antiphon.dialects.werkzeug.tokens.dates import http_date
from antiphon.dialects.werkzeug.tokens.etags import quote_etag


class IfRange:
    """A tag without quotes, or a moment, or neither."""

    def __init__(self, etag: str | None = None, date: datetime | None = None) -> None:
        self.etag = etag
        self.date = date

    def to_header(self) -> str:
        """The header's value; empty for neither."""
        if self.date is not None:
            return http_date(self.date)
        return "" if self.etag is None else quote_etag(self.etag)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


class Range:
    """The parts that are wanted, ``ranges``: (start, stop), (start, None) to the end, (-5, None) for the last five.

    Raises ValueError for a part that stops before it starts.
    """

    def __init__(self, units: str, ranges: Sequence[tuple[int, int | None]]) -> None:
        self.units = units
        self.ranges = ranges
        for start, stop in ranges:
            if start is None or (stop is not None and not 0 <= start < stop):
                raise ValueError(f"{(start, stop)} is not a valid range.")

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """The part of so many bytes; None for several parts, for other units, and for one that there isn't."""
        if self.units != "bytes" or length is None or len(self.ranges) != 1:
            return None
        start, stop = self.ranges[0]
        if stop is None:
            start, stop = start + length if start < 0 else start, length
        return (start, min(stop, length)) if is_byte_range_valid(start, stop, length) else None

    def make_content_range(self, length: int | None) -> "ContentRange | None":
        """What Content-Range says of that part; None where there is none."""
        part = self.range_for_length(length)
        return None if part is None else ContentRange(self.units, *part, length)

    def to_content_range_header(self, length: int | None) -> str | None:
        """The same as the header's value."""
        part = self.make_content_range(length)
        return None if part is None else part.to_header()

    def to_header(self) -> str:
        """The header's value."""
        return f"{self.units}={','.join([_printed(start, stop) for start, stop in self.ranges])}"

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def _printed(start: int, stop: int | None) -> str:
    if stop is None:
        return str(start) if start < 0 else f"{start}-"
    return f"{start}-{stop - 1}"


class _Told:
    """An attribute whose owner tells when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, instance: object | None, owner: type) -> Any:
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance: "ContentRange", value: Any) -> None:
        setattr(instance, self.name, value)
        instance.tell()


class ContentRange:
    """Which part a message has, of ``length``, which may be None; without start and stop, how long the whole is.

    All can be set; the response that it belongs to changes with it. It is False where ``units`` is None: no header.
    """

    units = _Told()
    start = _Told()
    stop = _Told()
    length = _Told()

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
        """Set all at once. Raises AssertionError for what is no part."""
        if not is_byte_range_valid(start, stop, length):
            raise AssertionError("Bad range provided")
        self._units = units
        self._start = start
        self._stop = stop
        self._length = length
        self.tell()

    def unset(self) -> None:
        """Take the header away."""
        self.set(None, None, units=None)

    def tell(self) -> None:
        """Call ``on_update``, if there is one."""
        if self.on_update is not None:
            self.on_update(self)

    def to_header(self) -> str:
        """The header's value; empty for none."""
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
    """Whether there is such a part: both ends or none, the start before the stop, and before the length."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)
