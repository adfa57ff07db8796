"""`python -m benchmarks.growth`: how the cost of a request grows with its fields, headers, routes, middleware.

Measures the CPU time, user and system, of requests of which one part has several sizes. Fails where twice as much costs
clearly more than twice the time, and where the size must not matter but does. Other frameworks have a few of the rows.
"""

import asyncio
import gc
import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from time import process_time_ns
from typing import NamedTuple

from . import interpreter, readme
from .cases import Case
from .growth_cases import GROWTHS, Growth
from .harness import AsgiServer, Exchange, WsgiServer, environ_of, fresh_environ, scope_of, starter
from .report import OURS

INTERFACES = ("wsgi", "asgi")
PEERS = tuple(dict.fromkeys(peer for growth in GROWTHS for peer in growth.peers))
FLAT = 1.25
"""How many times the least time the others may take where the size does not matter."""
DOUBLED = 2.5
"""How many times the time twice the size may take. Above 1000 a plain `split` has 2.2: no cache holds what it makes."""
SAMPLE, CELL = 3e-3, 0.3
"""Seconds that a sample takes, if it has more than one request, and all samples of one size."""
ROUNDS = 12
LEAST_ROUNDS = 5
MOST_CALLS = 200
QUICK = 100
"""The largest size that is tried quickly."""
PEER = 1000
"""The largest size that is tried with the others: some take minutes to make ten thousand routes."""


class Served:
    """An application in this process, with the request that it answers."""

    def __init__(self, app: object, interface: str, case: Case, loop: asyncio.AbstractEventLoop) -> None:
        self.case = case
        self.loop = loop
        self.server = WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)  # type: ignore[arg-type]
        self.server.verify(case)

    def sample(self, calls: int) -> float:
        """Seconds of CPU time a request."""
        if isinstance(self.server, AsgiServer):
            return self.loop.run_until_complete(self._sampled(self.server, calls)) / calls / 1e9
        template = environ_of(self.case)
        environs = [fresh_environ(template, self.case.body) for _ in range(calls)]
        start = process_time_ns()
        self.server.timed(environs, starter([]))
        return (process_time_ns() - start) / calls / 1e9

    async def _sampled(self, server: AsgiServer, calls: int) -> int:
        template = scope_of(self.case)
        exchanges = [Exchange(template, self.case.body, []) for _ in range(calls)]
        start = process_time_ns()
        await server.timed(exchanges)
        return process_time_ns() - start

    def calls(self) -> int:
        """How many requests a sample has."""
        return max(1, min(MOST_CALLS, int(SAMPLE / max(min(self.sample(1) for _ in range(3)), 1e-9))))


class Row(NamedTuple):
    """Seconds a request by size, of one framework over one interface."""

    growth: Growth
    interface: str
    framework: str
    times: Mapping[int, float]

    @property
    def each(self) -> float:
        """Seconds that one more takes, up to the size that all frameworks have."""
        (first, least), *_, (last, most) = [(size, time) for size, time in self.times.items() if size <= PEER]
        return (most - least) / (last - first)

    @property
    def doubling(self) -> float:
        """By how much twice the size multiplies the time, between the two largest sizes.

        Before these the cost of one more may rise where a larger body is read in another way.
        """
        one, two = [*self.times][-2:]
        return (self.times[two] / self.times[one]) ** (1 / math.log2(two / one))

    @property
    def verdict(self) -> str:
        if max(self.times.values()) <= FLAT * next(iter(self.times.values())):
            return "flat"
        return "linear" if self.doubling <= DOUBLED else f"{self.doubling:.1f} times for twice as much"

    @property
    def fails(self) -> bool:
        wanted = ("flat",) if self.growth.is_flat else ("flat", "linear")
        return self.verdict not in wanted


