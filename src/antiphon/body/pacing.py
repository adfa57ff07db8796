"""How fast the body of a request comes: it must not let wait for long, and bring something all the time.

Only the time is counted in which somebody waits for it: whoever reads it may take as long as he likes.
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
"""Seconds in which a body may be as slow as it is."""


class Pace:
    """For how long a body has let wait."""

    waited = 0.0
    """Seconds for which it was waited for."""

    async def within(self, receiving: Coroutine[Any, Any, bytes], received: int, limits: Limits) -> bytes:
        """The next bytes, on an event loop, after so many. Raises RequestTimeout (408) where they don't come in time.

        Those that are there already take no time, and no timer.
        """
        try:
            effect = receiving.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # it gives bytes
        return await self.still_within(receiving, effect, received, limits)

    async def still_within(
        self, receiving: Coroutine[Any, Any, bytes], effect: Any, received: int, limits: Limits
    ) -> bytes:
        """The same, where receiving has been begun, and waits for ``effect``."""
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
        """See before more is received, where that blocks, how it came so far. Raises RequestTimeout (408) likewise."""
        if self.waited > GRACE and not self._left(received, limits):
            raise _too_slow(limits)

    def _left(self, received: int, limits: Limits) -> float:
        """For how many seconds more it may let wait, by its rate."""
        return max(GRACE + received / limits.rate - self.waited, 0.0) if limits.rate else inf


def _too_late(limits: Limits) -> RequestTimeout:
    detail = f"The body has let wait for {limits.timeout} seconds."
    return over_limit(RequestTimeout, "timeout", limits.timeout, detail)


def _too_slow(limits: Limits) -> RequestTimeout:
    detail = f"The body comes more slowly than {limits.rate} bytes a second."
    return over_limit(RequestTimeout, "rate", limits.rate, detail)


@coroutine
def _resumed(steps: Coroutine[Any, Any, T], effect: Any) -> Generator[Any, Any, T]:
    """Go on with a coroutine that has been begun, and waits for this."""
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
