"""Dates and ages."""

from datetime import UTC, date, datetime, time, timedelta
from time import mktime, struct_time

from antiphon.http import dates


def parse_date(value: str | None) -> datetime | None:
    """Return the moment, in UTC where it names no zone; None for what is no date. Dates of mail with a zone are read,
    too.
    """
    if value is None:
        return None
    try:
        return dates.parse_date(value, latest_year=2068)
    except ValueError:
        return _parse_mail_date(value)


def _parse_mail_date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        aware.astimezone(UTC)  # a zone may put the end of 9999 into the year 10000
    except (TypeError, ValueError, OverflowError):
        return None
    return aware


def http_date(timestamp: datetime | date | float | struct_time | None = None) -> str:
    """Return a moment as headers have it: of None now, of a day its beginning, of a struct_time in local time."""
    if timestamp is None:
        timestamp = datetime.now(UTC)
    elif isinstance(timestamp, struct_time):
        timestamp = mktime(timestamp)
    elif isinstance(timestamp, date) and not isinstance(timestamp, datetime):
        timestamp = datetime.combine(timestamp, time(), tzinfo=UTC)
    return dates.format_date(timestamp)


def parse_age(value: str | None = None) -> timedelta | None:
    """How old something is; None for what is no number of seconds from 0."""
    try:
        seconds = int(value or "")
        return timedelta(seconds=seconds) if seconds >= 0 else None
    except (ValueError, OverflowError):
        return None


def dump_age(age: timedelta | int | None = None) -> str | None:
    """Return the whole seconds of an age, None for none. Raises ValueError for a negative one."""
    if age is None:
        return None
    seconds = int(age.total_seconds() if isinstance(age, timedelta) else age)
    if seconds < 0:
        raise ValueError(f"an age is not negative: {age!r}")
    return str(seconds)


def cookie_date(expires: datetime | float | None = None) -> str:
    """Return a moment as cookies have it."""
    return http_date(expires)