def measure(growth: Growth, interface: str, frameworks: Sequence[str], options: Namespace) -> Iterator[Row]:
    sizes = {framework: sizes_of(growth, framework, quick=options.quick) for framework in frameworks}
    with ExitStack() as stack:
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        served: dict[tuple[str, int], Served] = {}
        started: dict[tuple[str, int], float] = {}
        for framework in frameworks:
            module = import_module(f"benchmarks.growth_apps.{framework}_app")
            for size in sizes[framework]:
                begun = process_time_ns()
                app = module.make(interface, **growth.parts(size))
                served[framework, size] = Served(app, interface, growth.request(size), loop)
                started[framework, size] = (process_time_ns() - begun) / 1e9
                stack.callback(served[framework, size].server.close)
        best = started if growth.is_of_start else timed(served, quick=options.quick)
    for framework in frameworks:
        yield Row(growth, interface, framework, {size: best[framework, size] for size in sizes[framework]})


def sizes_of(growth: Growth, framework: str, *, quick: bool) -> list[int]:
    most = QUICK if quick else math.inf if framework == OURS else PEER
    return [size for size in growth.sizes if size <= most]


def timed(served: Mapping[tuple[str, int], Served], *, quick: bool) -> dict[tuple[str, int], float]:
    """Seconds a request: the least of several samples, taken by turns; of those that take long there are fewer."""
    if quick:
        return {key: one.sample(1) for key, one in served.items()}
    calls = {key: one.calls() for key, one in served.items()}
    gc.collect()
    gc.freeze()
    best: dict[tuple[str, int], float] = {}
    for number in range(ROUNDS):
        for key, one in served.items():
            if number < LEAST_ROUNDS or number * calls[key] * best[key] < CELL:
                best[key] = min(best.get(key, math.inf), one.sample(calls[key]))
    gc.unfreeze()
    return best


def frameworks_of(growth: Growth, interface: str) -> list[str]:
    """Those that have the thing, speak the interface, and are installed."""
    peers = [peer for peer in growth.peers if find_spec(peer)]
    modules = {peer: import_module(f"benchmarks.growth_apps.{peer}_app") for peer in peers}
    return [OURS, *(peer for peer in peers if interface in getattr(modules[peer], "INTERFACES", INTERFACES))]


def short(seconds: float) -> str:
    """Microseconds, with two digits at least."""
    return f"{seconds * 1e6:,.1f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


HEAD = ("", "how many:", "over", "µs a request:", "one more, ns:", "grows", "one more by others, ns")


def line(row: Row, peers: Sequence[Row]) -> list[str]:
    return [
        row.growth.name,
        "<br>".join(f"{size:,}" for size in row.times),
        row.interface.upper(),
        "<br>".join(map(short, row.times.values())),
        f"{row.each * 1e9:,.0f}" if row.verdict != "flat" else "",
        row.verdict,
        ", ".join(f"{readme.title(peer.framework)} {peer.each * 1e9:,.0f}" for peer in peers),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options(arguments)
    print(f"{introduction()}\n")
    lines: list[list[str]] = []
    failed: list[Row] = []
    for growth in GROWTHS:
        if options.only not in growth.name:
            continue
        for interface in options.interface:
            ours, *peers = measure(growth, interface, frameworks_of(growth, interface), options)
            lines.append(line(ours, peers))
            print("  ".join(lines[-1]).replace("<br>", " "), flush=True)
            failed += [ours] if ours.fails else []
    if options.write:
        readme.write("benchmarks.growth", f"{introduction()}\n\n{readme.table(HEAD, lines)}")
    if options.quick:
        return 0
    for row in failed:
        most = "flat" if row.growth.is_flat else "linear"
        print(f"GROWS: {row.growth.name} over {row.interface.upper()}: {row.verdict}, and may be {most}")
    return 1 if failed else 0


def introduction() -> str:
    names = sorted(peer for peer in PEERS if find_spec(peer))
    return ", ".join([interpreter.told(), *(f"{name} {version(name)}" for name in names)])


def parse_options(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--interface", action="append", choices=INTERFACES, help="measure only this interface")
    parser.add_argument("--only", default="", help="measure only what has this in its name")
    parser.add_argument("--quick", action="store_true", help="one small sample of each, to see that all works")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args(arguments)
    options.interface = options.interface or INTERFACES
    return options


if __name__ == "__main__":
    sys.exit(main())
