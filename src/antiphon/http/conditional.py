"""Conditional requests: evaluate preconditions in the order of RFC 9110 §13.2.2, and decide on ranges.

Dates are compared in whole seconds, without a clock: a modification date in the future counts like any other.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, Self, TypeAlias

from antiphon.http.dates import aware, format_http_date, parse_http_date
from antiphon.http.etag import ETag, is_strongly_among, is_weakly_among, read_etags
from antiphon.http.grammar import OWS, parse_or_none
from antiphon.http.value import Value

Field: TypeAlias = Callable[[str], str | None]
"""A lookup of a request header by its name in lower case; None if the header is absent."""

READING = ("GET", "HEAD")
_WITHOUT_REPRESENTATION = ("CONNECT", "OPTIONS", "TRACE")


class IfRange(Value):
    """The value of If-Range: the entity tag or date of the version that the client has a part of (RFC 9110 §13.1.5).

    Immutable. An absent header is False and matches every version. A malformed header is True and matches none, so that
    the client gets the whole representation. Raises ValueError for a date outside of the years 1 to 9999.
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
            self._date = parse_http_date(format_http_date(validator))

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value; None stands for an absent header. Never raises."""
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
        """True if a part of the version with this tag and modification date may be sent.

        Tags are compared strongly, and dates must be equal to the second. A date never matches a version with a weak
        tag: there can be several such versions in one second. For content that may change twice within a second, and
        has no tag, give no date (RFC 9110 §8.8.2.2).
        """
        if self._etag is not None:
            return etag is not None and self._etag.strong_match(etag)
        if self._date is not None:
            is_only_one = etag is None or not etag.weak
            return is_only_one and modified is not None and self._date == aware(modified).replace(microsecond=0)
        return not self._is_present

    def __bool__(self) -> bool:
        return self._is_present

    def __str__(self) -> str:
        """Return the header's value; "" if it is absent or malformed."""
        if self._etag is not None:
            return str(self._etag)
        return "" if self._date is None else format_http_date(self._date)

    def __repr__(self) -> str:
        return f"IfRange.parse({str(self) if self else None!r})"

    def _identity(self) -> tuple[bool, str]:
        return self._is_present, str(self)


def evaluate_preconditions(
    method: str,
    field: Field,
    etag: str | None = None,
    modified: str | datetime | None = None,
    *,
    exists: bool = True,
) -> Literal[304, 412] | None:
    """Return the status that the request's conditions call for; None if the request can go on (RFC 9110 §13.2.2).

    ``etag`` and ``modified`` are the ETag and Last-Modified of the current representation, None without one. Malformed
    values count as absent. ``modified`` may be an aware datetime. ``exists`` is False if there is no
    representation yet, the case that `*` tests. Raises ValueError for a naive datetime.

    Call it only for requests that would otherwise be answered with a 2xx or 412 (§13.2.1). A malformed condition never
    lets a write through, except for malformed dates, which must be ignored (§13.1.4).
    """
    if isinstance(modified, datetime):
        modified = aware(modified).replace(microsecond=0)
    reads = method in READING
    if not reads and method in _WITHOUT_REPRESENTATION:
        return None
    if not exists:
        return 412 if field("if-match") is not None else None
    if _is_other_version(field, etag, modified):
        return 412
    if _is_known_version(field, etag, modified, reads):
        return 304 if reads else 412
    return None


def _is_other_version(field: Field, etag: str | None, modified: str | datetime | None) -> bool:
    """True if the request is meant for a version other than the current one: steps 1 and 2."""
    if_match = field("if-match")
    if if_match is not None:
        return not is_strongly_among(read_etags(if_match)[0], etag)
    if modified is None or (since := field("if-unmodified-since")) is None:
        return False
    return _is_modified_since(since, modified) is True


def _is_known_version(field: Field, etag: str | None, modified: str | datetime | None, reads: bool) -> bool:
    """True if the client has the current version, or a write may only create one: steps 3 and 4.

    Only reads check a date, and only writes check that the list of tags was read to its end.
    """
    if_none_match = field("if-none-match")
    if if_none_match is not None:
        listed, is_complete = read_etags(if_none_match)
        return is_weakly_among(listed, etag) or not (reads or is_complete)
    if not reads or modified is None or (since := field("if-modified-since")) is None:
        return False
    return _is_modified_since(since, modified) is False


def applicable_range(method: str, field: Field, etag: str | None = None, modified: str | None = None) -> str | None:
    """Return the value of Range if it applies to this version, else None: step 5, after the other conditions.

    Ranges are defined for GET only (RFC 9110 §14.2), and If-Range must match this version.
    """
    wanted = field("range") if method == "GET" else None
    if wanted is None:
        return None
    if_range = field("if-range")
    if if_range is None or IfRange.parse(if_range).matches(_parse_etag(etag), _parse_date(modified)):
        return wanted
    return None


def _is_modified_since(header: str, modified: str | datetime) -> bool | None:
    """True if the modification is later than the header's date; None if either date is malformed."""
    since = _parse_date(header)
    if since is None:
        return None
    last = modified if isinstance(modified, datetime) else _parse_date(modified)
    return None if last is None else last > since


def _parse_etag(header: str | None) -> ETag | None:
    return parse_or_none(ETag.parse, header and header.strip(OWS))


def _parse_date(header: str | None) -> datetime | None:
    return parse_or_none(parse_http_date, header and header.strip(OWS))
