"""Metrics that an application or its process defines: counters, gauges and histograms, which any thread can update.

The sums of all processes' figures are text: OpenMetrics 1.0, or the older Prometheus format, 0.0.4.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from math import inf
from threading import Event, RLock, Thread
from typing import NamedTuple

from antiphon import explained
from antiphon.embedding import DRAINING, Crossing, accelerated, call_after_fork
from antiphon.features.metrics.figures import (
    OVERFLOW,
    Defined,
    Definition,
    Figures,
    Group,
    definitions,
    label_values,
    series_of,
)
from antiphon.features.metrics.folder import Memory, other_memories

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
        for pool, (busy, waiting) in Crossing.loads().items():
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


class Series(NamedTuple):
    """The figures for one set of labels. For a histogram, these are its separate buckets and the sum."""

    values: tuple[str, ...] | None
    """The labels' values, or None for all sets above the limit."""
    figures: list[float]


class Family(NamedTuple):
    """A metric and its figures, by set of labels."""

    metric: Definition
    labels: tuple[str, ...]
    series: list[Series]


def sum_up(figures: Figures) -> tuple[list[Family], int]:
    """Return all metrics, summed over the server's processes, and the number of living processes.

    Gauges of dead processes are omitted. If processes define a metric differently, as during the rollout of a new
    version, this process's definition is used.
    """
    own = figures.open()
    groups: dict[bytes, Group] = {}
    sums: dict[bytes, dict[tuple[str, ...] | None, list[float]]] = {}
    living = 0
    for memory, lives in _memories(figures, own):
        living += lives
        for text, group in definitions(memory):
            if lives or group.is_kept:
                _add(sums.setdefault(text, {}), memory, text, group)
                groups.setdefault(text, group)
    return [*_families(groups, sums)], living


def _memories(figures: Figures, own: Memory) -> Iterator[tuple[Memory, bool]]:
    yield own, True
    if figures.folder is not None:
        yield from other_memories(figures.folder, own)


def _add(sums: dict[tuple[str, ...] | None, list[float]], memory: Memory, text: bytes, group: Group) -> None:
    for values, at in series_of(memory, text):
        key = None if values is None else tuple(values)
        found = _read(memory, at, group)
        sums[key] = [*map(sum, zip(sums[key], found, strict=True))] if key in sums else found


def _read(memory: Memory, at: int, group: Group) -> list[float]:
    """Read the cells of one set of labels."""
    found: list[float] = [*memory.cells[at : at + group.count].tolist()]
    end = 0
    for metric in group.metrics:
        end += metric.count
        if metric.kind != "counter" and not metric.scale:
            found[end - 1] = memory.floats[at + end - 1]
        elif metric.scale > 1:
            found[end - 1] /= metric.scale
    return found


def _families(
    groups: dict[bytes, Group], sums: dict[bytes, dict[tuple[str, ...] | None, list[float]]]
) -> Iterator[Family]:
    names = set()
    for text, group in groups.items():
        start = 0
        for metric in group.metrics:
            part = slice(start, start + metric.count)
            start += metric.count
            if metric.name not in names:
                names.add(metric.name)
                yield Family(metric, group.labels, [*_series(sums[text], part)])


def _series(sums: dict[tuple[str, ...] | None, list[float]], part: slice) -> Iterator[Series]:
    for values, figures in sums.items():
        if values is not None or any(figures[part]):  # the series for sets above the limit is rarely used
            yield Series(values, figures[part])


OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

_VALUE = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


def exposition(families: Iterable[Family], *, is_open: bool) -> str:
    """Return metrics as text: as OpenMetrics if ``is_open`` is true, otherwise in Prometheus' format 0.0.4."""
    lines = [line for family in families for line in _lines(family, is_open=is_open)]
    if is_open:
        lines.append("# EOF")
    return "".join([f"{line}\n" for line in lines])


def _lines(family: Family, *, is_open: bool) -> Iterator[str]:
    metric = family.metric
    sample = f"{metric.name}_total" if metric.kind == "counter" else metric.name
    name = metric.name if is_open else sample
    yield f"# HELP {name} {metric.help.translate(_VALUE if is_open else _HELP)}"
    yield f"# TYPE {name} {metric.kind}"
    if metric.unit and is_open:
        yield f"# UNIT {name} {metric.unit}"
    for series in sorted(family.series, key=lambda each: each.values or ()):
        labels = _labels(family.labels, series)
        if metric.kind == "histogram":
            yield from _histogram(metric.name, metric.bounds, labels, series.figures)
        else:
            yield f"{sample}{_braced(labels)} {number(series.figures[0])}"


def _histogram(name: str, bounds: tuple[float, ...], labels: str, figures: list[float]) -> Iterator[str]:
    """Yield a histogram's lines. Its count is the sum of its buckets, even while values are being written."""
    *buckets, total = figures
    counts = [*accumulate(buckets)]
    before = f"{labels}," if labels else ""
    for bound, count in zip((*bounds, inf), counts, strict=True):
        yield f'{name}_bucket{{{before}le="{number(float(bound))}"}} {number(count)}'
    yield f"{name}_count{_braced(labels)} {number(counts[-1])}"
    yield f"{name}_sum{_braced(labels)} {number(total)}"


def _labels(names: tuple[str, ...], series: Series) -> str:
    if series.values is None:
        return f'{OVERFLOW}="true"'
    return ",".join([f'{name}="{value.translate(_VALUE)}"' for name, value in zip(names, series.values, strict=True)])


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def number(value: float) -> str:
    """Return a number as written in both formats."""
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if value != value else repr(value)
