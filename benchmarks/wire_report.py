"""What was measured over sockets: as tables, and the verdict on it."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from .report import COLUMNS, FLOOR, OURS, aligned

SHARE = 0.85
"""The part of a bare application's throughput that Antiphon has to reach in hello."""


class Sample(NamedTuple):
    """Microseconds a request: CPU time of the server, and the time that passed."""

    cpu: float
    elapsed: float

    @property
    def busy(self) -> float:
        """The part of the time that passed for which the server ran; above 1 on several cores."""
        return self.cpu / self.elapsed


class Cell(NamedTuple):
    """One case in one way of serving; `samples` by framework are taken by turns."""

    way: str
    case: str
    samples: Mapping[str, Sequence[Sample]]

    def time(self, name: str) -> float:
        """Microseconds of CPU time a request."""
        return median(sample.cpu for sample in self.samples[name])

    def ratio(self, name: str) -> float:
        """How many times Antiphon's CPU time a framework's is, by the rounds."""
        rounds = zip(self.samples[name], self.samples[OURS], strict=True)
        return median(theirs.cpu / ours.cpu for theirs, ours in rounds)

    @property
    def is_judged_by_floor(self) -> bool:
        """False where another case asks more of Antiphon than of the bare application, or a thread answers."""
        return self.case == "hello" and FLOOR in self.samples and "`def`" not in self.way

    def entry(self, name: str) -> str:
        if name not in self.samples:
            return ""
        told = f"{self.time(name):.1f}"
        if name != OURS:
            return f"{told} ({self.ratio(name):.2f})"
        return f"{told}, {self.ratio(FLOOR):.0%} of bare" if self.is_judged_by_floor else told


def tables(cells: Sequence[Cell]) -> str:
    """One way of serving: microseconds for each framework and case, with their ratio to Antiphon's."""
    return "\n\n".join(table(cells[first : first + COLUMNS]) for first in range(0, len(cells), COLUMNS))


def table(cells: Sequence[Cell]) -> str:
    names = dict.fromkeys(name for cell in cells for name in cell.samples)
    rows = [[cells[0].way, *(cell.case for cell in cells)]]
    rows += ([name, *(cell.entry(name) for cell in cells)] for name in names)
    return aligned(rows)


def failures(cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each peer that Antiphon is not ahead of, and for each hello that is too far behind the bare one."""
    for cell in cells:
        for peer in cell.samples:
            if peer not in {OURS, FLOOR} and cell.ratio(peer) <= 1:
                yield f"NOT AHEAD: {cell.way}: {cell.case}: {peer} takes {cell.ratio(peer):.2f} of Antiphon's time"
        if cell.is_judged_by_floor and (share := cell.ratio(FLOOR)) < SHARE:
            yield f"TOO SLOW: {cell.way}: hello has {share:.1%} of a bare application's throughput, not {SHARE:.0%}"


def page(introduction: str, cells: Sequence[Cell]) -> str:
    """The tables as benchmarks/README.md shows them."""
    ways = dict.fromkeys(cell.way for cell in cells)
    busy = median(sample.busy for cell in cells for samples in cell.samples.values() for sample in samples)
    told = f"{introduction}\nthe servers ran {busy:.0%} of the time".replace("\n", "; ")
    return "\n\n".join([f"{told}.", *(tables([cell for cell in cells if cell.way == way]) for way in ways)])
