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

    def hold(self, start, *call, **options):
        """Start a call that writes, return what ``start`` does, and leave it waiting until ``go_on``."""
        self._reached.clear()
        self._released.clear()
        self._is_held = True
        started = start(*call, **options)
        assert self._reached.wait(DEADLINE)
        return started

    def go_on(self):
        self._released.set()

    def use_at_once(self, writer, reader):
        """Have one thread read while another one writes, by a store that goes by this clock."""
        with ThreadPoolExecutor(1) as threads:
            writing = self.hold(threads.submit, writer.change, "other", {}, ttl=10_000)
            reader.load("other")
            self.go_on()
            writing.result(DEADLINE)
