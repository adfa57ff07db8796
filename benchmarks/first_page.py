"""`python -m benchmarks.first_page`: the CPU time of `antiphon run` from its start to its first page, beside Granian's.

Counts user and system time of all of a server's processes. Fails where Antiphon takes more than Granian with the same
application. Linux only.
"""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import closing
from statistics import median
from tempfile import TemporaryDirectory

from . import interpreter
from .apps import module_of
from .cases import CASES
from .load import Load
from .server_process import GRANIAN, ServerProcess, cpu_time, on_linux, settled
from .wire import as_sent

GOAL = 0.87
"""The part of Granian's time that Antiphon may take."""
APP = f"{module_of('antiphon')}:asgi"
COMMANDS = {
    "granian": ("-m", "granian", "--interface=asgi", "--port={port}", *GRANIAN, "{app}"),
    "antiphon run": ("-m", "antiphon", "run", "--port={port}", "{app}"),
}


def first_page(command: tuple[str, ...], settle: Callable[[], None]) -> list[float]:
    """Start a server, ask it for a page, and end it: milliseconds of CPU time of each of its processes by then."""
    with closing(ServerProcess(command, APP, settle)) as server:
        load = server.when_ready(lambda port: Load(port, as_sent(CASES["hello"]), 1))
        with closing(load):
            load.first_answer()
            return [cpu_time([clock]) / 1e6 for clock in server.cpu_clocks()]


@on_linux
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="starts of each server (11)")
    options = parser.parse_args()
    print(interpreter.described())
    settle = settled(free=False)
    with TemporaryDirectory() as folder:  # for compiled code, which a first round makes
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        _, *rounds = (
            {name: first_page(command, settle) for name, command in COMMANDS.items()} for _ in range(options.rounds + 1)
        )
    print(f"\n{'':14}{'ms':>8}  of each process")
    for name in COMMANDS:
        each = [f"{median(times):.0f}" for times in zip(*(found[name] for found in rounds), strict=False)]
        print(f"{name:14}{median(sum(found[name]) for found in rounds):8.0f}  {' + '.join(each)}")
    ratio = median(sum(found["antiphon run"]) / sum(found["granian"]) for found in rounds)
    print(f"antiphon run takes {ratio:.2f} of Granian's time")
    if ratio > GOAL:
        print(f"MISSED: {ratio:.2f}, not {GOAL}")
    return int(ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
