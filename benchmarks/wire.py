"""`python -m benchmarks.wire`: the frameworks side by side over real sockets, served by Granian and Uvicorn.

Counts the CPU time, user and system, of all of a server's processes for a request. Fails where Antiphon is not ahead of
each peer in each case, and where it answers hello with less than 85 % of a bare application's throughput. Linux only.
"""

import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from signal import SIGTERM, signal
from time import perf_counter_ns
from typing import NamedTuple, TypeVar

from . import interpreter, readme
from .apps import module_of, name_of
from .cases import ANY, AROUND, CASES, ORDINARY, Case, WrongAnswerError
from .load import Load, LoadError
from .report import FLOOR, OURS
from .server_process import ServerProcess, cpu_time, granian, on_linux, settled
from .wire_report import Cell, Sample, failures, page, tables

K = TypeVar("K", bound=Hashable)

CONNECTIONS = 16
NAMES = tuple(case.name for case in (*ORDINARY, *AROUND))
PATIENCE = 5
"""How many times the wanted rounds are tried, for as many quiet ones."""
UVICORN = ("-m", "uvicorn", "{app}", "--port={port}", "--log-level=error", "--no-access-log")


class Way(NamedTuple):
    """A server, and an interface over which it calls the applications that have its name in the modules of `apps`."""

    title: str
    command: tuple[str, ...]
    interface: str
    frameworks: tuple[str, ...]
    cases: tuple[str, ...] = NAMES


BODIES = tuple(case.name for case in ORDINARY)
ASYNC = ("antiphon", "bare", "falcon", "starlette", "blacksheep")
WAYS = {
    "granian-wsgi": Way("Granian, WSGI", granian("wsgi"), "wsgi", ("antiphon", "bare", "falcon", "flask")),
    "granian-asgi": Way("Granian, ASGI", granian("asgi"), "asgi", ASYNC),
    "granian-rsgi": Way("Granian, RSGI", granian("rsgi"), "rsgi", ("antiphon", "bare"), BODIES),
    "uvicorn-asgi": Way("Uvicorn, ASGI", UVICORN, "asgi", ASYNC),
    "granian-threads": Way("Granian, `def` over ASGI", granian("asgi"), "asgi_def", ASYNC, ("hello", "read")),
    "uvicorn-threads": Way("Uvicorn, `def` over ASGI", UVICORN, "asgi_def", ASYNC, ("hello", "read")),
}


class Served:
    """An application in a server of its own, with the load of one case on it."""

    def __init__(self, load: Load, clocks: list[int]) -> None:
        self.load = load
        self.clocks = clocks

    def sample(self, requests: int) -> Sample:
        used, start = cpu_time(self.clocks), perf_counter_ns()
        self.load.send(requests)
        elapsed = perf_counter_ns() - start
        return Sample((cpu_time(self.clocks) - used) / requests / 1000, elapsed / requests / 1000)


