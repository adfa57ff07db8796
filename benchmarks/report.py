"""The results as a table, and the verdict on them."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import geometric_mean
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


AVERAGED = ("hello", "read", "json", "form", "multipart")
"""The cases whose geometric mean counts: what any web application does."""
AIMS = {True: 0.70, False: 0.85}
"""The part of the best peer's time that Antiphon may take in that mean, with its C extension and without."""


def table(cells: Sequence[Cell], digits: int = 2) -> str:
    """The figures of each framework and case of one interface, with their ratio to Antiphon's, in Markdown."""
    return "\n\n".join(part(cells[first : first + COLUMNS], digits) for first in range(0, len(cells), COLUMNS))


def part(cells: Sequence[Cell], digits: int) -> str:
    names = dict.fromkeys(name for cell in cells for name in cell.times)
    head = [cells[0].interface.upper(), *(cell.case for cell in cells)]
    return aligned([head, *([name, *(entry(cell.times, name, digits) for cell in cells)] for name in names)])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown whose source can be read, too: the first row is the head, the first column names the rows."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        [text.ljust(width) if not column else text.rjust(width) for column, (text, width) in enumerate(each)]
        for each in (zip(row, widths, strict=True) for row in rows)
    ]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def entry(times: Mapping[str, float], name: str, digits: int) -> str:
    if name not in times:
        return ""
    told = f"{times[name]:,.{digits}f}"
    return told if name == OURS else f"{told} ({times[name] / times[OURS]:.2f})"


def shortfalls(cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each peer that Antiphon is not ahead of."""
    for cell in cells:
        ours = cell.times[OURS]
        for peer, time in cell.peers().items():
            if ours >= time:
                yield f"{cell.case} over {cell.interface.upper()}: {ours:.2f} us; {peer}'s time is {time:.2f} us"


def means(cells: Sequence[Cell]) -> dict[str, float]:
    """Antiphon's time as a part of the best peer's, by interface and for all: the geometric mean over AVERAGED."""
    averaged = [cell for cell in cells if cell.case in AVERAGED and cell.peers()]
    interfaces = dict.fromkeys(cell.interface for cell in averaged)
    found = {name.upper(): mean([cell for cell in averaged if cell.interface == name]) for name in interfaces}
    return {**found, "all": mean(averaged)} if len(found) > 1 else found


def mean(cells: Sequence[Cell]) -> float:
    return geometric_mean(cell.times[OURS] / min(cell.peers().values()) for cell in cells)


def summary(cells: Sequence[Cell], aim: float) -> str:
    """Sentences on the means, and on the cells in which Antiphon is not ahead."""
    behind = len({line.partition(":")[0] for line in shortfalls(cells)})
    ahead = f"It is ahead of each peer in {len(cells) - behind} of {len(cells)} cells."
    if not (found := means(cells)):
        return ahead
    told = ", ".join(f"{value:.2f} over {name}" for name, value in found.items())
    which = f"the geometric mean of {', '.join(AVERAGED)}; {aim:.2f} is aimed at"
    return f"Of the best peer's time Antiphon takes {told}: {which}. {ahead}"


def missed(cells: Sequence[Cell], aim: float) -> Iterator[str]:
    """A line if the mean over all is above the aim."""
    found = means(cells).get("all", 0)
    if found > aim:
        yield f"the geometric mean over all is {found:.2f} of the best peer's time, not {aim:.2f}"
