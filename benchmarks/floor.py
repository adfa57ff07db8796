"""`python -m benchmarks.floor`: no request takes more instructions than is kept in `ceilings.json`.

The figures are those of some requests, divided by what plain Python takes in the same run (`reference.py`), so that
they are nearly the same for all builds of one version of Python. Fails where one is more than 3 % higher than what is
kept, and where a curve of `benchmarks.growth` is neither flat nor linear. With `--write` those of this Python are kept.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import interpreter
from .growth import HELD, bent
from .instructions import instructions
from .reference import REFERENCE
from .report import OURS

FILE = Path(__file__).with_name("ceilings.json")
CASES = ("hello", "middlewares", "form", "tuple", "missing")
CELLS = {
    f"{case} over {interface.upper()}": f"{interface}/{case}/{OURS}" for interface in ("wsgi", "asgi") for case in CASES
}
TOLERANCE = 0.03
WRITE = "python -m benchmarks.floor --write"

Figures = dict[str, float]


def measured() -> Figures:
    """Count the instructions of each cell, as a multiple of the reference's."""
    counts = instructions([REFERENCE, *CELLS.values()])
    return {name: round(counts[cell] / counts[REFERENCE], 4) for name, cell in CELLS.items()}


def kept() -> dict[str, Figures]:
    """Read the ceilings of all builds of Python that have some."""
    found: dict[str, Figures] = json.loads(FILE.read_text())
    return found


def exceeded(figures: Mapping[str, float], ceilings: Mapping[str, float]) -> Iterator[str]:
    """Give a line for each figure that is too high."""
    for name, figure in figures.items():
        if (ceiling := ceilings.get(name)) is None:
            yield f"{name} has no ceiling; `{WRITE}` writes those of this Python"
        elif figure > ceiling * (1 + TOLERANCE):
            yield f"{name} takes {figure / ceiling - 1:.1%} more instructions than is kept: {figure}, not {ceiling}"


def measured_below(ceilings: Mapping[str, float]) -> Figures:
    """Count as ``measured`` does, and again if any is too high: on a busy machine now and then more is counted."""
    figures = measured()
    if not [*exceeded(figures, ceilings)]:
        return figures
    again = measured()
    return {name: min(figure, again[name]) for name, figure in figures.items()}


def bent_curves() -> list[str]:
    """Give a line for each curve that is bent, also when it is counted again, for the same reason."""
    return [*bent(instructions(HELD))] and [*bent(instructions(HELD))]


def write(figures: Figures) -> None:
    FILE.write_text(json.dumps(kept() | {interpreter.build(): figures}, indent=1, sort_keys=True) + "\n")


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures of this Python as ceilings")
    options = parser.parse_args()
    print(f"{interpreter.build()}: instructions, as a multiple of plain Python's")
    figures = measured()
    ceilings = kept().get(interpreter.build(), {})
    for name, figure in figures.items():
        print(f"{name:24}{figure:8.4f}{f'{figure / ceilings[name] - 1:+9.1%}' if name in ceilings else ''}")
    if options.write:
        write(figures)
        return 0
    found = [*exceeded(figures, ceilings), *bent_curves()]
    for line in found:
        print(f"TOO MANY: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
