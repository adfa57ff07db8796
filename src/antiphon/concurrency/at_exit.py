"""Calls at the exit of this process, even if `multiprocessing` started it. Loads no asyncio."""

import atexit
import sys
from collections.abc import Callable
from functools import partial

_first: list[Callable[[], object]] = []


def call_first_at_exit(function: Callable[[], object]) -> None:
    """Register a function to be called at exit, before all that ``call_at_exit`` registers, earlier or later."""
    if not _first:
        call_at_exit(_call_first)
    _first.append(function)


def _call_first() -> None:
    while _first:
        _first.pop()()


def call_at_exit(function: Callable[[], object]) -> Callable[[], object]:
    """Register a function to be called at exit. Return a function that cancels that.

    Processes of ``multiprocessing`` end without ``atexit``.
    """

    def call() -> None:
        _call_first()
        function()

    return _register(call)


def _register(function: Callable[[], object]) -> Callable[[], object]:
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None or multiprocessing.parent_process() is None:
        atexit.register(function)
        return partial(atexit.unregister, function)
    from multiprocessing.util import Finalize

    return Finalize(None, function, exitpriority=0).cancel
