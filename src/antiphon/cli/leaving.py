"""How a worker process ends: its exit functions run, but Python is not taken down.

Threads of granian's outlive its server for a moment, and abort a process in which Python is gone.
"""

import atexit
import logging
import os
import sys
import threading
from contextlib import suppress

served = threading.Event()
"""Set when granian's server has ended in this process."""


def leave_last() -> None:
    """Call it before others register exit functions with `atexit`, as what is registered first runs last."""
    atexit.register(_leave)


def _leave() -> None:
    if served.is_set():
        logging.shutdown()  # registered by an import of logging, so too early to have run
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)
