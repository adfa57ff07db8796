"""Metrics that an application defines: counters, gauges and histograms."""

from bisect import bisect_left

from antiphon.explanations import explained
from antiphon.features.metrics.cells import LOCK, add_to_cell
from antiphon.features.metrics.definition import label_values
from antiphon.features.metrics.figures import Defined, Figures


class _Instrument:
    """A metric, with a figure for each set of labels."""

    def __init__(self, figures: Figures, defined: Defined) -> None:
        self._figures = figures
        self._defined = defined
        [self._metric] = defined.group.metrics

    def _place(self, labels: dict[str, object]) -> int:
        """Return the place of a set of labels. Raises TypeError if one is missing or unknown."""
        values = label_values(self._metric.name, self._defined.group.labels, labels)
        if self._figures.memory is None:
            self._figures.open()
        place = self._defined.places.get(values)
        return self._figures.place(self._defined, values) if place is None else place

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._metric.name}>"


class Counter(_Instrument):
    """A number that only rises, such as orders taken, for all processes of the server. See ``Metrics.counter``."""

    def add(self, amount: int = 1, /, **labels: object) -> None:
        """Add a whole number to the count of a set of labels, on any thread, without blocking.

        Raises ValueError for a number below 0, and TypeError for a number that is not whole and for a label that is
        missing or unknown. A value of a label is written as text, and cut to 200 characters.
        """
        if not isinstance(amount, int):
            raise explained("bad-feature-option", TypeError(f"a counter counts whole numbers, not {amount!r}"))
        if amount < 0:
            raise explained("bad-feature-option", ValueError(f"a counter can't go down: {amount!r}"))
        at = self._place(labels)
        add_to_cell(self._figures.open().cells, at, amount)


class Gauge(_Instrument):
    """A number that rises and falls, such as open connections: ``Metrics.gauge`` makes it.

    The page shows the sum over living processes.
    """

    def set(self, value: float, /, **labels: object) -> None:
        """Set the number of this process for a set of labels, on any thread, without blocking.

        Raises TypeError for a label that is missing or unknown.
        """
        at = self._place(labels)
        self._figures.open().floats[at] = value

    def add(self, amount: float = 1, /, **labels: object) -> None:
        """Add to the number of this process for a set of labels, on any thread. A negative amount subtracts."""
        at = self._place(labels)
        with LOCK.held:
            self._figures.open().floats[at] += amount


class Histogram(_Instrument):
    """Counts of values by their size, such as seconds or bytes, and their sum: ``Metrics.histogram`` makes it."""

    def observe(self, value: float, /, **labels: object) -> None:
        """Count a value for a set of labels, on any thread, without blocking.

        Raises ValueError for NaN, and TypeError for a label that is missing or unknown.
        """
        if value != value:
            raise explained("bad-feature-option", ValueError("a histogram counts numbers, not NaN"))
        at, bounds = self._place(labels), self._metric.bounds
        memory = self._figures.open()
        with LOCK.held:
            memory.cells[at + bisect_left(bounds, value)] += 1
            memory.floats[at + len(bounds) + 1] += value
