"""Timeouts while a body is received: the longest wait for data, and a minimum average rate.

Only time in which code waits for the body counts: a handler may take as long as it likes between two chunks.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import cache
from math import inf
from time import monotonic
from typing import Any

from antiphon.http.errors import RequestTimeout, over_limit
from antiphon.http.limits import Limits

GRACE = 5.0
"""Seconds of waiting before the average rate counts."""


class Pace:
    """The time for which one body has been waited for."""

    __slots__ = ("waited",)

    def __init__(self, waited: float = 0.0) -> None:
        self.waited = waited
        """Seconds of waiting so far."""

    async def resume(self, receiving: Coroutine[Any, Any, bytes], effect: Any, received: int, limits: Limits) -> bytes:
        """Continue a coroutine that receives the next bytes, after ``received`` bytes. Return them.

        It was started, on an event loop, and awaits ``effect``. Raises RequestTimeout (408).
        """
        left, timeout = self._left(received, limits), limits.timeout
        before = monotonic()
        try:
            data = await _finished_within()(timeout if 0 < timeout <= left else left, receiving, effect)
        finally:
            self.waited += monotonic() - before
        if data is None:
            raise _overdue(left, limits)
        return data

    def check(self, received: int, limits: Limits) -> None:
        """Check the rate so far, before more is received in a call that blocks. Raises RequestTimeout (408)."""
        if self.waited > GRACE and self._left(received, limits) <= 0:
            raise _too_slow(limits)

    def _left(self, received: int, limits: Limits) -> float:
        """Return the seconds of waiting that the rate allows from now on; below 0 if there were already too many."""
        return GRACE + received / limits.rate - self.waited if limits.rate else inf


def resume_first(receiving: Coroutine[Any, Any, bytes], effect: Any, limits: Limits) -> Awaitable[bytes | None]:
    """Continue a coroutine that receives the first bytes, as ``Pace.resume`` does. The result is None if they are
    overdue.
    """
    left, timeout = GRACE if limits.rate else inf, limits.timeout
    return _finished_within()(timeout if 0 < timeout <= left else left, receiving, effect)


def first_overdue(limits: Limits) -> RequestTimeout:
    """Return the error for first bytes that are overdue."""
    return _overdue(GRACE if limits.rate else inf, limits)


def _overdue(left: float, limits: Limits) -> RequestTimeout:
    return _too_late(limits) if 0 < limits.timeout <= left else _too_slow(limits)


def _too_late(limits: Limits) -> RequestTimeout:
    return over_limit(RequestTimeout, "timeout", limits.timeout, f"No data arrived for {limits.timeout} seconds.")


def _too_slow(limits: Limits) -> RequestTimeout:
    detail = f"The body arrives more slowly than {limits.rate} bytes per second."
    return over_limit(RequestTimeout, "rate", limits.rate, detail)


@cache
def _finished_within() -> Callable[[float, Coroutine[Any, Any, bytes], Any], Awaitable[bytes | None]]:
    """Return the function. It is imported on first use, with asyncio, which a server on threads does not need."""
    from antiphon.concurrency.timers import finished_within

    return finished_within
