"""How fast the body of a request comes: it must not let wait for long, and bring something all the time."""

from collections.abc import Coroutine, Generator
from time import monotonic
from types import coroutine
from typing import Any, TypeVar

from antiphon.body.limits import Limits
from antiphon.http.errors import RequestTimeout
from antiphon.http.over_limit import over_limit

T = TypeVar("T")

GRACE = 5.0
"""Seconds in which a body may be as slow as it is."""


class Pace:
    """What a body has brought since it was begun."""

    __slots__ = ("_received", "_started")

    def __init__(self) -> None:
        self._started = monotonic()
        self._received = 0

    def check(self, received: int, limits: Limits) -> None:
        """Count what was received in all. Raises RequestTimeout (408) for a body that is too slow."""
        self._received = received
        if limits.rate and monotonic() > self._latest(limits):
            raise _too_slow(limits)

    async def within(self, receiving: Coroutine[Any, Any, bytes], limits: Limits) -> bytes:
        """The next bytes, on an event loop. Raises RequestTimeout (408) for those that don't come in time."""
        try:
            effect = receiving.send(None)
        except StopIteration as end:  # they were there: nothing had to be measured
            return end.value  # type: ignore[no-any-return]  # it gives bytes
        from asyncio import timeout

        allowed = self._allowed(limits)
        scope = timeout(allowed)
        try:
            async with scope:
                return await _resumed(receiving, effect)
        except TimeoutError as error:
            if not scope.expired():
                raise
            if limits.timeout and allowed == limits.timeout:
                detail = f"The body has let wait for {limits.timeout} seconds."
                raise over_limit(RequestTimeout, "timeout", limits.timeout, detail) from error
            raise _too_slow(limits) from error

    def _latest(self, limits: Limits) -> float:
        """By when more has to have come."""
        return self._started + GRACE + self._received / limits.rate

    def _allowed(self, limits: Limits) -> float | None:
        """For how many seconds the next bytes may let wait."""
        left = max(self._latest(limits) - monotonic(), 0.0) if limits.rate else None
        if not limits.timeout:
            return left
        return float(limits.timeout) if left is None else min(left, limits.timeout)


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
