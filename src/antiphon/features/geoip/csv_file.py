"""GeoIP from a CSV file: address ranges, each with a value, packed into arrays once."""

import csv
import logging
import os
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple, Protocol

from antiphon import explained
from antiphon.features import GeoLocation
from antiphon.features.geoip.address import Address, AddressRange

_LOW = (1 << 64) - 1


class Numbers(Protocol):
    """A memory-efficient list of numbers."""

    def append(self, number: int, /) -> None: ...
    def __getitem__(self, index: int, /) -> int: ...

    def rank(self, number: int) -> int:
        """Return how many of the sorted numbers are not above ``number``."""
        ...


class Numbers32:
    """Numbers of up to 32 bits, such as IPv4 addresses, in four bytes each."""

    __slots__ = ("_numbers", "append")

    def __init__(self) -> None:
        self._numbers = array("I")
        self.append = self._numbers.append

    def __getitem__(self, index: int, /) -> int:
        return self._numbers[index]

    def rank(self, number: int) -> int:
        return bisect_right(self._numbers, number)


class Numbers128:
    """Numbers of up to 128 bits, such as IPv6 addresses, in sixteen bytes each: upper and lower halves."""

    __slots__ = ("_high", "_low")

    def __init__(self) -> None:
        self._high = array("Q")
        self._low = array("Q")

    def append(self, number: int, /) -> None:
        self._high.append(number >> 64)
        self._low.append(number & _LOW)

    def __getitem__(self, index: int, /) -> int:
        return self._high[index] << 64 | self._low[index]

    def rank(self, number: int) -> int:
        high = number >> 64
        end = bisect_right(self._high, high)
        return bisect_right(self._low, number & _LOW, bisect_left(self._high, high, 0, end), end)


class Ranges:
    """Ranges of numbers, each with a value, which is a number below 2**32. Ranges are added in any order and then
    arranged once. If several ranges contain a number, the narrowest wins; among equally wide ranges, the last one added
    wins.
    """

    __slots__ = ("_are_arranged", "_ends", "_kind", "_starts", "_values")

    def __init__(self, kind: type[Numbers32] | type[Numbers128]) -> None:
        self._kind = kind
        self._starts: Numbers = kind()
        self._ends: Numbers = kind()
        self._values = array("I")
        self._are_arranged = True

    def add(self, start: int, end: int, value: int) -> None:
        """Add the range from ``start`` to ``end``, inclusive."""
        if self._values and start <= self._ends[-1]:
            self._are_arranged = False
        self._starts.append(start)
        self._ends.append(end)
        self._values.append(value)

    def find(self, number: int) -> int | None:
        """Return the value of a number, or None if no range contains it. The ranges must be arranged."""
        index = self._starts.rank(number) - 1
        return self._values[index] if index >= 0 and number <= self._ends[index] else None

    def arranged(self) -> "Ranges":
        """Return these ranges sorted and without overlap."""
        if self._are_arranged:
            return self
        apart = Ranges(self._kind)
        for start, end, value in self._apart():
            apart.add(start, end, value)
        return apart

    def _apart(self) -> Iterator[tuple[int, int, int]]:
        starts, ends, values = self._starts, self._ends, self._values
        order = iter(sorted(range(len(values)), key=starts.__getitem__))
        ahead = next(order, None)
        at = 0
        covering: list[tuple[int, int, int, int]] = []
        while ahead is not None or covering:
            if not covering and ahead is not None:
                at = starts[ahead]
            while ahead is not None and starts[ahead] == at:
                heappush(covering, (ends[ahead] - at, -ahead, ends[ahead], values[ahead]))
                ahead = next(order, None)
            *_, end, value = covering[0]
            if end < at:
                heappop(covering)
                continue
            until = end if ahead is None else min(end, starts[ahead] - 1)
            yield at, until, value
            at = until + 1

    def __len__(self) -> int:
        return len(self._values)


MOST_NAMED = 10
"""The maximum number of malformed lines to list in the log."""

