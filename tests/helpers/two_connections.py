"""Two threads that use a store at once, so that their process has two connections to its file."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from tests.helpers.waiting import DEADLINE


class HeldClock:
    """A clock that can hold up a call of a store while it writes."""

    def __init__(self):
        self._is_held = False
        self._reached, self._released = Event(), Event()

    def __call__(self):
        if self._is_held:
            self._is_held = False
            self._reached.set()
            self._released.wait(DEADLINE)
        return time.time()

    def use_at_once(self, writer, reader):
        """Have one thread read while another one writes, by a store that goes by this clock."""
        self._is_held = True
        with ThreadPoolExecutor(1) as threads:
            writing = threads.submit(writer.change, "other", {}, ttl=10_000)
            assert self._reached.wait(DEADLINE)
            reader.load("other")
            self._released.set()
            writing.result(DEADLINE)
