"""Dates and ages in the format of headers."""

from datetime import UTC, date, datetime, time, timedelta
from time import mktime, struct_time

from antiphon.http import dates


def parse_date(value: str | None) -> datetime | None:
    """Return a date, in UTC if it names no zone; None if it is malformed. Dates of mail, with a zone, are read too."""
    if value is None:
        return None
    try:
        return dates.parse_http_date(value, latest_year=2068)
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
    """Return a date as headers have it: of now for None, of midnight for a day, of local time for a struct_time.

    A datetime without a time zone is in UTC.
    """
    if timestamp is None:
        timestamp = datetime.now(UTC)
    elif isinstance(timestamp, struct_time):
        timestamp = mktime(timestamp)
    elif isinstance(timestamp, datetime):
        timestamp = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    elif isinstance(timestamp, date):
        timestamp = datetime.combine(timestamp, time(), tzinfo=UTC)
    return dates.format_http_date(timestamp)


def parse_age(value: str | None = None) -> timedelta | None:
    """Return an age, or None for anything but a non-negative number of seconds."""
    try:
        seconds = int(value or "")
        return timedelta(seconds=seconds) if seconds >= 0 else None
    except (ValueError, OverflowError):
        return None


def dump_age(age: timedelta | int | None = None) -> str | None:
    """Return the whole seconds of an age; None for None. Raises ValueError for a negative age."""
    if age is None:
        return None
    seconds = int(age.total_seconds() if isinstance(age, timedelta) else age)
    if seconds < 0:
        raise ValueError(f"an age is not negative: {age!r}")
    return str(seconds)


def cookie_date(expires: datetime | float | None = None) -> str:
    """Return a date as cookies have it."""
    return http_date(expires)
