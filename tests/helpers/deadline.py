"""Calls that end in time, or fail."""

import threading
from concurrent.futures import Future

DEADLINE = 10.0
"""Seconds. What would wait for ever fails after that."""


def in_time(function):
    """What a function returns or raises; TimeoutError when it takes too long."""
    outcome = Future()

    def work():
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return outcome.result(DEADLINE)
