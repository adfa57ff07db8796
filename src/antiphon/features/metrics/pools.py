"""Figures that a thread checks every second: threads in use, and whether the process is draining."""

from collections.abc import Callable
from threading import Event, Thread

from antiphon.concurrency.process import DRAINING
from antiphon.concurrency.workers import file_workers, workers
from antiphon.features.metrics.instruments import Counter, Gauge

INTERVAL = 1.0
"""Seconds between two checks, which continue even if all threads are stuck and no request ends."""


class PoolWatch:
    """A thread that checks this process's pools, from ``start`` to ``stop``."""

    def __init__(self, busy: Gauge, waiting: Gauge, draining: Gauge, drains: Counter) -> None:
        self._busy = busy
        self._waiting = waiting
        self._draining = draining
        self._drains = drains
        self._stop: Event | None = None
        self._withdraw: Callable[[], None] = _nothing

    def start(self) -> None:
        """Start checking."""
        self.look()
        self._stop = Event()
        Thread(target=self._run, args=(self._stop,), name="antiphon-metrics", daemon=True).start()
        self._withdraw = DRAINING.subscribe(self._drain)

    def stop(self) -> None:
        """Stop checking: nothing is in use."""
        self._withdraw()
        if self._stop is not None:
            self._stop.set()
        for gauge in (self._busy, self._waiting):
            for pool in ("handlers", "files"):
                gauge.set(0, pool=pool)

    def look(self) -> None:
        """Record how many threads of each pool are busy, and how many calls wait for one."""
        for pool, each in (("handlers", workers), ("files", file_workers)):
            busy, waiting = each.load()
            self._busy.set(busy, pool=pool)
            self._waiting.set(waiting, pool=pool)
        self._draining.set(DRAINING.is_given)

    def _drain(self) -> None:
        self._drains.add()
        self._draining.set(1)

    def _run(self, stop: Event) -> None:
        while not stop.wait(INTERVAL):
            self.look()


def _nothing() -> None:
    pass
