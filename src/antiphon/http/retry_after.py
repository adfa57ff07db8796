"""Retry-After: the time until the next request, as seconds or a date (RFC 9110 §10.2.3)."""

import re
from datetime import datetime, timedelta
from math import ceil
from typing import TypeAlias

from antiphon.http.dates import format_date, parse_date

RetryAfter: TypeAlias = int | datetime
"""Seconds after the response, or a moment in UTC."""

MOST_SECONDS = 10**10 - 1
"""The most seconds, some three hundred years."""

_seconds = re.compile("[0-9]{1,10}").fullmatch


def parse_retry_after(text: str) -> RetryAfter:
    """Read the seconds or the moment of Retry-After. Raises ValueError for anything else, and above ten digits."""
    if _seconds(text):
        return int(text)
    try:
        return parse_date(text)
    except ValueError:
        raise ValueError(f"neither seconds nor an HTTP date: {text[:80]!r}") from None


def format_retry_after(after: float | timedelta | datetime) -> str:
    """Print Retry-After. A naive datetime is UTC; seconds are rounded up.

    Raises ValueError for negative seconds, more than ten digits, other types, and dates outside of the years 1 to 9999.
    """
    if isinstance(after, datetime):
        return format_date(after)
    seconds = after.total_seconds() if isinstance(after, timedelta) else after
    if not isinstance(seconds, int | float) or not 0 <= seconds <= MOST_SECONDS:
        raise ValueError(f"Retry-After is seconds from 0 to {MOST_SECONDS}, or a date, not {after!r}")
    return str(ceil(seconds))
