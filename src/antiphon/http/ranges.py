"""Parts of a representation: the Range and Content-Range headers (RFC 9110 §14)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self, TypeAlias

from antiphon.explanations import explained
from antiphon.http.grammar import TCHARS, Value, is_token, split_list
from antiphon.lazy import compiled_late

RangeSpec: TypeAlias = tuple[int | None, int | None]
"""The first and last position, both included: (0, 99); (100, None) means to the end; (None, 500) means the last 500."""

_MOST_RANGES = 64
_DIGITS = 40
_LIMIT = 10**_DIGITS
_NUMBER = f"[0-9]{{1,{_DIGITS}}}"
_range_spec = compiled_late(f"({_NUMBER})?-({_NUMBER})?")
_usual = compiled_late(f"bytes=({_NUMBER})-({_NUMBER})?")
_content_range = compiled_late(rf"({TCHARS}) (?:({_NUMBER})-({_NUMBER})|\*)/(?:({_NUMBER})|\*)")


class ByteRange(NamedTuple):
    """An existing part of a representation: the positions of its first and last byte, both included.

    Positions are counted from 0 (RFC 9110 §14.1.2).
    """

    first: int
    last: int

    @property
    def length(self) -> int:
        """The number of bytes."""
        return self.last - self.first + 1


class Range(Value):
    """The parts that a client requests (RFC 9110 §14.2). Immutable; the unit, such as "bytes", is kept in lower case.

        wanted = Range([(0, 499)])

    Raises ValueError if there are no parts or more than 64, and for a part that ends before it begins.
    """

    __slots__ = ("_ranges", "_unit")

    _unit: str
    _ranges: tuple[RangeSpec, ...]

    def __init__(self, ranges: Iterable[RangeSpec], *, unit: str = "bytes") -> None:
        self._unit = _range_unit(unit)
        self._ranges = tuple(ranges)
        if not 0 < len(self._ranges) <= _MOST_RANGES:
            raise explained("bad-http-value", f"there must be 1 to {_MOST_RANGES} ranges, not {len(self._ranges)}")
        for first, last in self._ranges:
            _check_numbers(first, last)
            _check_order(first, last)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `bytes=0-99,200-,-500`. Raises ValueError for anything else.

        One malformed part makes the whole header malformed (§14.1.1). A malformed header gets the whole representation
        as the response (§14.2).
        """
        unit, ranges = _parse(text)
        return cls(ranges, unit=unit)

    @property
    def unit(self) -> str:
        """The unit in lower case: "bytes"."""
        return self._unit

    @property
    def ranges(self) -> tuple[RangeSpec, ...]:
        """The parts in order: (0, 99); (100, None) means to the end; (None, 500) means the last 500."""
        return self._ranges

    def resolve(self, length: int) -> list[ByteRange] | None:
        """Return the requested parts that exist in a representation of ``length`` bytes, in the requested order.

        None means to ignore the header and send the whole representation with a 200: for units other than bytes, and
        for an empty representation, whose parts Content-Range can't express. An empty list means a 416. Overlapping
        parts are merged (RFC 9110 §15.3.7.2), so together they never contain more bytes than the whole.
        """
        return _resolve(self._unit, self._ranges, length)

    def __str__(self) -> str:
        """Return the header's value: `bytes=0-99,200-,-500`."""
        return f"{self._unit}={','.join([_print_range_spec(first, last) for first, last in self._ranges])}"

    def __repr__(self) -> str:
        return f"Range.parse({str(self)!r})"

    def _identity(self) -> tuple[str, tuple[RangeSpec, ...]]:
        return self._unit, self._ranges


