"""Calls at the exit of this process, even if `multiprocessing` started it. Loads no asyncio."""

import atexit
import sys
from collections.abc import Callable
from functools import partial


def call_at_exit(function: Callable[[], object]) -> Callable[[], object]:
    """Register a function to be called at exit. Return a function that undoes that.

    Processes of ``multiprocessing`` end without ``atexit``.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None or multiprocessing.parent_process() is None:
        atexit.register(function)
        return partial(atexit.unregister, function)
    from multiprocessing.util import Finalize

    return Finalize(None, function, exitpriority=0).cancel
