"""Metrics that an application or its process defines: counters, gauges and histograms, which any thread can update."""

from bisect import bisect_left
from collections.abc import Callable
from threading import Event, RLock, Thread

from antiphon import explained
from antiphon.concurrency.workers import file_workers, workers
from antiphon.embedding import DRAINING, call_after_fork
from antiphon.features.metrics.figures import Defined, Figures, label_values
from antiphon.speedups import accelerated

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bounds of the buckets for durations, as OpenTelemetry's conventions recommend."""
BYTES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
"""The bounds of the buckets for sizes."""
NANO = 1_000_000_000

_RECEIVED = len(SECONDS) + 2
_SENT = _RECEIVED + len(BYTES) + 2
EXCHANGE = _SENT + len(BYTES) + 2
"""The number of cells for one route, method and status: three histograms, each with its buckets and the sum of its
values, which is in nanoseconds for durations.
"""


class _Lock:
    """The lock for all cells. A finalizer that interrupts the lock's owner can acquire it again, and forked children
    renew it.
    """

    def __init__(self) -> None:
        self.renew()
        call_after_fork(self.renew)

    def renew(self) -> None:
        self.held = RLock()


LOCK = _Lock()


@accelerated
def add_to_cell(cells: "memoryview[int]", at: int, amount: int, /) -> None:
    """Add a number to a cell, from any thread. Raises IndexError for a missing cell."""
    with LOCK.held:
        cells[at] += amount


@accelerated
def count_exchange(cells: "memoryview[int]", active: int, at: int, seconds: float, received: int, sent: int, /) -> None:
    """Count an exchange in the cells that begin at ``at``, and subtract one from ``active``, from any thread.

    ``received`` and ``sent`` are the sizes of the bodies in bytes. If the process is killed in the meantime, only some
    of the histograms have counted the exchange, but each of them is valid.
    """
    with LOCK.held:
        cells[at + bisect_left(SECONDS, seconds)] += 1
        cells[at + len(SECONDS) + 1] += int(seconds * NANO)
        cells[at + _RECEIVED + bisect_left(BYTES, received)] += 1
        cells[at + _RECEIVED + len(BYTES) + 1] += received
        cells[at + _SENT + bisect_left(BYTES, sent)] += 1
        cells[at + _SENT + len(BYTES) + 1] += sent
        cells[active] -= 1


class _Instrument:
    """A metric with a figure for each set of labels."""

    def __init__(self, figures: Figures, defined: Defined) -> None:
        self._figures = figures
        self._defined = defined
        [self._metric] = defined.group.metrics

    def _place(self, labels: dict[str, object]) -> int:
        """Return where a set of labels is counted. Raises TypeError for a missing or unknown label."""
        values = label_values(self._metric.name, self._defined.group.labels, labels)
        if self._figures.memory is None:
            self._figures.open()
        place = self._defined.places.get(values)
        return self._figures.place(self._defined, values) if place is None else place

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._metric.name}>"


class Counter(_Instrument):
    """A number that only increases, such as the number of orders, summed over all of the server's processes.

    Created by ``Metrics.counter``.
    """

    def add(self, amount: int = 1, /, **labels: object) -> None:
        """Add a whole number to the count for a set of labels, from any thread, without blocking.

        Raises ValueError for a number below 0, and TypeError for a number that is not whole and for a label that is
        missing or unknown. Label values are converted to text and cut to 200 characters.
        """
        if not isinstance(amount, int):
            raise explained(
                "bad-feature-option", f"a counter must be incremented by a whole number, not {amount!r}", TypeError
            )
        if amount < 0:
            raise explained("bad-feature-option", f"a counter can't go down: {amount!r}")
        at = self._place(labels)
        add_to_cell(self._figures.open().cells, at, amount)


class Gauge(_Instrument):
    """A number that rises and falls, such as open connections. Created by ``Metrics.gauge``.

    The page shows the sum over living processes.
    """

    def set(self, value: float, /, **labels: object) -> None:
        """Set this process's number for a set of labels, from any thread, without blocking.

        Raises TypeError for a label that is missing or unknown.
        """
        at = self._place(labels)
        self._figures.open().floats[at] = value

    def add(self, amount: float = 1, /, **labels: object) -> None:
        """Add to this process's number for a set of labels, from any thread. A negative amount subtracts."""
        at = self._place(labels)
        with LOCK.held:
            self._figures.open().floats[at] += amount


class Histogram(_Instrument):
    """Counts of values by size, such as seconds or bytes, and their sum. Created by ``Metrics.histogram``."""

    def observe(self, value: float, /, **labels: object) -> None:
        """Count a value for a set of labels, from any thread, without blocking.

        Raises ValueError for NaN, and TypeError for a label that is missing or unknown.
        """
        if value != value:
            raise explained("bad-feature-option", "a histogram must count numbers, not NaN")
        at, bounds = self._place(labels), self._metric.bounds
        memory = self._figures.open()
        with LOCK.held:
            memory.cells[at + bisect_left(bounds, value)] += 1
            memory.floats[at + len(bounds) + 1] += value


INTERVAL = 1.0
"""The seconds between checks, which continue even if all threads are stuck and no request ends."""


class PoolWatch:
    """A thread that checks this process's pools, between ``start`` and ``stop``."""

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
        """Stop checking and record that nothing is in use."""
        self._withdraw()
        if self._stop is not None:
            self._stop.set()
        for gauge in (self._busy, self._waiting):
            for pool in ("handlers", "files"):
                gauge.set(0, pool=pool)

    def look(self) -> None:
        """Record how many threads of each pool are busy, and how many calls are waiting for one."""
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
