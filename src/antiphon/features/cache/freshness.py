"""How long a response is fresh, and how old it is (RFC 9111 §4.2). Only header fields are read, and no clock."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from antiphon.http.cache_control import CacheControl
from antiphon.http.grammar import parse_or_none
from antiphon.http.header_property import read_date, read_number
from antiphon.http.headers import combined
from antiphon.http.structured_fields import Item, parse_structured_dictionary

_leading_digits = re.compile(r"[0-9]++(?![^,;\x20\t])").match
"""Finds the number in Age, before a parameter or another number that does not belong there."""

TARGETED = ("antiphon-cache-control", "cdn-cache-control")
"""The fields that override Cache-Control, the most important first (RFC 9213 §2.2)."""

HEURISTIC_STATUSES = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses whose responses may be fresh without an explicit lifetime (RFC 9110 §15.1)."""

HEURISTIC_PART = 0.1
"""The lifetime of such a response, as a fraction of the time since its last change (RFC 9111 §4.2.2)."""


class Control(NamedTuple):
    """The directives of a response that count for this cache, and its lifetime in seconds.

    ``is_explicit`` is true if the response states its lifetime.
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
    """Return the directives of a response for this cache, which received it at ``received``, in seconds since 1970."""
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
    """Return the directives of a targeted field, or None if it is absent, empty or malformed (RFC 9213 §2.1)."""
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
    """Return a date, in upper or lower case, in seconds since 1970; None if absent or malformed (RFC 9111 §4.2)."""
    found = read_date(date)
    if found is None and date is not None:
        found = read_date(date.title().replace("Gmt", "GMT"))
    return None if found is None else found.timestamp()


def age_when_received(fields: Sequence[tuple[str, str]], asked: float, received: float) -> float:
    """Return the age in seconds of a response that was requested and received at these times (RFC 9111 §4.2.3)."""
    found = combined(fields)
    sent = seconds_since_1970(found.get("date"))
    digits = _leading_digits(found.get("age") or "")
    said = read_number(digits[0]) or 0 if digits else 0
    apparent = 0.0 if sent is None else max(0.0, received - sent)
    return max(apparent, said + max(0.0, received - asked))