_RANGE = {
    "network": "network cidr prefix subnet ip_range",
    "from": "from ip_from ip_from_int from_ip start ip_start start_ip range_start first_ip",
    "to": "to ip_to ip_to_int to_ip end ip_end end_ip range_end last_ip",
}
_VALUES = {
    "city": "city city_name",
    "country": "country country_name",
    "lat": "lat latitude",
    "lon": "lon lng long longitude",
}
_NAMES = {other: name for known in (_RANGE, _VALUES) for name, others in known.items() for other in others.split()}
"""Antiphon's column names, by the names used in files."""
_BOUNDS = {"lat": 90.0, "lon": 180.0}
_UNKNOWN = ("", "-")
_not_in_words = re.compile(r"\W+")


class Columns(NamedTuple):
    """The columns in a file: the address columns, and the names and indexes of the value columns."""

    addresses: tuple[int, ...]
    """The column of a network, or the columns of a range's first and last addresses."""
    values: dict[str, int]
    pick: Callable[[Sequence[str]], Sequence[str]]
    """A function that returns a row's values, in the order of their names."""
    width: int
    is_open: bool = False
    """True if there may be additional columns without names."""

    @classmethod
    def named(cls, given: Sequence[str]) -> "Columns":
        """Return the columns with these names. Empty names are skipped."""
        words = [*map(_word, given)]
        if "country_name" in words:  # next to a code
            words = ["country_code" if word == "country" else word for word in words]
        names = [_NAMES.get(word, word) for word in words]
        if "network" in names:
            addresses: tuple[int, ...] = (names.index("network"),)
        else:
            addresses = (names.index("from"), names.index("to")) if {"from", "to"} <= {*names} else (0, 1)
        values = {name: index for index, name in enumerate(names) if name and index not in addresses}
        return cls(addresses, values, _pick(values), len(names))

    @classmethod
    def unnamed(cls, row: Sequence[str]) -> "Columns":
        """Return the columns of a file without a header, based on its first row: ``from, to, city, country, lat,
        lon``."""
        width = 1 if "/" in row[0] else 2
        values = {name: index for index, name in enumerate(_VALUES, width)}
        return cls(tuple(range(width)), values, _pick(values), width + len(values), True)

    def range_of(self, row: Sequence[str]) -> AddressRange:
        """Return the addresses in a row. If there are none, raises ValueError with the reason."""
        if len(row) < self.width or (len(row) > self.width and not self.is_open):
            raise ValueError(f"{len(row)} of {self.width} columns")
        if len(self.addresses) == 1:
            return AddressRange.parse_network(row[self.addresses[0]])
        return AddressRange.parse(row[self.addresses[0]], row[self.addresses[1]])


class CSVLocations:
    """A file's locations, looked up by bisection. Immutable."""

    def __init__(self, ipv4: Ranges, ipv6: Ranges, names: Iterable[str], places: Iterable[bytes]) -> None:
        self._ipv4 = ipv4.arranged()
        self._ipv6 = ipv6.arranged()
        self._names = tuple(names)
        texts = list(places)
        self._text = b"".join(texts)
        self._offsets = array("Q", accumulate(map(len, texts), initial=0))

    def find(self, address: Address, language: Callable[[], str]) -> GeoLocation | None:  # noqa: ARG002
        """Return an address's values, in the file's only language, or None if there are none."""
        place = (self._ipv4 if address.is_ipv4 else self._ipv6).find(address.number)
        if place is None:
            return None
        text = self._text[self._offsets[place] : self._offsets[place + 1]].decode()
        values: dict[str, str | float | None] = {}
        for name, value in zip(self._names, text.split("\n"), strict=True):
            known = value.strip()
            values[name] = None if known in _UNKNOWN else float(known) if name in _BOUNDS else known
        return GeoLocation(**values)  # type: ignore[arg-type]  # each value has the type of its attribute


