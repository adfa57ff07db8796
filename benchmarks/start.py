"""`python -m benchmarks.start`: from `exec` to the first response of hello, and the memory of a worker, beside others.

Servers are started in turns. The memory is that of a worker at rest and after 10,000 requests: resident and
proportional, the latter also of all processes. Then what each of four workers has for itself, with and without
`--preload`. Fails where `antiphon run` takes more CPU time than Granian with the same application, or a
worker more than 12 MiB with `--preload`. Linux only.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import NamedTuple

from . import interpreter, readme
from .load import Load
from .server_process import ServerProcess, cpu_time, granian, on_linux

TIME_GOAL = 1.0
"""The part of Granian's time that Antiphon may take."""
MEMORY_GOAL = 12.0
"""MiB."""
WORKERS = 4
REQUESTS = 10_000
REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
RUN = ("-m", "antiphon", "run", "--port={port}", "--no-access-log", "benchmarks.hellos:{app}")
UVICORN = ("-m", "uvicorn", "--port={port}", "--no-access-log", "--log-level=error", "benchmarks.hellos:{app}")
GUNICORN = ("-m", "gunicorn", "--bind=127.0.0.1:{port}", "--threads=2", "--log-level=error", "benchmarks.hellos:{app}")
SERVERS = {
    "`antiphon run`": (RUN, "antiphon"),
    "Antiphon on Granian": ((*granian("asgi")[:-1], "benchmarks.hellos:{app}"), "antiphon"),
    "Starlette on Uvicorn": (UVICORN, "starlette"),
    "Falcon on Gunicorn": (GUNICORN, "falcon"),
    "Flask on Gunicorn": (GUNICORN, "flask"),
    "Django on Gunicorn": (GUNICORN, "django"),
    "FastAPI on Uvicorn": (UVICORN, "fastapi"),
}
OURS, GRANIAN, *_ = SERVERS
PACKAGES = ("granian", "starlette", "falcon", "flask", "django", "fastapi", "uvicorn", "gunicorn")


class Start(NamedTuple):
    """Milliseconds to the first response, by the clock and of all processes' CPU time."""

    elapsed: float
    cpu: float


def server(name: str) -> ServerProcess:
    command, app = SERVERS[name]
    return ServerProcess(command, f"{app}_app", lambda: None)


def start(name: str) -> Start:
    """Start a server, ask it for a page, and end it."""
    began = monotonic()
    with closing(server(name)) as process, closing(process.when_ready(lambda port: Load(port, REQUEST, 1))) as load:
        load.first_answer()
        return Start((monotonic() - began) * 1e3, cpu_time(process.cpu_clocks()) / 1e6)


def mebibytes(process: int, *names: str) -> float:
    """Return the sum of some sizes that the kernel tells of a process's memory."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(size) for name in names for size in re.findall(rf"^{name}: +(\d+) kB", text, re.MULTILINE)) / 1024


def sizes(processes: list[int]) -> list[float]:
    """Return the resident and the proportional memory of a worker, and the proportional one of all processes."""
    return [
        mebibytes(processes[-1], "Rss"),
        mebibytes(processes[-1], "Pss"),
        sum(mebibytes(each, "Pss") for each in processes),
    ]


def memory(name: str) -> list[float]:
    """Return the sizes after the first response, and after 10,000."""
    with closing(server(name)) as process, closing(process.when_ready(lambda port: Load(port, REQUEST, 8))) as load:
        load.verify(lambda *_: None, varies=True)
        sleep(0.5)
        at_rest = sizes(process.processes())
        load.send(REQUESTS)
        return at_rest + sizes(process.processes())


def four_workers(*options: str) -> tuple[float, float]:
    """Return what each of four workers has for itself after requests, and the proportional memory of all processes."""
    command = (*RUN, f"--workers={WORKERS}", *options)
    with closing(ServerProcess(command, "antiphon_app", lambda: None)) as process:
        with closing(process.when_ready(lambda port: Load(port, REQUEST, 32))) as load:
            load.verify(lambda *_: None, varies=True)
            load.send(REQUESTS)
        supervisor, *workers = process.processes()
        alone = median(mebibytes(each, "Private_Clean", "Private_Dirty") for each in workers)
        return alone, sum(mebibytes(each, "Pss") for each in (supervisor, *workers))


def compared(times: Iterable[float], first: Iterable[float]) -> str:
    """Return a median, and how many times that of the first it is."""
    middle, base = median(times), median(first)
    return f"{middle:.0f} ms" + (f" ({middle / base:.2f})" if middle != base else "")


def table(rounds: list[dict[str, Start]]) -> str:
    titles = (
        "elapsed", "CPU time", "resident", "proportional", "all", "resident later", "proportional later", "all later",
    )  # fmt: skip
    rows = []
    for name in rounds[0]:
        clocks = zip(*([each[key] for each in rounds] for key in (name, OURS)), strict=True)
        found, base = zip(*clocks, strict=True)
        times = [compared([x[i] for x in found], [x[i] for x in base]) for i in range(2)]
        rows.append([name, *times, *(f"{size:.1f}" for size in memory(name))])
    return readme.table(["", *(f"{title}:" for title in titles)], rows)


@on_linux
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="starts of each server (11)")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:  # for compiled code, which a first round makes
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        _, *rounds = ({name: start(name) for name in SERVERS} for _ in range(options.rounds + 1))
        text = table(rounds)
        each_worker = {name: four_workers(*name.split()) for name in ("", "--preload")}
    print(text := f"{interpreter.told()}; {interpreter.versions(*PACKAGES)}.\n\n{text}")
    if options.write:
        readme.write("start", text)
    for name, (alone, together) in each_worker.items():
        print(f"{name or 'as it is':12}{alone:10.1f} MiB for each of {WORKERS} workers, all {together:.1f}")
    ratio = median(each[OURS].cpu / each[GRANIAN].cpu for each in rounds)
    missed = [f"{ratio:.2f} of Granian's time, not {TIME_GOAL}"] if ratio > TIME_GOAL else []
    if each_worker["--preload"][0] > MEMORY_GOAL:
        missed.append(f"{each_worker['--preload'][0]:.1f} MiB with --preload, not {MEMORY_GOAL:.0f}")
    for line in missed:
        print(f"MISSED: {line}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
