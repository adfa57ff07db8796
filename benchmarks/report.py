"""The results as a table, and the verdict on them."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

OURS = "antiphon"
FLOOR = "bare"

FORM_ALLOWANCE = 1.8
"""How many times Falcon's time over WSGI Antiphon may take for a form, which Falcon decodes in C."""


class Cell(NamedTuple):
    """One case over one interface; `times` are microseconds of CPU time a request by framework."""

    interface: str
    case: str
    times: Mapping[str, float]

    def peers(self) -> dict[str, float]:
        return {name: time for name, time in self.times.items() if name not in {OURS, FLOOR}}


def table(cells: list[Cell]) -> str:
    """Microseconds for each framework and case of one interface, with their ratio to Antiphon's."""
    width = 18
    rows = [(cells[0].interface.upper(), [cell.case for cell in cells])]
    for name in dict.fromkeys(name for cell in cells for name in cell.times):
        rows += [(name, [entry(cell.times, name) for cell in cells])]
    return "\n".join("".join([f"{name:12}", *(f"{text:>{width}}" for text in texts)]) for name, texts in rows)


def entry(times: Mapping[str, float], name: str) -> str:
    return f"{times[name]:.2f} ({times[name] / times[OURS]:5.2f}x)" if name in times else "-"


def shortfalls(cells: list[Cell], falcon_form: float | None) -> Iterator[str]:
    """A line for each peer that Antiphon is not ahead of; `falcon_form` is Falcon's form over WSGI."""
    for cell in cells:
        ours = cell.times[OURS]
        for peer, time in cell.peers().items():
            what, limit = f"{peer}'s time", time
            if cell.case == "form" and peer == "falcon" and falcon_form is not None:
                what, limit = f"{FORM_ALLOWANCE} times falcon's over WSGI", falcon_form * FORM_ALLOWANCE
            if ours >= limit:
                yield f"{cell.case} over {cell.interface.upper()}: {ours:.2f} us; {what} is {limit:.2f} us"


def overall(cells: list[Cell]) -> float:
    """Antiphon's time as a part of the best peer's: the geometric mean over the cells."""
    ratios = [cell.times[OURS] / min(cell.peers().values()) for cell in cells]
    return math.exp(sum(map(math.log, ratios)) / len(ratios))
