"""Range and Content-Range, whose stops do not belong to the part here."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug import datastructures as ds
from antiphon.http import ranges
from antiphon.http.grammar import OWS

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.datastructures import ContentRange, Range


def parse_range_header(value: str | None, make_inclusive: bool = True) -> "Range | None":  # noqa: ARG001 - its name
    """The parts that are wanted, in rising order and without overlaps; None for anything else."""
    if not value or "=" not in value:
        return None
    unit, _, written = value.partition("=")
    try:
        parsed = ranges.Range.parse(f"{unit.strip(OWS).lower()}={written}")
    except ValueError:
        return None
    if not _are_rising(parsed.ranges):
        return None
    return ds.Range(parsed.unit, [_with_stop(first, last) for first, last in parsed.ranges])


def _with_stop(first: int | None, last: int | None) -> tuple[int, int | None]:
    if first is None:
        return -(last or 0), None
    return first, None if last is None else last + 1


def _are_rising(parts: Iterable[ranges.RangeSpec]) -> bool:
    """Whether each part begins after the one before it, so that only the last one has no end, and none is empty."""
    reached: int | None = 0
    for first, last in parts:
        if reached is None or (first is None and last == 0) or (first is not None and first < reached):
            return False
        reached = None if first is None or last is None else last + 1
    return True


def parse_content_range_header(
    value: str | None, on_update: "Callable[[ContentRange], None] | None" = None
) -> "ContentRange | None":
    """The part that a message has; None for what is no Content-Range."""
    if value is None:
        return None
    value = value.strip(OWS)
    unit, _, written = value.partition(" ")
    if written == "*/*":
        return ds.ContentRange(unit, None, None, None, on_update=on_update)
    try:
        parsed = ranges.ContentRange.parse(value)
    except ValueError:
        return None
    stop = None if parsed.last is None else parsed.last + 1
    return ds.ContentRange(unit, parsed.first, stop, parsed.length, on_update=on_update)


def is_byte_range_valid(start: int | None, stop: int | None, length: int | None) -> bool:
    """Whether there is such a part: both ends or none, the start before the stop, and before the length."""
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)
