"""The passes of event loops over what is ready: in each of them, others have had their turns."""

from asyncio import AbstractEventLoop
from time import monotonic

from antiphon.concurrency.loop import TIME_SLICE
from antiphon.concurrency.timers import PerLoop

_current: PerLoop[object] = PerLoop()


def current_pass(loop: AbstractEventLoop) -> object:
    """Return an object that identifies the current pass of a running loop: the same one until the next pass."""
    found = _current.get(loop)
    if found is None:
        found = object()
        _current.keep(loop, found)
        loop.call_soon(_current.drop, loop)
    return found


class TimeSlice:
    """The time for which the calls of a coroutine that perhaps never has to wait may keep a loop."""

    __slots__ = ("_ends_at", "_pass")

    def __init__(self) -> None:
        self._pass: object = None
        self._ends_at = 0.0

    def is_over(self, loop: AbstractEventLoop) -> bool:
        """Return True when the running pass of the loop has lasted for too long since this was first called in it.

        The caller then awaits ``yield_to_loop()``.
        """
        this_pass = current_pass(loop)
        if this_pass is self._pass:
            return monotonic() > self._ends_at
        self._pass, self._ends_at = this_pass, monotonic() + TIME_SLICE
        return False
