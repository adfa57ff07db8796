"""The passes of event loops over what is ready: in each of them, others have had their turns."""

from asyncio import AbstractEventLoop

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
