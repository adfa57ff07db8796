"""`python -m benchmarks.instructions`: how many instructions a request takes, counted by Valgrind.

They are the same however busy the machine is. Nothing is judged. Only what an application does is counted: making
environs and scopes is not, while releasing them is, as in `python -m benchmarks`.
"""

import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from . import interpreter
from .__main__ import FRAMEWORKS, INTERFACES
from .cases import CASES
from .counted import COUNTED
from .reference import REFERENCE
from .report import OURS, Cell, table

ROOT = Path(__file__).parents[1]
VALGRIND = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no", "--quiet")

KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "ANTIPHON_PURE")
"""What the environment has to say: where programs and modules are, and if Antiphon's C extension is left out."""


def instructions(cells: Sequence[str]) -> dict[str, float]:
    """Count the instructions of a request for each cell, such as `wsgi/hello/antiphon`, or of a turn of the reference.

    Raises RuntimeError where that fails, with what Valgrind and Python have said.
    """
    with TemporaryDirectory() as folder:
        counts = f"--callgrind-out-file={folder}/%p"
        command = [*VALGRIND, counts, sys.executable, "-m", "benchmarks.counted", *cells]
        done = subprocess.run(command, check=False, cwd=ROOT, env=environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        found = dict(line.split()[::-1] for line in done.stdout.splitlines() if line.count(" ") == 1)
        return {cell: total(Path(folder, process)) / COUNTED for cell, process in found.items()}


def environment() -> dict[str, str]:
    """Return the environment of what is counted: as little as needed, with equal hashes each time."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {"PYTHONHASHSEED": "0"}


def total(counts: Path) -> int:
    """Read the instructions of a process."""
    found = re.search(r"^totals: (\d+)", counts.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{counts} has no total")
    return int(found[1])


def cells(interface: str, cases: Sequence[str], counts: Mapping[str, float]) -> list[Cell]:
    """Arrange counts case by case."""
    keys = {name: f"{interface}/{{}}/{name}" for name in FRAMEWORKS}
    return [
        Cell(
            interface,
            case,
            {name: counts[key.format(case)] for name, key in keys.items() if key.format(case) in counts},
        )
        for case in cases
    ]


def wanted(options: Namespace) -> list[str]:
    """Return the cells that are asked for."""
    from .apps import application

    return [
        f"{interface}/{case}/{name}"
        for interface in options.interface
        for case in options.case
        for name in options.framework
        if name in (CASES[case].frameworks or FRAMEWORKS) and application(name, interface, case) is not None
    ]


def main() -> int:
    options = parse_options()
    if shutil.which("valgrind") is None:
        print("this counts by valgrind, a package of the system")
        return 2
    print(f"{interpreter.described()}\nInstructions a request, and how many times Antiphon's that is", flush=True)
    counts = instructions([REFERENCE, *wanted(options)])
    found = [cell for interface in options.interface for cell in cells(interface, options.case, counts)]
    for interface in options.interface:
        print(f"\n{table([cell for cell in found if cell.interface == interface], digits=0)}")
    print(f"\nA turn of the reference in plain Python: {counts[REFERENCE]:,.0f}")
    return 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="count only this case (repeatable)")
    parser.add_argument("--interface", action="append", choices=INTERFACES, help="count only this interface")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS, help="count only this one and Antiphon")
    options = parser.parse_args()
    options.framework = [name for name in FRAMEWORKS if name in {OURS, *(options.framework or FRAMEWORKS)}]
    options.case = options.case or list(CASES)
    options.interface = options.interface or list(INTERFACES)
    return options


if __name__ == "__main__":
    sys.exit(main())
