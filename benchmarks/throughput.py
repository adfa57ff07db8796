"""`python -m benchmarks.throughput`: hello served by Granian, Antiphon beside a bare application.

Throughput is what a server answers with one second of CPU time of its processes. Fails where Antiphon's is below 95 %
of the bare application's. Linux only.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib.metadata import version
from itertools import islice
from signal import SIGTERM, signal
from statistics import median, quantiles
from time import perf_counter_ns
from typing import NamedTuple

from .apps.served import BODY
from .cases import CASES, Case
from .load import Load, LoadError
from .report import FLOOR, OURS
from .server_process import ServerProcess, cpu_time, granian, settled

SHARE = 0.95
CONNECTIONS = 16
APPS = "benchmarks.apps.served"
QUIET = 0.9
"""The part of a sample's time for which a server with a core of its own has to run: else others took that core."""
PATIENCE = 5
"""How many times the wanted rounds are tried, for as many quiet ones."""


class Pair(NamedTuple):
    """An application of Antiphon to be compared with the bare one of an interface."""

    interface: str
    handler: str
    app: str
    is_judged: bool

    def __str__(self) -> str:
        return f"`{self.handler}` over {self.interface.upper()}"


PAIRS = (
    Pair("wsgi", "def", "antiphon_def", is_judged=True),
    Pair("asgi", "async def", "antiphon_async", is_judged=True),
    Pair("rsgi", "async def", "antiphon_async", is_judged=True),
    Pair("asgi", "def", "antiphon_def", is_judged=False),
)


class Sample(NamedTuple):
    """Microseconds a request: CPU time of the server, and the time that passed."""

    cpu: float
    elapsed: float

    @property
    def busy(self) -> float:
        """The part of the time that passed for which the server ran; above 1 on several cores."""
        return self.cpu / self.elapsed


class Served:
    """An application in a server of its own, and the load on it."""

    def __init__(self, load: Load, clocks: list[int]) -> None:
        self.load = load
        self.clocks = clocks

    def sample(self, requests: int) -> Sample:
        used, start = cpu_time(self.clocks), perf_counter_ns()
        self.load.send(requests)
        elapsed = perf_counter_ns() - start
        return Sample((cpu_time(self.clocks) - used) / requests / 1000, elapsed / requests / 1000)


class Result(NamedTuple):
    """The samples of both applications, taken by turns."""

    bare: list[Sample]
    ours: list[Sample]

    def shares(self) -> list[float]:
        """Antiphon's throughput as a part of the bare application's, round by round."""
        return [bare.cpu / ours.cpu for bare, ours in zip(self.bare, self.ours, strict=True)]

    def share(self) -> float:
        return median(self.shares())


def compare(pair: Pair, options: Namespace, settle: Callable[[], None]) -> Result:
    """Serve both applications at the same time, and load them by turns, so that noise hits both alike."""
    requests = options.requests
    with ExitStack() as stack:
        bare, ours = (serve(pair.interface, app, settle, stack) for app in (f"bare_{pair.interface}", pair.app))
        if bare.load.head() != ours.load.head():
            raise LoadError(f"the answers differ: {bare.load.head()}, {ours.load.head()}")
        for served in (bare, ours):
            served.sample(10 * requests)
        rounds = ((bare.sample(requests), ours.sample(requests)) for _ in range(PATIENCE * options.rounds))
        quiet = (samples for samples in rounds if options.free or min(sample.busy for sample in samples) >= QUIET)
        kept = list(islice(quiet, options.rounds))
    if len(kept) < max(2, options.rounds // 4):
        raise LoadError(f"the machine is too busy: in {len(kept)} rounds the server had its core to itself")
    return Result(*map(list, zip(*kept, strict=True)))


def serve(interface: str, app: str, settle: Callable[[], None], stack: ExitStack) -> Served:
    server = stack.enter_context(closing(ServerProcess(granian(interface), f"{APPS}:{app}", settle)))
    request = as_sent(CASES["hello"])
    load = stack.enter_context(closing(server.when_ready(lambda port: Load(port, request, BODY, CONNECTIONS))))
    return Served(load, server.cpu_clocks())


def as_sent(case: Case) -> bytes:
    """A case's request without a body, as it is sent in HTTP/1.1."""
    lines = [f"{case.method} {case.path} HTTP/1.1", *(f"{name}: {value}" for name, value in case.headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def line(pair: Pair, result: Result) -> str:
    """A row of the table."""
    low, _, high = quantiles(result.shares(), n=4)
    busy = (f"{median(sample.busy for sample in samples):.0%}" for samples in result)
    times = (f"{median(sample.cpu for sample in samples):.1f}" for samples in result)
    return "".join(
        [
            f"{pair!s:22}",
            *(f"{f'{time} ({share})':>15}" for time, share in zip(times, busy, strict=True)),
            f"{f'{result.share():.1%}':>9}",
            f"{f'{low:.1%} to {high:.1%}':>20}",
            "" if pair.is_judged else "  not judged",
        ]
    )


def main() -> int:
    if sys.platform != "linux":
        print("this benchmark reads the CPU time of processes as only Linux gives it")
        return 2
    options = parse_options()
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    settle = settled(free=options.free)
    python = f"{sys.implementation.name} {sys.version.split()[0]}"
    print(f"{python}; granian {version('granian')}; {'any core' if options.free else 'one core'} for the server")
    print(
        "Microseconds of CPU time a request (how busy the server was), and Antiphon's throughput beside the bare one\n"
    )
    print(f"{'':22}{FLOOR:>15}{OURS:>15}{'share':>9}{'half of the rounds':>20}", flush=True)
    behind = []
    for pair in PAIRS:
        if pair.interface not in options.interface:
            continue
        try:
            result = compare(pair, options, settle)
        except LoadError as error:
            behind.append(f"VOID: {pair}: {error}")
            continue
        print(line(pair, result), flush=True)
        if pair.is_judged and result.share() < SHARE:
            behind.append(
                f"TOO SLOW: {pair} has {result.share():.1%} of a bare application's throughput, not {SHARE:.0%}"
            )
    for text in behind:
        print(text)
    return 1 if behind else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    interfaces = sorted({pair.interface for pair in PAIRS})
    parser.add_argument("--interface", action="append", choices=interfaces, help="measure only this interface")
    parser.add_argument("--rounds", type=int, default=100, help="samples for each application (100)")
    parser.add_argument("--requests", type=int, default=400, help="requests a sample (400)")
    parser.add_argument("--free", action="store_true", help="let the system schedule the server as it likes")
    options = parser.parse_args()
    options.interface = options.interface or interfaces
    return options


if __name__ == "__main__":
    sys.exit(main())
