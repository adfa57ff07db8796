"""Waiting, but not for ever: for what another process or thread does."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

DEADLINE = 30.0
"""The longest wait, in seconds."""

PAUSE = 0.02
"""Seconds between two looks."""


def eventually(look, what, deadline=DEADLINE):
    """Call ``look`` until it returns something other than None, and return that.

    Raises TimeoutError after ``deadline`` seconds; ``what`` says in its message what went wrong.
    """
    end = time.monotonic() + deadline
    while (found := look()) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{what}, after {deadline} seconds")
        time.sleep(PAUSE)
    return found


def at_once(function, values):
    """Call a function with each value at once, on threads of their own; return what it returns for each."""
    with ThreadPoolExecutor(len(values)) as threads:
        return [*threads.map(function, values, timeout=DEADLINE)]


def in_time(function):
    """Call a function on a thread and return or raise what it does; raise TimeoutError after ``DEADLINE``."""
    outcome = Future()

    def work():
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return outcome.result(DEADLINE)
