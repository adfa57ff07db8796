"""`python -m benchmarks.start`: the CPU time of `antiphon run` up to its first page, and the memory of its workers.

The time is that of all of a server's processes, beside Granian with the same application; the memory is what each of
four workers has for itself, with and without `--preload`. Fails where Antiphon takes more than 0.87 of Granian's time,
or a worker more than 12 MiB with `--preload`. Linux only.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from . import interpreter
from .apps import module_of
from .cases import CASES
from .load import Load
from .server_process import ServerProcess, cpu_time, granian, on_linux, settled
from .wire import as_sent

TIME_GOAL = 0.87
"""The part of Granian's time that Antiphon may take."""
MEMORY_GOAL = 12.0
"""MiB."""
WORKERS = 4
REQUESTS = 2000
HELLO = CASES["hello"]
APP = f"{module_of('antiphon')}:asgi"
RUN = ("-m", "antiphon", "run", "--port={port}", "{app}")
COMMANDS = {"granian": granian("asgi"), "antiphon run": RUN}


def first_page(command: tuple[str, ...], settle: Callable[[], None]) -> list[float]:
    """Start a server, ask it for a page, and end it: milliseconds of CPU time of each of its processes by then."""
    with (
        closing(ServerProcess(command, APP, settle)) as server,
        closing(server.when_ready(lambda port: Load(port, as_sent(HELLO), 1))) as load,
    ):
        load.first_answer()
        return [cpu_time([clock]) / 1e6 for clock in server.cpu_clocks()]


def kibibytes(process: int, *names: str) -> int:
    """Return the sum of some sizes that the kernel tells of a process's memory."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(size) for name in names for size in re.findall(rf"^{name}: +(\d+) kB", text, re.MULTILINE))


def memory(*options: str) -> tuple[float, float]:
    """Serve, and return the MiB that a worker has for itself, and those of all processes with their parts of others."""
    command = (*RUN, f"--workers={WORKERS}", "--no-access-log", *options)
    with closing(ServerProcess(command, APP, settled(free=True))) as server:
        with closing(server.when_ready(lambda port: Load(port, as_sent(HELLO), 32))) as load:
            load.verify(HELLO.check)
            load.send(REQUESTS)
        _, *workers = processes = server.processes()
        alone = median(kibibytes(each, "Private_Clean", "Private_Dirty") for each in workers)
        return alone / 1024, sum(kibibytes(each, "Pss") for each in processes) / 1024


@on_linux
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="starts of each server (11)")
    options = parser.parse_args()
    print(interpreter.described())
    sizes = {name: memory(*name.split()) for name in ("", "--preload")}
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
    print(f"antiphon run takes {ratio:.2f} of Granian's time\n\n{'MiB':12}{'a worker':>10}{'all':>8}")
    for name, (alone, together) in sizes.items():
        print(f"{name or 'as it is':12}{alone:10.1f}{together:8.1f}")
    missed = [f"{ratio:.2f} of Granian's time, not {TIME_GOAL}"] if ratio > TIME_GOAL else []
    if sizes["--preload"][0] > MEMORY_GOAL:
        missed.append(f"{sizes['--preload'][0]:.1f} MiB with --preload, not {MEMORY_GOAL:.0f}")
    for line in missed:
        print(f"MISSED: {line}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
