"""Durations: seconds, or a timedelta."""

from datetime import timedelta
from typing import TypeAlias, overload

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
