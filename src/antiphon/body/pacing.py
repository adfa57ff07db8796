"""Timeouts while a body is received: the longest wait for data, and a minimum average rate.

Only time in which somebody waits for the body counts: a handler may take as long as it likes between two chunks.
"""

from collections.abc import Coroutine, Generator
from math import inf
from time import monotonic
from types import coroutine
from typing import Any, TypeVar

from antiphon.http.errors import RequestTimeout, over_limit
from antiphon.http.limits import Limits

T = TypeVar("T")

GRACE = 5.0
"""Seconds of waiting before the average rate counts."""


class Pace:
    """The time for which one body has been waited for."""

    waited = 0.0
    """Seconds of waiting so far."""

    async def receive(self, receiving: Coroutine[Any, Any, bytes], received: int, limits: Limits) -> bytes:
        """Run a coroutine that receives the next bytes, on an event loop, after ``received`` bytes. Return them.

        Bytes that are there already take no time, and no timer. Raises RequestTimeout (408).
        """
        try:
            effect = receiving.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # it gives bytes
        return await self.resume(receiving, effect, received, limits)

    async def resume(self, receiving: Coroutine[Any, Any, bytes], effect: Any, received: int, limits: Limits) -> bytes:
        """Do what ``receive`` does with a coroutine that was started, and awaits ``effect``."""
        from asyncio import timeout

        left = self._left(received, limits)
        allowed = min(left, limits.timeout or left)
        scope = timeout(None if allowed == inf else allowed)
        before = monotonic()
        try:
            async with scope:
                return await _resumed(receiving, effect)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise (_too_late(limits) if 0 < limits.timeout <= left else _too_slow(limits)) from error
        finally:
            self.waited += monotonic() - before

    def check(self, received: int, limits: Limits) -> None:
        """Check the rate so far, before more is received in a call that blocks. Raises RequestTimeout (408)."""
        if self.waited > GRACE and not self._left(received, limits):
            raise _too_slow(limits)

    def _left(self, received: int, limits: Limits) -> float:
        """Return the seconds of waiting that the rate allows from now on."""
        return max(GRACE + received / limits.rate - self.waited, 0.0) if limits.rate else inf


def _too_late(limits: Limits) -> RequestTimeout:
    return over_limit(RequestTimeout, "timeout", limits.timeout, f"No data arrived for {limits.timeout} seconds.")


def _too_slow(limits: Limits) -> RequestTimeout:
    detail = f"The body arrives more slowly than {limits.rate} bytes a second."
    return over_limit(RequestTimeout, "rate", limits.rate, detail)


@coroutine
def _resumed(steps: Coroutine[Any, Any, T], effect: Any) -> Generator[Any, Any, T]:
    """Run a coroutine that was started, and awaits ``effect``, to its end."""
    try:
        while True:
            try:
                value = yield effect
            except BaseException as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # it gives its T
