"""`python -m benchmarks.metrics`: what metrics add to hello, beside an observer that does nothing.

Metrics write to a file that workers share, as under `antiphon run`. Where Valgrind is, instructions are counted, too,
which are the same on a busy machine. Fails where metrics take more than 0.6 us besides what every observer takes.
"""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from time import process_time_ns

from antiphon import Exchange, Observer
from antiphon.features import Metrics

from . import callgrind, interpreter
from .access_log import HELLO, Interface, hello
from .counted import COUNTED, WARM_UP, begin
from .harness import BATCH, AsgiServer, Clock, Server, WsgiServer
from .instructions import ROOT, VALGRIND, environment, total

GOAL = 0.6
"""Microseconds a request."""
WAYS = ("none", "observed", "metrics")


class Nothing(Observer):
    """An observer that is told of all that metrics are told of, and does nothing."""

    def begin(self, exchange: Exchange) -> None:
        pass

    def stream(self, exchange: Exchange) -> None:
        pass

    def sent(self, exchange: Exchange) -> None:
        pass


def server(
    interface: Interface, way: str, loop: asyncio.AbstractEventLoop, folder: str, clock: Clock = process_time_ns
) -> Server:
    """Return a server of hello, without an observer or with one."""
    app = hello(interface)
    if way != "none":
        app.observe(Metrics(folder=folder) if way == "metrics" else Nothing())
    return WsgiServer(app, clock) if interface == "wsgi" else AsgiServer(app, loop, clock)


def measure(interface: Interface, rounds: int, folder: str) -> list[str]:
    """Print what each way takes; return what misses its goal."""
    loop = asyncio.new_event_loop()
    servers = {way: server(interface, way, loop, folder) for way in WAYS}
    least = dict.fromkeys(WAYS, float("inf"))
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for way, each in servers.items():
            least[way] = min(least[way], each.sample(HELLO, 4 * BATCH))
    instructions = {way: counted(interface, way) for way in WAYS} if which(VALGRIND[0]) else {}
    print(f"\n{interface.upper():12}{'us':>8}{'more':>8}{'instructions':>16}{'more':>8}")
    for way in WAYS:
        count = instructions.get(way, 0)
        print(f"{way:12}{least[way]:8.2f}{least[way] - least['none']:8.2f}", end="")
        print(f"{count:16.0f}{count - instructions['none']:8.0f}" if instructions else "")
    more = least["metrics"] - least["observed"]
    return [f"MISSED: {interface}: metrics take {more:.2f} us, not {GOAL}"] if more > GOAL else []


def counted(interface: Interface, way: str) -> float:
    """Count the instructions of a request, in a process under Valgrind."""
    with TemporaryDirectory() as folder:
        command = [*VALGRIND, f"--callgrind-out-file={folder}/counts", sys.executable, "-m", "benchmarks.metrics"]
        subprocess.run([*command, "--count", interface, way], check=True, cwd=ROOT, env=environment())
        return total(Path(f"{folder}/counts")) / COUNTED


def count(interface: Interface, way: str) -> None:
    """Answer requests, of which Valgrind counts the instructions."""
    with TemporaryDirectory() as folder:
        counted_server = server(interface, way, asyncio.new_event_loop(), folder, callgrind.toggle)
        counted_server.sample(HELLO, WARM_UP)
        begin()
        counted_server.sample(HELLO, COUNTED)
    os._exit(0)  # what follows would be counted with it


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="samples for each way (40)")
    parser.add_argument("--count", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count:
        count(*options.count)
    print(interpreter.described())
    with TemporaryDirectory() as folder:
        missed = [line for interface in ("wsgi", "asgi") for line in measure(interface, options.rounds, folder)]  # type: ignore[arg-type]
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
