"""Conditional requests: which headers are asked, in which order, and what follows (RFC 9110 §13).

Dates count in whole seconds, and no clock is asked: a modification date in the future is one like any other.
"""

from datetime import UTC, datetime
from typing import Literal, Self

from antiphon.http.dates import format_date, parse_date
from antiphon.http.etag import ETag, IfMatch, IfNoneMatch
from antiphon.http.grammar import OWS

_READING = ("GET", "HEAD")
_WITHOUT_REPRESENTATION = ("CONNECT", "OPTIONS", "TRACE")


class IfRange:
    """What If-Range has: the entity tag or the date of the version that a client has a part of (RFC 9110 §13.1.5).

    Immutable. An absent header is False and matches every version; one that can't be read is True and matches none,
    so that the client is sent the whole. Raises ValueError for a date that no header can have.
    """

    __slots__ = ("_date", "_etag", "_is_present")

    _etag: ETag | None
    _date: datetime | None
    _is_present: bool

    def __init__(self, validator: ETag | datetime) -> None:
        self._is_present = True
        self._etag = self._date = None
        if isinstance(validator, ETag):
            self._etag = validator
        else:
            self._date = parse_date(format_date(validator))

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value, or None when the request has no such header. Never raises."""
        self = cls.__new__(cls)
        self._is_present = header is not None
        self._etag = _parse_etag(header)
        self._date = _parse_date(header)
        return self

    @property
    def etag(self) -> ETag | None:
        """The entity tag, or None."""
        return self._etag

    @property
    def date(self) -> datetime | None:
        """The date in UTC, or None."""
        return self._date

    def matches(self, etag: ETag | None, modified: datetime | None = None) -> bool:
        """Whether a part of the version with this tag and modification date may be sent.

        Tags are compared strongly, dates have to be the same second. A representation that may change twice within
        a second should have a tag, and be given here without a date (RFC 9110 §8.8.2.2).
        """
        if self._etag is not None:
            return etag is not None and self._etag.strong_match(etag)
        if self._date is not None:
            return modified is not None and self._date == _whole_second(modified)
        return not self._is_present

    def __bool__(self) -> bool:
        return self._is_present

    def __str__(self) -> str:
        """Return the header's value, "" when it is absent or could not be read."""
        if self._etag is not None:
            return str(self._etag)
        return "" if self._date is None else format_date(self._date)

    def __repr__(self) -> str:
        return f"IfRange.parse({str(self) if self else None!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IfRange):
            return NotImplemented
        return (self._is_present, str(self)) == (other._is_present, str(other))

    def __hash__(self) -> int:
        return hash((self._is_present, str(self)))


class Preconditions:
    """The conditions that a request makes, from its method and the values of five headers; None is an absent one.

    They count only for a request that would otherwise be answered with a 2xx or 412 (RFC 9110 §13.2.1). What can't be
    read never makes a condition true by which a write is guarded, but for dates that are none: those must be ignored
    (§13.1.4).
    """

    __slots__ = (
        "_if_match",
        "_if_modified_since",
        "_if_none_match",
        "_if_range",
        "_if_unmodified_since",
        "_method",
    )

    def __init__(
        self,
        method: str,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_modified_since: str | None = None,
        if_unmodified_since: str | None = None,
        if_range: str | None = None,
    ) -> None:
        self._method = method
        self._if_match = if_match
        self._if_none_match = if_none_match
        self._if_modified_since = if_modified_since
        self._if_unmodified_since = if_unmodified_since
        self._if_range = if_range

    def evaluate(
        self, etag: ETag | None = None, modified: datetime | None = None, *, exists: bool = True
    ) -> Literal[304, 412] | None:
        """Return the status that ends the request, or None when it goes on (RFC 9110 §13.2.2).

        ``etag`` and ``modified`` (UTC when naive) are of the current representation, None where it has none.
        ``exists`` is False when there is no representation yet: what a `*` asks.
        """
        if self._method in _WITHOUT_REPRESENTATION:
            return None
        if not exists:
            return 412 if self._if_match is not None else None
        if self._is_other_version(etag, modified):
            return 412
        if self._is_known_version(etag, modified):
            return 304 if self._method in _READING else 412
        return None

    def _is_other_version(self, etag: ETag | None, modified: datetime | None) -> bool:
        """Whether the request is meant for another version than this one: steps 1 and 2."""
        if self._if_match is not None:
            return not IfMatch.parse(self._if_match).strong_match(etag)
        return _modified_since(self._if_unmodified_since, modified) is True

    def _is_known_version(self, etag: ETag | None, modified: datetime | None) -> bool:
        """Whether the request is meant for any version but this one: steps 3 and 4."""
        reading = self._method in _READING
        if self._if_none_match is not None:
            known = IfNoneMatch.parse(self._if_none_match)
            return known.weak_match(etag) or not (reading or known.is_complete)
        return reading and _modified_since(self._if_modified_since, modified) is False

    def range_applies(self, etag: ETag | None = None, modified: datetime | None = None) -> bool:
        """Whether Range may be followed when `evaluate` lets the request go on: step 5.

        Ranges are defined for GET only (RFC 9110 §14.2), and If-Range has to name this version.
        """
        return self._method == "GET" and IfRange.parse(self._if_range).matches(etag, modified)


def _modified_since(header: str | None, modified: datetime | None) -> bool | None:
    """Whether it was modified after the header's date; None without a modification date or a readable header."""
    if header is None or modified is None:
        return None
    date = _parse_date(header)
    return None if date is None else _whole_second(modified) > date


def _parse_etag(header: str | None) -> ETag | None:
    try:
        return None if header is None else ETag.parse(header.strip(OWS))
    except ValueError:
        return None


def _parse_date(header: str | None) -> datetime | None:
    try:
        return None if header is None else parse_date(header.strip(OWS))
    except ValueError:
        return None


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) if moment.tzinfo else moment.replace(microsecond=0, tzinfo=UTC)
