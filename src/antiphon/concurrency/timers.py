"""Event loop timers, one for all of a loop's waits that have a time limit, and the passes of loops.

Most waits are over within milliseconds; starting and cancelling a timer for each would take longer than the wait.
"""

from asyncio import AbstractEventLoop, CancelledError, TimerHandle, current_task, get_running_loop
from collections.abc import Coroutine, Generator
from contextvars import Context
from math import inf
from time import monotonic
from types import coroutine
from typing import Any, Generic, NoReturn, TypeVar

from antiphon.concurrency.iterables import resume
from antiphon.concurrency.loop import TIME_SLICE

T = TypeVar("T")

INTERVAL = 0.25
"""The minimum number of seconds between two checks of a loop's waits. A wait may end this much too late, but never too
early.
"""
_PRECISION = 0.001
"""The seconds by which the timers of some loops are early."""


class PerLoop(Generic[T]):
    """Objects that each serve one event loop, while it has something for them to do."""

    def __init__(self) -> None:
        self._kept: dict[AbstractEventLoop, T] = {}
        self.get = self._kept.get

    def keep(self, loop: AbstractEventLoop, served: T) -> None:
        """Keep an object for a loop and forget the objects for loops that have been closed."""
        for other in [*self._kept]:  # a copy: other threads add and remove loops
            if other.is_closed():
                self.drop(other)
        self._kept[loop] = served

    def drop(self, loop: AbstractEventLoop) -> None:
        """Forget a loop's object, if any."""
        self._kept.pop(loop, None)

    def __len__(self) -> int:
        return len(self._kept)


@coroutine
def finished_within(seconds: float, steps: Coroutine[Any, Any, T], effect: Any) -> Generator[Any, Any, T | None]:
    """Run a started coroutine that awaits ``effect`` to its end. Return its result, or None if its time is up.

    When the time is up, the object that the coroutine awaits is cancelled, once; with no time at all, this happens in
    the loop's next pass. The task itself isn't cancelled: its cancellation comes from other code, and is raised even if
    the time is up, too.
    """
    loop = get_running_loop()
    waits = _waits.get(loop) or _Waits(loop)
    ends_at = monotonic() + seconds
    wait = _Wait(ends_at, effect)
    waits.add(wait)
    if seconds <= 0:
        loop.call_soon(waits.end, wait)  # a timer might be called before callbacks that are already ready
    elif ends_at < waits.looks_at:
        waits.look_after(ends_at)
    try:
        while True:
            try:
                value = yield effect
                if wait.is_pending:
                    wait.cancel_now()
            except BaseException as error:
                effect = steps.throw(error)
            else:
                has_ended, effect = resume(steps, value) or (True, None)
                if has_ended:
                    return effect  # type: ignore[no-any-return]  # it returns its T
            wait.effect = effect
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # it returns its T
    except CancelledError:
        if wait.is_cancelled_by_others():
            raise
        return None
    finally:
        waits.discard(wait)


class _Wait:
    """One wait of the current task. It ends when ``effect`` is done, or at a time of the clock ``monotonic``."""

    # No __slots__: with them, creating and freeing takes longer, and each late body needs a wait.

    is_pending: bool
    """True if a cancellation was not possible because nothing was awaited."""

    def __init__(self, ends_at: float, effect: Any) -> None:
        self.ends_at = ends_at
        self.effect = effect
        # Earlier ones are not counted as arriving during this wait.
        self._cancellations = current_task().cancelling()  # type: ignore[union-attr]  # only tasks wait for a loop
        self._is_over = self.is_pending = False

    def end(self) -> bool:
        """Cancel the awaited object, once. Return False if it is already done, so that the next one has to be
        cancelled.
        """
        if not self._is_over:
            self.is_pending = self.effect is None  # in a task that only yields to others
            self._is_over = self.is_pending or self.effect.cancel()
        return self._is_over

    def cancel_now(self) -> NoReturn:
        """Carry out the pending cancellation."""
        self.is_pending = False
        raise CancelledError

    def is_cancelled_by_others(self) -> bool:
        """True if a cancellation that has arrived was requested by code other than ``end``, even if ``end`` requested
        it, too.
        """
        task = current_task()
        return not self._is_over or task is None or task.cancelling() > self._cancellations


class _Waits:
    """Everything that waits on one loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._waits: set[_Wait] = set()
        self._timer: TimerHandle | None = None
        self.looks_at = inf
        """The time at which the waits are checked next."""
        self._looked_at = -inf
        self.add = self._waits.add
        self.discard = self._waits.discard

    def end(self, wait: _Wait) -> None:
        """End a wait, or check it again soon."""
        if wait in self._waits and not wait.end():
            self.look_after(wait.ends_at)

    def look_after(self, moment: float) -> None:
        """Check all waits soon after a time, unless they are checked before."""
        # However many waits begin, there is one check in an interval.
        moment = max(moment, self._looked_at + INTERVAL)
        if moment < self.looks_at:
            if self._timer is None:
                _waits.keep(self._loop, self)
            else:
                self._timer.cancel()
            self.looks_at = moment
            self._timer = self._loop.call_later(
                moment - monotonic() + _PRECISION, self._look, context=Context()
            )  # not a request's context, which would be kept

    def _look(self) -> None:
        self._timer, self.looks_at, now = None, inf, monotonic()
        self._looked_at = now
        self._waits.difference_update([wait for wait in self._waits if wait.ends_at <= now and wait.end()])
        self.look_after(min([wait.ends_at for wait in self._waits], default=inf))
        if self._timer is None:
            # Nothing is left to check, so that the loop can be freed.
            _waits.drop(self._loop)


_waits: PerLoop[_Waits] = PerLoop()
"""The waits by loop, while a check of them is due."""


_FIRST = 20
"""The parts of a time slice as long as the number of coroutines that share it is not known."""


class _Passes:
    """The passes of one loop while coroutines that never have to wait share it: each gets its part of a time slice."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._begin(_FIRST)  # how many are busy is known at the end of a pass

    def _begin(self, parts: int) -> None:
        self._part, self._given, self._ends_at = TIME_SLICE / parts, 0, inf
        self.current = object()
        self._loop.call_soon(self._end, context=Context())  # not a request's context, which would be kept

    def _end(self) -> None:
        if self._given:
            self._begin(self._given)
        else:
            _passes.drop(self._loop)

    def give_part(self, now: float) -> float:
        """Return the time at which the part of a coroutine ends: at once if others have used up the slice."""
        if not self._given:
            self._ends_at = now + TIME_SLICE
        self._given += 1
        return min(now + self._part, self._ends_at)


_passes: PerLoop[_Passes] = PerLoop()


class TimeSlice:
    """The part of a loop's time for a coroutine that may never have to wait. It begins when this object is created.

    All that are busy share ``TIME_SLICE`` in each pass of the loop. So the loop finds out soon, however many there are,
    that a client has left, or that another one waits.
    """

    __slots__ = ("_ends_at", "_pass")

    def __init__(self) -> None:
        self._pass: object = None
        # Most streams are over by then, and need no part of a pass.
        self._ends_at = monotonic() + TIME_SLICE / _FIRST

    def is_over(self, loop: AbstractEventLoop) -> bool:
        """Return True if this coroutine has used up its part of the current pass of the loop.

        The caller then awaits ``yield_to_loop()``.
        """
        now = monotonic()
        if now <= self._ends_at:
            return False
        passes = _passes.get(loop)
        if passes is None:
            passes = _Passes(loop)
            _passes.keep(loop, passes)
        if passes.current is self._pass:
            return True
        self._pass, self._ends_at = passes.current, passes.give_part(now)
        return self._ends_at < now
