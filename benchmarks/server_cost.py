"""`python -m benchmarks.server_cost`: hello by `antiphon run` without its log, beside Granian with the same app.

Over WSGI Granian gets as many threads as Antiphon gives it, and one, for comparison: threads that take turns cost as
much as the application. Then the access log is added; send it elsewhere, by `2>/dev/null`. Counts the CPU time of a
server's processes for a request. Fails where Antiphon takes more than 1.15 of Granian's time, and where the log adds
more than 15 %. Linux only.
"""

import argparse
import sys
from statistics import median

from antiphon.cli.workers.worker import WSGI_THREADS

from . import interpreter
from .apps import module_of, name_of
from .server_process import granian, on_linux
from .wire import measure_hello

GOAL = 1.15


def commands(interface: str) -> dict[str, tuple[str, ...]]:
    """Return the servers that are compared over an interface; the first one is what others are measured by."""
    alone = granian(interface)
    run = ("-m", "antiphon", "run", f"--interface={interface}", "--port={port}", "{app}")
    same = tuple(part.replace("blocking-threads=1", f"blocking-threads={WSGI_THREADS}") for part in alone)
    servers = {"granian": same if interface == "wsgi" else alone}
    if interface == "wsgi":
        servers["granian, one thread"] = alone
    return servers | {"antiphon run": (*run, "--no-access-log"), "and its log": run}


def measure(interface: str, rounds: int) -> dict[str, list[float]]:
    """Load the servers by turns; return microseconds of CPU time a request."""
    app = f"{module_of('antiphon')}:{name_of('antiphon', interface, 'hello')}"
    samples = measure_hello({name: (each, app) for name, each in commands(interface).items()}, rounds, free=False)
    return {name: [sample.cpu for sample in found] for name, found in samples.items()}


@on_linux
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="samples of each server (30)")
    options = parser.parse_args()
    print(interpreter.described())
    missed = []
    for interface in ("wsgi", "asgi", "rsgi"):
        samples = measure(interface, options.rounds)
        base = samples["granian"]
        print(f"\n{interface.upper():22}{'us':>8}{'times':>8}")
        for name, times in samples.items():
            print(f"{name:22}{median(times):8.1f}{median(map(float.__truediv__, times, base)):8.2f}", flush=True)
        for name, other in (("antiphon run", "granian"), ("and its log", "antiphon run")):
            ratio = median(map(float.__truediv__, samples[name], samples[other]))
            if ratio > GOAL:
                missed.append(f"MISSED: {interface}: {name} takes {ratio:.2f} of {other}, not {GOAL}")
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
