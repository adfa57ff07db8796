"""`python -m benchmarks.workers`: what a second worker adds, to `antiphon run` and to Granian with a bare application.

Each server has one worker and two, by turns, on any core, and answers hello, and a page that takes 200 microseconds
of Python. The load comes from one process on the same cores: with two of them a second worker has what the load leaves,
so the gain is told beside Granian's, and beside what the CPU time of all processes allows. It compares, and fails for
nothing. Linux only.
"""

import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack, closing
from statistics import median
from time import perf_counter_ns, process_time_ns
from typing import Any, NamedTuple

from antiphon import App, Request

from . import interpreter
from .load import Load
from .server_process import ServerProcess, cpu_time

CONNECTIONS = 32
GRANIAN = ("-m", "granian", "--interface=asgi", "--port={port}", "--runtime-threads=1", "--no-log")
RUN = ("-m", "antiphon", "run", "--interface=asgi", "--port={port}", "--no-access-log")
SERVERS = {"Granian, bare": (GRANIAN, "benchmarks.workers:bare"), "antiphon run": (RUN, "benchmarks.workers:app")}
REQUESTS = {"/hello": 2000, "/page": 600}
"""The paths, and how many requests a sample takes."""
TURNS = 12_000
HELLO = b"Hello, world!"


def work() -> int:
    return sum(number & 3 for number in range(TURNS // 2))


async def bare(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        if scope["path"] == "/page":
            work()
        fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": HELLO})


app = App()


@app.get("/hello")
async def hello(_request: Request) -> bytes:
    return HELLO


@app.get("/page")
async def page(_request: Request) -> bytes:
    work()
    return HELLO


class Sample(NamedTuple):
    """Microseconds a request: by the clock, of the server's CPU time, and of the load's."""

    elapsed: float
    server: float
    load: float


def sample(server: ServerProcess, clocks: list[int], path: str) -> Sample:
    """Load a server on connections of its own, so that no chance of one sample shares them out for all."""
    with closing(Load(server.port, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), CONNECTIONS)) as load:
        load.verify(lambda status, _fields, body: None if (status, body) == (200, HELLO) else sys.exit(f"{status}"))
        count = REQUESTS[path]
        load.send(count // 4)
        server_used, load_used, start = cpu_time(clocks), process_time_ns(), perf_counter_ns()
        load.send(count)
        elapsed = perf_counter_ns() - start
        used = cpu_time(clocks) - server_used, process_time_ns() - load_used
    return Sample(*(nanoseconds / count / 1000 for nanoseconds in (elapsed, *used)))


def measure(rounds: int) -> dict[tuple[str, str, int], list[Sample]]:
    """Take samples of each server with each number of workers by turns, so that noise hits all alike."""
    with ExitStack() as stack:
        served = {}
        for name, (command, application) in SERVERS.items():
            for workers in (1, 2):
                arguments = (*command, f"--workers={workers}", application)
                server = stack.enter_context(closing(ServerProcess(arguments, application, lambda: None)))
                server.when_ready(lambda port: Load(port, b"", 1)).close()
                served[name, workers] = server
        samples: dict[tuple[str, str, int], list[Sample]] = {}
        for turn in range(rounds + 1):
            for (name, workers), server in served.items():
                for path in REQUESTS:
                    found = sample(server, server.cpu_clocks(), path)
                    if turn:  # the first one starts the workers
                        samples.setdefault((path, name, workers), []).append(found)
    return samples


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="samples of each (12)")
    options = parser.parse_args()
    if sys.platform != "linux":
        print("this benchmark reads the CPU time of processes as only Linux gives it")
        return 2
    cores = len(os.sched_getaffinity(0))
    print(f"{interpreter.described()}\nthe servers and the load share {cores} cores")
    samples = measure(options.rounds)
    print(f"\n{'':8}{'':16}{'one, us':>9}{'two, us':>9}{'gain':>7}{'possible':>10}{'CPU':>8}{'load':>8}")
    for path in REQUESTS:
        for name in SERVERS:
            one, two = samples[path, name, 1], samples[path, name, 2]
            gain = median(first.elapsed / second.elapsed for first, second in zip(one, two, strict=True))
            most = median(
                first.elapsed * cores / (second.server + second.load) for first, second in zip(one, two, strict=True)
            )
            times = median(each.elapsed for each in one), median(each.elapsed for each in two)
            cpu = median(each.server for each in two), median(each.load for each in two)
            print(f"{path:8}{name:16}{times[0]:9.1f}{times[1]:9.1f}{gain:7.2f}{most:10.2f}{cpu[0]:8.1f}{cpu[1]:8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