class ContentRange(Value):
    """The part of a representation that a message contains (RFC 9110 §14.4). Immutable.

        part = ContentRange(0, 499, 1234)

    ``first`` and ``last`` are positions, both included; ``length`` is the length of the whole representation, None if
    unknown. A 416 has only the length. For a `ByteRange`, use `ContentRange(*part, length)`. Raises ValueError for a
    part that ends before it begins or beyond the whole representation.
    """

    __slots__ = ("_first", "_last", "_length", "_unit")

    def __init__(self, first: int | None, last: int | None, length: int | None, *, unit: str = "bytes") -> None:
        if first is None or last is None:
            if first is not last or length is None:
                raise explained("bad-http-value", "a content range must have both positions, or only the length")
        else:
            _check_numbers(first, last)
            _check_order(first, last)
        if length is not None:
            _check_numbers(length)
            if last is not None and last >= length:
                raise explained("bad-http-value", f"a part to position {last} ends after the whole of {length}")
        self._first = first
        self._last = last
        self._length = length
        self._unit = _range_unit(unit)

    @classmethod
    def unsatisfied(cls, length: int) -> Self:
        """Make the value for a 416: `bytes */1234`, with the length of the representation (RFC 9110 §15.5.17)."""
        return cls(None, None, length)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `bytes 0-99/1234`, `bytes 0-99/*` or `bytes */1234`. Raises ValueError for anything else."""
        match = _content_range.fullmatch(text)
        if match is None:
            raise ValueError(f"not a content range: {text[:80]!r}")
        first, last, length = (None if digits is None else int(digits) for digits in match.group(2, 3, 4))
        return cls(first, last, length, unit=match[1])

    @property
    def unit(self) -> str:
        """The unit in lower case: "bytes"."""
        return self._unit

    @property
    def first(self) -> int | None:
        """The first position; None in a 416."""
        return self._first

    @property
    def last(self) -> int | None:
        """The last position, inclusive; None in a 416."""
        return self._last

    @property
    def length(self) -> int | None:
        """The complete length; None if unknown."""
        return self._length

    def __str__(self) -> str:
        """Return the header's value: `bytes 0-99/1234`."""
        part = "*" if self._first is None else f"{self._first}-{self._last}"
        return f"{self._unit} {part}/{'*' if self._length is None else self._length}"

    def __repr__(self) -> str:
        return f"ContentRange.parse({str(self)!r})"


def requested_parts(header: str, length: int) -> list[ByteRange] | None:
    """Return the result of `Range.resolve` for a header, or None for a malformed header."""
    if (usual := _usual.fullmatch(header)) is None:
        try:
            unit, ranges = _parse(header)
        except ValueError:
            return None
        return _resolve(unit, ranges, length)
    first, last = usual.groups()
    start, end = int(first), None if last is None else int(last)
    if not length or (end is not None and end < start):
        return None
    part = _within(start, end, length)
    return [] if part is None else [part]


def _range_unit(unit: str) -> str:
    if unit == "bytes":
        return unit
    if not is_token(unit):
        raise explained("bad-http-value", f"a range's unit must be a token: {unit[:80]!r}")
    return unit.lower()


def _check_numbers(*numbers: int | None) -> None:
    for number in numbers:
        if number is not None and (type(number) is not int or not 0 <= number < _LIMIT):
            raise explained("bad-http-value", f"not a whole number of at most {_DIGITS} digits: {number!r:.80}")


def _check_order(first: int | None, last: int | None) -> None:
    if first is None:
        if last is None:
            raise explained("bad-http-value", "a range must have a first position, a last one, or both")
    elif last is not None and last < first:
        raise explained("bad-http-value", f"a range ends before it begins: {first}-{last}")


def _parse(text: str) -> tuple[str, list[RangeSpec]]:
    """Read a Range header's unit and parts. Raises ValueError."""
    unit, _, written = text.partition("=")
    if written.count(",") >= _MOST_RANGES:
        raise ValueError(f"more than {_MOST_RANGES} ranges: {text[:80]!r}")
    elements = split_list(written)
    if not elements:
        raise ValueError(f"no range: {text[:80]!r}")
    return _range_unit(unit), [_parse_spec(element) for element in elements]


def _parse_spec(element: str) -> RangeSpec:
    match = _range_spec.fullmatch(element)
    if match is None:
        raise ValueError(f"not a range: {element[:80]!r}")
    first, last = match.groups()
    spec = int(first) if first else None, int(last) if last else None
    _check_order(*spec)
    return spec


def _resolve(unit: str, ranges: Sequence[RangeSpec], length: int) -> list[ByteRange] | None:
    if unit != "bytes" or not length:
        return None
    found = [part for first, last in ranges if (part := _within(first, last, length))]
    return found if len(found) < 2 else _merge_overlapping(found)


def _print_range_spec(first: int | None, last: int | None) -> str:
    return f"{'' if first is None else first}-{'' if last is None else last}"


def _within(first: int | None, last: int | None, length: int) -> ByteRange | None:
    """Return the part of `length` bytes that a range covers; None if it covers none of them."""
    if first is None:
        return ByteRange(max(length - last, 0), length - 1) if last and length else None
    if first >= length:
        return None
    return ByteRange(first, length - 1 if last is None or last >= length else last)


def _merge_overlapping(parts: list[ByteRange]) -> list[ByteRange]:
    """Merge overlapping parts, each at the position of its first part."""
    merged: list[tuple[int, ByteRange]] = []
    for place, part in sorted(enumerate(parts), key=lambda placed: placed[1]):
        if merged and part.first <= merged[-1][1].last:
            earlier_place, earlier = merged[-1]
            merged[-1] = min(place, earlier_place), ByteRange(earlier.first, max(part.last, earlier.last))
        else:
            merged.append((place, part))
    return [part for _, part in sorted(merged)]
