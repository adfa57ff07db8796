"""Clients' locations: ranges of addresses with a city, a country and coordinates, in ``.asok/geo.csv``."""

import csv
import logging
from bisect import bisect_right
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from operator import itemgetter
from typing import Any

_VALUES = ["city", "country", "lat", "lon"]
_UNKNOWN: dict[str, Any] = {"city": "Unknown", "country": "Unknown", "lat": 0.0, "lon": 0.0}
_MAPPED = 0xFFFF << 32
"""The first IPv4-mapped IPv6 address, as a number (RFC 4291 §2.5.5.2)."""

_Row = tuple[int, int, list[str]]


class Locations:
    """The locations in a file. Lines that are not a range of addresses are skipped and logged.

    Each line has a range's first and last address, as numbers or as text, or a network, then the values. A first line
    may name the columns. Ranges must not overlap.
    """

    def __init__(self) -> None:
        self._names = _VALUES
        self._rows: list[_Row] = []
        self._firsts: list[int] = []

    def read(self, path: str) -> None:
        """Read a file. Without ranges or a file, all locations are unknown, and the log says why."""
        malformed = 0
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                for line, fields in enumerate(csv.reader(file)):
                    try:
                        self._rows.append(_row(fields))
                    except ValueError:
                        if line == 0 and "city" in fields:
                            self._names = [name for name in map(str.strip, fields) if name not in _ADDRESSES]
                        elif fields:
                            malformed += 1
        except (OSError, ValueError, csv.Error) as error:
            logging.getLogger("antiphon").warning("the locations of clients are unknown: %s", error)
        if malformed or not self._rows:
            told = "%s has %d ranges of addresses, and %d malformed lines"
            logging.getLogger("antiphon").warning(told, path, len(self._rows), malformed)
        self._rows.sort(key=itemgetter(0))
        self._firsts = [first for first, _, _ in self._rows]

    def find(self, ip: str | None) -> Mapping[str, Any]:
        """Return the values of an address: "Unknown" and 0.0 where the file has none."""
        try:
            number = _number(ip_address((ip or "").partition("%")[0]))
        except ValueError:
            return _UNKNOWN
        index = bisect_right(self._firsts, number) - 1
        if index < 0 or self._rows[index][1] < number:
            return _UNKNOWN
        found = {
            name: _value(name, text.strip()) for name, text in zip(self._names, self._rows[index][2], strict=False)
        }
        return _UNKNOWN | {name: value for name, value in found.items() if value is not None}


_ADDRESSES = {"ip_from", "ip_to", "ip_from_int", "ip_to_int", "from", "to", "start", "end", "network"}
"""The names of columns with addresses."""


def _row(fields: list[str]) -> _Row:
    """Return a line's first and last address as numbers, and its values. Raises ValueError without a range."""
    if not fields or "/" in fields[0]:
        network = ip_network(fields[0].strip() if fields else "")
        return _number(network[0]), _number(network[-1]), fields[1:]
    first, last = (_number(_address(field)) for field in (*fields, "")[:2])
    if last < first:
        raise ValueError("the end of the range is before its start")
    return first, last, fields[2:]


def _address(text: str) -> IPv4Address | IPv6Address:
    text = text.strip()
    return ip_address(int(text) if text.isdecimal() else text)


def _number(address: IPv4Address | IPv6Address) -> int:
    """Return an address as a number, in which an IPv4 address is the IPv6 address that it is mapped to."""
    return int(address) + _MAPPED if address.version == 4 else int(address)


def _value(name: str, text: str) -> str | float | None:
    if text in ("", "-"):
        return None
    if name not in ("lat", "lon"):
        return text
    try:
        return float(text)
    except ValueError:
        return None
