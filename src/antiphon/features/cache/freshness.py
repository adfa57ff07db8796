"""How long a response is fresh, and how old it is (RFC 9111 §4.2). Nothing is read but header fields, and no clock."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import parse_or_none
from antiphon.http.header_property import read_date, read_number
from antiphon.http.headers import combined
from antiphon.http.structured_fields import Item, parse_structured_dictionary

_leading_digits = re.compile(r"[0-9]++(?![^,;\x20\t])").match
"""Finds the number in Age, before a parameter or another one that does not belong there."""

TARGETED = ("antiphon-cache-control", "cdn-cache-control")
"""The fields that count in place of Cache-Control, the first one first (RFC 9213 §2.2)."""

HEURISTIC_STATUSES = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses of which a response may be fresh for a time that nobody has named (RFC 9110 §15.1)."""

HEURISTIC_PART = 0.1
"""The part of the time since its last change for which such a response is fresh (RFC 9111 §4.2.2)."""


class Control(NamedTuple):
    """The directives of a response that count for this cache, and how long the response is fresh, in seconds.

    ``is_explicit`` is true if the response says how long.
    """

    directives: CacheControl
    lifetime: float
    is_explicit: bool

    @property
    def must_revalidate(self) -> bool:
        """True if the response is never served stale (RFC 9111 §4.2.4, §5.2.2.10)."""
        said = self.directives
        return said.must_revalidate or said.proxy_revalidate or said.s_maxage is not None or said.no_cache is True


def control_of(status: int, fields: Sequence[tuple[str, str]], received: float) -> Control:
    """Return what a response says to this cache, which received it at a time, in seconds since 1970."""
    found = combined(fields)
    for name in TARGETED:
        if (said := _targeted(found.get(name))) is not None:
            return Control(said, *_stated(said))
    said = CacheControl.parse(found.get("cache-control"))
    lifetime, is_explicit = _stated(said)
    if is_explicit:
        return Control(said, lifetime, True)
    sent = seconds_since_1970(found.get("date"))
    sent = received if sent is None else sent
    if "expires" in found:
        expires = seconds_since_1970(found["expires"])
        return Control(said, 0.0 if expires is None else max(0.0, expires - sent), True)
    changed = seconds_since_1970(found.get("last-modified"))
    if changed is None or not (status in HEURISTIC_STATUSES or said.public):
        return Control(said, 0.0, False)
    return Control(said, max(0.0, (sent - changed) * HEURISTIC_PART), False)


def _targeted(value: str | None) -> CacheControl | None:
    """Return the directives of a targeted field; None for one that is absent, empty or malformed (RFC 9213 §2.1)."""
    members = None if value is None else parse_or_none(parse_structured_dictionary, value)
    if not members:
        return None
    items = {name: item.value for name, item in members.items() if isinstance(item, Item)}
    return CacheControl.parse(", ".join(_directives(items.items())))


def _directives(items: Iterable[tuple[str, object]]) -> Iterable[str]:
    for name, value in items:
        if value is True:
            yield name
        elif type(value) is int:
            yield f"{name}={value}"


def _stated(said: CacheControl) -> tuple[float, bool]:
    for seconds in (said.s_maxage, said.max_age):
        if seconds is not None:
            return float(seconds), True
    return 0.0, False


def seconds_since_1970(date: str | None) -> float | None:
    """Return a date in seconds since 1970, in any case of letters; None if absent or malformed (RFC 9111 §4.2)."""
    found = read_date(date)
    if found is None and date is not None:
        found = read_date(date.title().replace("Gmt", "GMT"))
    return None if found is None else found.timestamp()


def age_when_received(fields: Sequence[tuple[str, str]], asked: float, received: float) -> float:
    """Return the age in seconds of a response that was asked for and received at these times (RFC 9111 §4.2.3)."""
    found = combined(fields)
    sent = seconds_since_1970(found.get("date"))
    digits = _leading_digits(found.get("age") or "")
    said = read_number(digits[0]) or 0 if digits else 0
    apparent = 0.0 if sent is None else max(0.0, received - sent)
    return max(apparent, said + max(0.0, received - asked))
