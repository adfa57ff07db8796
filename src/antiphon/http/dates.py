"""HTTP dates (RFC 9110 §5.6.7) and structured-field dates (RFC 9651 §3.3.7), in UTC and whole seconds, and durations.

All three forms of HTTP dates are read; dates are printed as IMF-fixdate. Retry-After is such a date or a number of
seconds.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import TypeAlias, overload

from antiphon.explanations import explained
from antiphon.lazy import compiled_late

Duration: TypeAlias = float | timedelta
"""A length of time: seconds, or a timedelta."""


@overload
def seconds_of(duration: Duration) -> float: ...
@overload
def seconds_of(duration: Duration | None) -> float | None: ...
def seconds_of(duration: Duration | None) -> float | None:
    """Return a duration in seconds: an int for a timedelta of whole seconds. Any other object is returned unchanged."""
    if not isinstance(duration, timedelta):
        return duration
    return duration // _SECOND if not duration % _SECOND else duration.total_seconds()


_SECOND = timedelta(seconds=1)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}
"""The numbers of the months by their abbreviated names, Jan to Dec."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_KEPT = 36
"""The length of the longest text whose result is cached: an IMF-fixdate with the full name of a day."""

_DAY_NAME = "[A-Za-z]{3,9}"
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_imf_fixdate = compiled_late(
    rf"{_DAY_NAME}, ([0-9]{{2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}}) GMT"
)
_rfc850 = compiled_late(rf"{_DAY_NAME}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT")
_asctime = compiled_late(rf"{_DAY_NAME} {_MONTH} (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})")

_structured = compiled_late("@(-?[0-9]{1,15})")
_delta_seconds = compiled_late("[0-9]{1,10}")

RetryAfter: TypeAlias = int | datetime
"""The seconds after the response, or a datetime in UTC."""

MOST_SECONDS = 10**10 - 1
"""The maximum number of seconds in Retry-After, about three hundred years."""


def parse_http_date(text: str, *, latest_year: int = 2069) -> datetime:
    """Return the aware datetime (UTC) of an HTTP date (RFC 9110 §5.6.7): IMF-fixdate, RFC 850 or asctime.

    The two-digit year of an RFC 850 date is the last such year up to `latest_year`: by default 70-99 are 19xx
    and 00-69 are 20xx; pass the current year + 50 for the rule of RFC 9110. The name of the day need not match the
    date. The leap second :60, which datetime can't represent, is read as :59. Raises ValueError for anything else.
    """
    if len(text) <= _LONGEST_KEPT and (date := _parse_imf_fixdate(text)):
        return date
    if match := _rfc850.fullmatch(text) or _asctime.fullmatch(text):
        year, *rest = match.group("year", "month", "day", "hour", "minute", "second")
        full_year = int(year) if len(year) == 4 else latest_year - (latest_year - int(year)) % 100
        return _datetime(text, full_year, *rest)
    raise ValueError(f"not an HTTP date: {text!r}")


@lru_cache(256)
def _parse_imf_fixdate(text: str) -> datetime | None:
    """Read an IMF-fixdate; None if the date has a different form. Cached, because the same few dates recur."""
    match = _imf_fixdate.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    return _datetime(text, int(year), month, day, hour, minute, second)


def _datetime(text: str, year: int, month: str, day: str, hour: str, minute: str, second: str) -> datetime:
    whole_second = 59 if second == "60" else int(second)
    try:
        return datetime(year, MONTH_NUMBERS[month], int(day), int(hour), int(minute), whole_second, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"not an HTTP date: {text!r}, {error}") from None


def format_http_date(moment: datetime | float) -> str:
    """Return a datetime as IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT", without fractional seconds.

    That is the form in which HTTP dates are sent (RFC 9110 §5.6.7). A number is seconds since 1970-01-01 UTC. Raises
    ValueError outside the years 1 to 9999, and for a naive datetime.
    """
    try:
        return _imf_fixdate_of(_seconds(moment))
    except (OverflowError, ValueError) as error:
        raise explained("bad-http-value", f"an HTTP date cannot represent {moment!r}: {error}") from None


def aware(moment: datetime) -> datetime:
    """Return an aware datetime. For a naive datetime, raises a ValueError that says how to fix it."""
    if moment.utcoffset() is None:
        raise explained(
            "datetime-without-zone",
            "the datetime has no time zone: use datetime.now(UTC), or add one to a time in UTC by .replace(tzinfo=UTC)",
        )
    return moment


def _seconds(moment: datetime | float) -> int:
    """Return whole seconds since 1970-01-01 UTC."""
    if not isinstance(moment, datetime):
        return int(moment // 1)
    try:
        since = moment - _EPOCH
    except TypeError:
        since = aware(moment) - _EPOCH  # its error says how to fix a naive datetime
    return since.days * 86400 + since.seconds


@lru_cache(256)
def _imf_fixdate_of(seconds: int) -> str:
    """Print an IMF-fixdate. Cached, because the same few dates recur."""
    utc = _EPOCH + timedelta(seconds=seconds)
    return (
        f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04}"
        f" {utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"
    )


def parse_structured_date(text: str) -> datetime:
    """Return the aware datetime (UTC) for `@` followed by seconds since 1970. Raises ValueError for anything else."""
    match = _structured.fullmatch(text)
    if match is None:
        raise ValueError(f"not the date of a structured field: {text[:80]!r}")
    try:
        return _EPOCH + timedelta(seconds=int(match[1]))
    except OverflowError:
        raise ValueError(f"a date outside the years 1 to 9999: {text}") from None


def format_structured_date(moment: datetime) -> str:
    """Return a datetime as `@1659578233`, without fractional seconds.

    Raises ValueError outside the years 1 to 9999, and for a naive datetime.
    """
    text = f"@{_seconds(moment)}"
    parse_structured_date(text)
    return text


def parse_retry_after(text: str) -> RetryAfter:
    """Read the seconds or the date of Retry-After. Raises ValueError for anything else and for more than ten digits."""
    if _delta_seconds.fullmatch(text):
        return int(text)
    try:
        return parse_http_date(text)
    except ValueError:
        raise ValueError(f"neither seconds nor an HTTP date: {text[:80]!r}") from None


def format_retry_after(after: Duration | datetime) -> str:
    """Print Retry-After. Seconds are rounded up.

    Raises ValueError for negative seconds, more than ten digits, other types, naive datetimes, and dates outside the
    years 1 to 9999.
    """
    if isinstance(after, datetime):
        return format_http_date(after)
    seconds = seconds_of(after)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= MOST_SECONDS:
        raise explained(
            "bad-http-value", f"Retry-After must be seconds from 0 to {MOST_SECONDS}, or a date, not {after!r}"
        )
    return str(ceil(seconds))
