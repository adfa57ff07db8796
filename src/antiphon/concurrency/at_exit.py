"""What is called when this process ends, however it was begun."""

import atexit
import sys
from collections.abc import Callable
from functools import partial


def call_at_exit(function: Callable[[], object]) -> Callable[[], object]:
    """Have a function called at the end; what is returned takes that back.

    Processes of ``multiprocessing`` end without ``atexit``.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None or multiprocessing.parent_process() is None:
        atexit.register(function)
        return partial(atexit.unregister, function)
    from multiprocessing.util import Finalize

    return Finalize(None, function, exitpriority=0).cancel