class CSVReader:
    """A reader of CSV files with address ranges. ``columns`` are the column names of files without a header.

    Malformed lines are skipped and logged. Raises ValueError if no columns contain addresses.
    """

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        self._columns: Columns | None = None
        if columns is not None:
            names = {_NAMES.get(_word(name), "") for name in columns}
            if isinstance(columns, str) or not (names >= {"from", "to"} or "network" in names):
                raise explained(
                    "bad-feature-option",
                    ValueError(
                        'columns must be a list that names the address columns: ["from", "to", ...] or ["network",'
                        f" ...], not {columns!r}"
                    ),
                )
            self._columns = Columns.named(columns)

    def read(self, path: str) -> CSVLocations:
        """Read a file. Raises OSError, or ValueError if no line contains a range."""
        reading = _Reading(self._columns)
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if line[0] not in "#\n":
                    reading.take(number, line)
        return reading.finish(path)


class _Reading:
    """The result of the lines read so far."""

    def __init__(self, columns: Columns | None) -> None:
        self._given = columns
        self._columns: Columns | None = None
        self._lines = 0
        self._faults: list[str] = []
        self._passed_over = 0
        self._ipv4 = Ranges(Numbers32)
        self._ipv6 = Ranges(Numbers128)
        self._places: dict[bytes, int] = {}

    def take(self, number: int, line: str) -> None:
        """Add the values in a line, or record that it has none."""
        self._lines += 1
        try:
            row = _fields(line)
            columns = self._columns or self._begin(row)
            if columns is not None:
                self._add(columns, row)
        except (ValueError, csv.Error) as error:
            self._passed_over += 1
            if self._passed_over <= MOST_NAMED:
                self._faults.append(f"{number} ({'not UTF-8' if isinstance(error, UnicodeError) else error})")

    def _begin(self, row: list[str]) -> Columns | None:
        """Determine the columns from the first row. Return None if it is the header. Raises ValueError if it is
        empty."""
        columns = self._given or Columns.unnamed(row)
        try:
            columns.range_of(row)
        except ValueError:
            if _NAMES.keys().isdisjoint(map(_word, row)):
                raise
            self._columns = self._given or Columns.named(row)
            return None
        self._columns = columns
        return columns

    def _add(self, columns: Columns, row: list[str]) -> None:
        first, last, is_ipv4 = columns.range_of(row)
        text = "\n".join(columns.pick(row)).encode()
        place = self._places.get(text)
        if place is None:
            for name, most in _BOUNDS.items():
                if name in columns.values:
                    _check_degrees(name, row[columns.values[name]], most)
            place = self._places[text] = len(self._places)
        (self._ipv4 if is_ipv4 else self._ipv6).add(first, last, place)

    def finish(self, path: str) -> CSVLocations:
        """Return the result, and log the lines that were skipped. Raises ValueError if no line was read."""
        name = os.path.basename(path)
        more = f", and {self._passed_over - len(self._faults)} more" * (self._passed_over > len(self._faults))
        faults = f"line {', '.join(self._faults)}{more}"
        if not (self._ipv4 or self._ipv6) or self._columns is None:
            raise explained(
                "bad-locations-file",
                ValueError(
                    f"{name} has no line with a range of addresses{f': {faults}' if self._faults else ''}."
                    " If it has other columns than from, to, city, country, lat and lon, name them:"
                    " GeoIP(path, columns=[...])"
                ),
            )
        if self._faults:
            logging.getLogger("antiphon").warning(
                "%s: %d of %d lines are malformed, and were skipped: %s",
                *(name, self._passed_over, self._lines, faults),
            )
        return CSVLocations(self._ipv4, self._ipv6, self._columns.values, self._places)


def _pick(values: Mapping[str, int]) -> Callable[[Sequence[str]], Sequence[str]]:
    indexes = tuple(values.values())
    return itemgetter(*indexes) if len(indexes) > 1 else lambda row: [row[index] for index in indexes]


def _fields(line: str) -> list[str]:
    """Return a line's fields. Raises csv.Error for an unclosed quote."""
    line = line.rstrip("\n")
    return next(csv.reader((line,), strict=True, skipinitialspace=True)) if '"' in line else line.split(",")


def _word(name: str) -> str:
    return _not_in_words.sub("_", name.strip().lower()).strip("_")


def _check_degrees(name: str, text: str, most: float) -> None:
    text = text.strip()
    try:
        if text in _UNKNOWN or abs(float(text)) <= most:
            return
    except ValueError:
        pass
    raise ValueError(f"{name} is not a number of degrees")
