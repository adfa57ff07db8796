"""`python -m benchmarks.worker_memory`: the memory that each of four workers of `antiphon run` has for itself.

Fails where that is more than 12 MiB with `--preload`. Linux only.
"""

import re
import sys
from contextlib import closing
from pathlib import Path
from statistics import median

from . import interpreter
from .apps import module_of
from .cases import CASES
from .load import Load
from .server_process import ServerProcess, on_linux, settled
from .wire import as_sent

GOAL = 12.0
"""MiB."""
WORKERS = 4
REQUESTS = 2000
APP = f"{module_of('antiphon')}:asgi"
COMMAND = ("-m", "antiphon", "run", f"--workers={WORKERS}", "--port={port}", "--no-access-log", "{app}")


def kibibytes(process: int, *names: str) -> int:
    """Return the sum of some sizes that the kernel tells of a process's memory."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(size) for name in names for size in re.findall(rf"^{name}: +(\d+) kB", text, re.MULTILINE))


def measure(command: tuple[str, ...]) -> tuple[float, float]:
    """Serve, and return the MiB that a worker has for itself, and those of all processes with their parts of others."""
    with closing(ServerProcess(command, APP, settled(free=True))) as server:
        with closing(server.when_ready(lambda port: Load(port, as_sent(CASES["hello"]), 32))) as load:
            load.verify(CASES["hello"].check)
            load.send(REQUESTS)
        _, *workers = processes = server.processes()
        alone = median(kibibytes(each, "Private_Clean", "Private_Dirty") for each in workers)
        return alone / 1024, sum(kibibytes(each, "Pss") for each in processes) / 1024


@on_linux
def main() -> int:
    print(interpreter.described())
    print(f"\n{'MiB':12}{'a worker':>10}{'all':>8}")
    for name, command in (("as it is", COMMAND), ("--preload", (*COMMAND, "--preload"))):
        alone, together = measure(command)
        print(f"{name:12}{alone:10.1f}{together:8.1f}", flush=True)
    if alone > GOAL:
        print(f"MISSED: {alone:.1f} MiB with --preload, not {GOAL:.0f}")
    return int(alone > GOAL)


if __name__ == "__main__":
    sys.exit(main())
