"""`python -m benchmarks.waiting_requests`: the memory of 1000 requests that wait in their handlers at once.

A server of its own for each application: each request waits for one event, by which all of them answer then. Counted
is by how much a thousand more let the server's process grow, less what they cost a bare application. Linux only.
"""

import http.client
import json
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from importlib.metadata import version
from importlib.util import find_spec
from signal import SIGTERM, signal
from time import CLOCK_MONOTONIC, clock_gettime, sleep
from typing import NamedTuple

from . import interpreter, readme
from .apps.waiting import ANSWER, PATH
from .cases import FETCH, JSON_BODY, PAGE, sending
from .load import TIMEOUT, LoadError
from .report import FLOOR, OURS
from .server_process import ServerProcess, granian, memory, on_linux

SERVERS = {
    "uvicorn": ("-m", "uvicorn", "{app}", "--factory", "--port={port}", "--http=httptools", "--log-level=warning"),
    "granian": (*granian("asginl"), "--factory", "--backlog=4096", "--backpressure=4096"),
}
FIRST = 200
"""Requests that wait already, so that what the process had in reserve is used up."""
STEADY, QUICK_STEADY = 0.1, 0.02
"""Seconds in which nothing may change before the memory is read: longer than it takes until clients are watched."""
PEERS = ("starlette", "blacksheep", "falcon")


class Kind(NamedTuple):
    """What waits: the request, and what follows the frameworks' names in those of the applications."""

    name: str
    method: str
    suffix: str
    frameworks: Sequence[str]

    def as_sent(self) -> bytes:
        body = JSON_BODY if self.method == "POST" else b""
        headers = sending(body, "application/json", FETCH) if body else PAGE
        lines = [f"{self.method} {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


KINDS = (
    Kind("`async def`, GET", "GET", "", (FLOOR, OURS, *PEERS)),
    Kind("`async def`, POST with JSON that is held", "POST", "", (FLOOR, OURS, *PEERS)),
    Kind("`def` on a thread, GET", "GET", "_def", (OURS, "starlette")),
)


class Waiting(NamedTuple):
    """Bytes that one more request takes, and how many of all were in their handlers; the others wait for a thread."""

    memory: float
    in_handlers: int


class Crowd:
    """Connections to a server, each with one request that waits."""

    def __init__(self, server: ServerProcess, request: bytes, steady: float) -> None:
        self.server = server
        self.steady = steady
        self.request = request
        self.connections: list[socket.socket] = []

    def grow(self, count: int) -> None:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT)
            self.connections.append(connection)
            connection.sendall(self.request)

    def ask(self, path: str) -> dict[str, int]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT)) as connection:
            connection.request("GET", path)
            state: dict[str, int] = json.loads(connection.getresponse().read())
            return state

    def memory(self) -> int:
        """The bytes of the server's processes, once all requests have begun and nothing changes any more."""
        deadline = clock_gettime(CLOCK_MONOTONIC) + 6 * TIMEOUT
        before: object = None
        while clock_gettime(CLOCK_MONOTONIC) < deadline:
            state, size = self.ask("/state"), sum(map(memory, self.server.processes()))
            if state["begun"] == len(self.connections) and before == (state, size):
                return size
            before = (state, size)
            sleep(self.steady)
        raise LoadError(f"after {6 * TIMEOUT:.0f} seconds: {before}")

    def release(self) -> None:
        """Let all answer. Raises LoadError unless all answers are right."""
        self.ask("/release")
        for connection in self.connections:
            answer = b""
            while not answer.endswith(f"\r\n\r\n{ANSWER}".encode()):
                if not (chunk := connection.recv(1 << 16)):
                    raise LoadError(f"an answer ended with {answer[-500:]!r}")
                answer += chunk
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise LoadError(f"wrong answer: {answer[:500]!r}")

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def measure(app: str, kind: Kind, options: Namespace) -> Waiting:
    with ExitStack() as stack:
        command = SERVERS[options.server]
        server = stack.enter_context(closing(ServerProcess(command, f"benchmarks.apps.waiting:{app}", lambda: None)))
        server.when_ready(lambda port: socket.create_connection(("127.0.0.1", port)).close())
        crowd = stack.enter_context(closing(Crowd(server, kind.as_sent(), options.steady)))
        crowd.grow(options.first)
        before = crowd.memory()
        crowd.grow(options.requests)
        grown = crowd.memory() - before
        in_handlers = crowd.ask("/state")["waiting"]
        crowd.release()
    return Waiting(grown / options.requests, in_handlers)


def measured(options: Namespace) -> Iterator[list[str]]:
    """A row for each framework and kind."""
    floors: dict[str, float] = {}
    for kind in KINDS:
        for framework in kind.frameworks:
            if framework not in options.framework or (framework in PEERS and not find_spec(framework)):
                continue
            found = measure(framework + kind.suffix, kind, options)
            if framework == FLOOR:
                floors[kind.method] = found.memory
            floor = floors.get(kind.method)
            more = "" if floor is None or framework == FLOOR else f"{(found.memory - floor) / 1024:.1f}"
            yield [kind.name, readme.title(framework), f"{found.memory / 1024:.1f}", more, f"{found.in_handlers:,}"]


HEAD = ("", "", "KiB a request:", "more than bare:", "in their handlers:")


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options(arguments)
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    print(f"{introduction(options)}\n")
    rows = []
    for row in measured(options):
        rows.append(row)
        print("".join(f"{cell:{42 if number == 0 else 16}}" for number, cell in enumerate(row)), flush=True)
    if options.write:
        readme.write("benchmarks.waiting_requests", f"{introduction(options)}\n\n{readme.table(HEAD, rows)}")
    return 0


def introduction(options: Namespace) -> str:
    names = [options.server, *(peer for peer in PEERS if find_spec(peer))]
    server = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{interpreter.told()}, {server}: {options.requests:,} requests, after {options.first}"


def parse_options(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.waiting_requests", description=__doc__)
    names = (FLOOR, OURS, *PEERS)
    parser.add_argument("--framework", action="append", choices=names, help="measure only this one, and the bare one")
    parser.add_argument("--requests", type=int, default=1000, help="how many wait (1000)")
    parser.add_argument("--server", choices=SERVERS, default="uvicorn", help="what serves (uvicorn)")
    parser.add_argument(
        "--quick", action="store_true", help="twenty requests, of Antiphon alone, to see that all works"
    )
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args(arguments)
    options.first, options.steady = FIRST, STEADY
    if options.quick:
        options.framework, options.requests, options.first, options.steady = [OURS], 20, 20, QUICK_STEADY
    elif options.framework:
        options.framework.append(FLOOR)
    options.framework = options.framework or names
    return options


if __name__ == "__main__":
    sys.exit(main())
