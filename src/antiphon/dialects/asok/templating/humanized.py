"""Numbers and times as people say them: "3 minutes ago", "1.5 KB", "12,000", "1h 5m"."""

from datetime import datetime
from math import log
from typing import Any

_UNITS = (
    (31_536_000, "year"),
    (2_592_000, "month"),
    (604_800, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)
"""Units of time, and the seconds from which each is used."""
_CENTURY = 3_155_760_000
_SIZES = ("B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


def time_ago(time: datetime | str | None) -> str:
    """Return the time since ``time``, in English. A text is read as ISO 8601, and returned as it is if it is not a
    date.
    """
    if not time:
        return ""
    try:
        then = datetime.fromisoformat(time) if isinstance(time, str) else time
        seconds = (datetime.now(then.tzinfo) - then).total_seconds()
    except (AttributeError, TypeError, ValueError):
        return time if isinstance(time, str) else ""
    if abs(seconds) > _CENTURY:
        return "a very long time ago" if seconds > 0 else "in the distant future"
    if seconds < 0:
        return "in the future"
    for length, unit in _UNITS:
        if seconds >= length:
            count = int(seconds / length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def file_size(size: float) -> str:
    """Return a number of bytes in the largest unit of 1,024s that it has: "1.5 KB"."""
    if size <= 0:
        return "0 B"
    power = min(int(log(size, 1024)), len(_SIZES) - 1)
    return f"{round(size / 1024**power, 2)} {_SIZES[power]}"


def intcomma(value: Any) -> Any:
    """Return a number with commas between its thousands, and other values as they are."""
    try:
        return f"{float(value) if isinstance(value, str) else value:,}"
    except (TypeError, ValueError):
        return value


def duration(seconds: float | None) -> str:
    """Return a number of seconds in days, hours, minutes and seconds: "1h 5m"."""
    minutes, second = divmod(int(seconds or 0), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = [f"{count}{unit}" for count, unit in ((days, "d"), (hour, "h"), (minute, "m"), (second, "s")) if count > 0]
    return " ".join(parts) or "0s"
