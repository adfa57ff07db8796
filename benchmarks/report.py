"""The results as a table, and the verdict on them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

OURS = "antiphon"
FLOOR = "bare"


class Cell(NamedTuple):
    """One case over one interface; `times` are microseconds of CPU time a request by framework."""

    interface: str
    case: str
    times: Mapping[str, float]

    def peers(self) -> dict[str, float]:
        return {name: time for name, time in self.times.items() if name not in {OURS, FLOOR}}


COLUMNS = 5
"""How many cases stand side by side in a table."""


def table(cells: Sequence[Cell], digits: int = 2) -> str:
    """The figures of each framework and case of one interface, with their ratio to Antiphon's."""
    return "\n\n".join(rows(cells[first : first + COLUMNS], digits) for first in range(0, len(cells), COLUMNS))


def rows(cells: Sequence[Cell], digits: int) -> str:
    width = 18
    lines = [(cells[0].interface.upper(), [cell.case for cell in cells])]
    for name in dict.fromkeys(name for cell in cells for name in cell.times):
        lines += [(name, [entry(cell.times, name, digits) for cell in cells])]
    return "\n".join("".join([f"{name:12}", *(f"{text:>{width}}" for text in texts)]) for name, texts in lines)


def entry(times: Mapping[str, float], name: str, digits: int) -> str:
    return f"{times[name]:,.{digits}f} ({times[name] / times[OURS]:5.2f}x)" if name in times else "-"


def shortfalls(cells: list[Cell]) -> Iterator[str]:
    """A line for each peer that Antiphon is not ahead of."""
    for cell in cells:
        ours = cell.times[OURS]
        for peer, time in cell.peers().items():
            if ours >= time:
                yield f"{cell.case} over {cell.interface.upper()}: {ours:.2f} us; {peer}'s time is {time:.2f} us"


def overall(cells: list[Cell]) -> float:
    """Antiphon's time as a part of the best peer's: the geometric mean over the cells."""
    ratios = [cell.times[OURS] / min(cell.peers().values()) for cell in cells]
    return math.exp(sum(map(math.log, ratios)) / len(ratios))