def as_sent(case: Case) -> bytes:
    """A case's request as it is sent in HTTP/1.1."""
    target = f"{case.path}?{case.query}" if case.query else case.path
    lines = [f"{case.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in case.headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + case.body


def measure_case(
    case: Case, servers: Mapping[K, tuple[Sequence[str], str]], rounds: int, *, free: bool, requests: int = 400
) -> dict[K, list[Sample]]:
    """Load servers that answer a case by turns: the samples of each, which is given by its command and application."""
    settle = settled(free=free)
    with ExitStack() as stack:
        started = {
            key: stack.enter_context(closing(ServerProcess(command, app, settle)))
            for key, (command, app) in servers.items()
        }
        for server in started.values():
            server.when_ready(connected).close()  # all first: connections that wait for other servers would be closed
        used = min(CONNECTIONS, requests)  # one that is never used would be closed
        served = {key: load_server(stack, each, case, 5 * requests, used) for key, each in started.items()}
        taken = [[each.sample(requests) for each in served.values()] for _ in range(rounds)]
    return {key: [samples[index] for samples in taken] for index, key in enumerate(served)}


def connected(port: int) -> socket.socket:
    """Return a connection to a server on this machine."""
    return socket.create_connection(("127.0.0.1", port))


def load_server(
    stack: ExitStack, server: ServerProcess, case: Case, warm_up: int, connections: int = CONNECTIONS
) -> Served:
    """Connect to a server when it is ready, see that it answers a case, and warm it up by so many requests."""
    connect = partial(Load, request=as_sent(case), connections=connections)
    load = stack.enter_context(closing(server.when_ready(connect)))
    load.verify(case.check, varies=case.answer is ANY)
    served = Served(load, server.cpu_clocks())
    served.sample(warm_up)
    return served


def measure(way: Way, options: Namespace, settle: Callable[[], None]) -> Iterator[Cell | str]:
    """Compare the applications case by case: a cell, or what makes it void. Servers run on, once they are started."""
    with ExitStack() as stack:
        servers: dict[str, ServerProcess] = {}

        def serve(framework: str, case: str) -> ServerProcess:
            app = f"{module_of(framework)}:{name_of(framework, way.interface, case)}"
            if app not in servers:
                servers[app] = stack.enter_context(closing(ServerProcess(way.command, app, settle)))
            return servers[app]

        for case in (case for case in options.case if case in way.cases):
            compared = [name for name in way.frameworks if name in (CASES[case].frameworks or way.frameworks)]
            try:
                chosen = {name: serve(name, case) for name in compared if name in options.framework}
                yield Cell(way.title, case, compare(chosen, CASES[case], options))
            except (LoadError, WrongAnswerError) as error:
                yield f"VOID: {way.title}: {case}: {error}"


def compare(servers: Mapping[str, ServerProcess], case: Case, options: Namespace) -> dict[str, list[Sample]]:
    """Load the servers by turns, so that noise hits all alike: the samples of each, from rounds that were quiet."""
    with ExitStack() as stack:
        served: dict[str, Served] = {}
        for name, server in servers.items():
            try:
                served[name] = load_server(stack, server, case, options.warm_up)
            except (LoadError, WrongAnswerError) as error:
                raise LoadError(f"{name}: {error}") from error
        rounds = ([each.sample(options.requests) for each in served.values()] for _ in range(PATIENCE * options.rounds))
        quiet = (samples for samples in rounds if min(sample.busy for sample in samples) >= options.busy)
        kept = list(islice(quiet, options.rounds))
    if len(kept) < max(2, options.rounds // 4):
        raise LoadError(f"the machine is too busy: in {len(kept)} rounds the servers had their core to themselves")
    return {name: [samples[index] for samples in kept] for index, name in enumerate(served)}


@on_linux
def main() -> int:
    options = parse_options()
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    settle = settled(free=options.free)
    told = introduction(options)
    print(told, flush=True)
    cells: list[Cell] = []
    void: list[str] = []
    for name in options.server:
        found = list(measure(WAYS[name], options, settle))
        cells += (measured := [each for each in found if isinstance(each, Cell)])
        void += [each for each in found if isinstance(each, str)]
        if measured:
            print(f"\n{tables(measured)}", flush=True)
    behind = [*void, *(() if options.quick else failures(cells))]
    for text in behind:
        print(text)
    if options.write and not void:
        readme.write("wire", page(told, cells))
    return 1 if behind else 0


def introduction(options: Namespace) -> str:
    """What was measured with, a line each."""
    servers = interpreter.versions("granian", "uvicorn", *loops())
    peers = interpreter.versions(*(name for name in options.framework if name not in {OURS, FLOOR}))
    place = "any core" if options.free else "one core"
    return f"{interpreter.described()}\n{servers}, on {place}\n{peers}"


def loops() -> list[str]:
    """What Uvicorn takes of itself where it is installed."""
    from importlib.util import find_spec

    return [name for name in ("uvloop", "httptools") if find_spec(name)]


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.wire", description=__doc__)
    cases = [name for name in NAMES if name in CASES]
    frameworks = list(dict.fromkeys(name for way in WAYS.values() for name in way.frameworks))
    parser.add_argument("--server", action="append", choices=WAYS, help="measure only this server (repeatable)")
    parser.add_argument("--case", action="append", choices=cases, help="measure only this case (repeatable)")
    parser.add_argument("--framework", action="append", choices=frameworks, help="compare with this one (repeatable)")
    parser.add_argument("--rounds", type=int, default=40, help="samples for each framework and case (40)")
    parser.add_argument("--requests", type=int, default=400, help="requests a sample (400)")
    parser.add_argument("--free", action="store_true", help="let the system schedule the servers as it likes")
    parser.add_argument(
        "--busy",
        type=float,
        default=0.9,
        help="the part of a sample's time for which a server has to run; else others took its core (0.9)",
    )
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args()
    if options.write and (options.server or options.case or options.framework or options.quick):
        parser.error("--write takes the whole table, with samples of full size")
    options.server = options.server or list(WAYS)
    options.case = options.case or cases
    options.framework = [name for name in frameworks if name in (OURS, *(options.framework or frameworks))]
    options.warm_up = 5 * options.requests
    if options.quick:
        options.rounds, options.requests, options.warm_up = 2, 2 * CONNECTIONS, CONNECTIONS
    if options.quick or options.free:
        options.busy = 0.0
    return options


if __name__ == "__main__":
    sys.exit(main())
