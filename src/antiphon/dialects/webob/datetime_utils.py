"""HTTP dates in UTC, and durations."""

import calendar
import time
from datetime import date, datetime, timedelta, tzinfo
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from antiphon.http import format_http_date

__all__ = [
    "UTC", "day", "hour", "minute", "month", "parse_date", "parse_date_delta", "second", "serialize_date",
    "serialize_date_delta", "timedelta_to_seconds", "week", "year",
]  # fmt: skip


class _UTC(tzinfo):
    def dst(self, _dt: datetime | None, /) -> timedelta:
        return timedelta(0)

    def utcoffset(self, _dt: datetime | None, /) -> timedelta:
        return timedelta(0)

    def tzname(self, _dt: datetime | None, /) -> str:
        return "UTC"

    def __repr__(self) -> str:
        return "UTC"

    def __reduce__(self) -> str:
        return "UTC"


UTC = _UTC()
"""The time zone of all parsed dates."""

second = timedelta(seconds=1)
minute = timedelta(minutes=1)
hour = timedelta(hours=1)
day = timedelta(days=1)
week = timedelta(weeks=1)
month = timedelta(days=30)
year = timedelta(days=365)


def timedelta_to_seconds(td: timedelta) -> int:
    """Convert a duration to whole seconds."""
    return td.seconds + td.days * 86400


def now() -> datetime:
    return datetime.now(UTC)


def parse_date(value: str | bytes | None) -> datetime | None:
    """Parse a date in HTTP or email format, by default in UTC. Return None if it is malformed."""
    if not value:
        return None
    try:
        read = parsedate_tz(value.decode("latin-1") if isinstance(value, bytes) else value)
        if read is None:
            return None
        zoned = read if read[-1] is not None else (*read[:9], 0)
        return datetime.fromtimestamp(mktime_tz(zoned), UTC)
    except (ValueError, OverflowError, OSError, AttributeError, TypeError):
        return None


def serialize_date(dt: Any) -> str:
    """Format a date, time tuple, number of seconds since 1970, or duration from now as an HTTP date.

    A naive datetime is in UTC. Text is returned unchanged. Raises ValueError for anything else.
    """
    if isinstance(dt, (str, bytes)):
        return dt.decode("ascii") if isinstance(dt, bytes) else dt
    if isinstance(dt, timedelta):
        dt = now() + dt
    if isinstance(dt, datetime):
        return format_http_date(dt if dt.tzinfo else dt.replace(tzinfo=UTC))
    if isinstance(dt, date):
        dt = dt.timetuple()
    if isinstance(dt, (tuple, time.struct_time)):
        dt = calendar.timegm(dt)
    if not isinstance(dt, (int, float)):
        raise ValueError(f"You must pass in a datetime, date, time tuple, or integer object, not {dt!r:.200}")
    return format_http_date(dt)


def parse_date_delta(value: str | None) -> datetime | None:
    """Parse a date, or convert a number of seconds from now to one. Return None if it is malformed."""
    if not value:
        return None
    try:
        return now() + timedelta(seconds=int(value))
    except OverflowError:
        return None
    except ValueError:
        return parse_date(value)


def serialize_date_delta(value: Any) -> str:
    """Format a number of seconds as it is, and any other time as ``serialize_date`` does."""
    return str(int(value)) if isinstance(value, (int, float)) else serialize_date(value)
