"""`python -m benchmarks.events`: events to 500 clients at once, beside Starlette under the same server. Linux only.

All clients listen to one stream each, and get each event. Counted is the CPU time of the server's processes, user and
system, for one event to one client, and the memory that a stream takes. The servers of both frameworks run at the same
time and take turns; the median of the rounds' ratios counts.
"""

import selectors
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from signal import SIGTERM, signal
from statistics import median
from time import sleep
from typing import NamedTuple

from . import interpreter
from .load import TIMEOUT, LoadError
from .server_process import ServerProcess, cpu_time, granian, memory, on_linux, settled

UVICORN = ("-m", "uvicorn", "{app}", "--port={port}", "--log-level=critical")
HYPERCORN = ("-m", "hypercorn", "{app}", "--bind=127.0.0.1:{port}", "--log-level=CRITICAL")
RUN = ("-m", "antiphon", "run", "{app}", "--no-access-log", "--port={port}", "--interface")
SERVERS = {
    "uvicorn": (UVICORN, UVICORN),
    "hypercorn": (HYPERCORN, HYPERCORN),
    "run-asgi": ((*RUN, "asgi"), granian("asgi")),
    "run-rsgi": ((*RUN, "rsgi"), granian("asgi")),
}
"""The command for Antiphon, and the one for Starlette."""
GOAL = 1.1
"""How many times Starlette's CPU time an event may take."""
LAST = b'{"order": %d,'
"""What the last event of a round has in it."""


class Measured(NamedTuple):
    """One framework under one server: the microseconds of an event in each round, and the bytes of a stream."""

    rounds: list[float]
    memory: float


class Clients:
    """The clients of one server, which all listen."""

    def __init__(self, app: str, command: Sequence[str], count: int, options: Namespace) -> None:
        self.stack = ExitStack()
        self.server = self.stack.enter_context(
            closing(ServerProcess(command, f"benchmarks.event_apps.{app}:app", settled(free=options.free)))
        )
        self.server.when_ready(lambda port: socket.create_connection(("127.0.0.1", port)).close())
        self.selector = self.stack.enter_context(selectors.DefaultSelector())
        self.count = 0
        self.listen(count // 5)
        self.publish(20)
        before, had = self.memory(), self.count
        self.listen(count - self.count)
        self.publish(2)
        self.stream_memory = (self.memory() - before) / (self.count - had)

    def memory(self) -> int:
        return sum(map(memory, self.server.processes()))

    def listen(self, more: int) -> None:
        """Connect more clients, and wait until each of them listens."""
        self.count += more
        for _ in range(more):
            connection = self.stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT))
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            self.selector.register(connection, selectors.EVENT_READ)
        while self.ask(0) != self.count:
            sleep(0.05)

    def ask(self, events: int) -> int:
        """Have some events published, and wait for that; return how many clients listen."""
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT)) as connection:
            connection.request("GET", f"/publish/{events}")
            return int(connection.getresponse().read())

    def publish(self, events: int) -> float:
        """Publish some events, and return the microseconds of CPU time for one event to one client.

        They are received later: to wake a client that waits would cost the server as much again, now and then.
        """
        clocks = self.server.cpu_clocks()
        before = cpu_time(clocks)
        self.ask(events)
        taken = cpu_time(clocks) - before
        waiting, last = self.count, LAST % (events - 1)
        while waiting:
            ready = self.selector.select(TIMEOUT)
            if not ready:
                raise LoadError(f"{waiting} clients did not get the last event in {TIMEOUT:.0f} seconds")
            for key, _ in ready:
                chunk = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]  # they are sockets
                if not chunk:
                    raise LoadError("the server closed a stream")
                waiting -= last in chunk
        return taken / 1e3 / events / self.count


def measure(server: str, options: Namespace) -> tuple[Measured, Measured]:
    """Measure both frameworks under a server, in turns."""
    with ExitStack() as stack:
        both = []
        for app, command in zip(("antiphon_app", "starlette_app"), SERVERS[server], strict=True):
            clients = Clients(app, command, options.clients, options)
            stack.callback(clients.stack.close)
            both.append(clients)
        rounds = [[clients.publish(options.events) for clients in both] for _ in range(options.rounds)]
        ours, peers = zip(*rounds, strict=True)
        return Measured(list(ours), both[0].stream_memory), Measured(list(peers), both[1].stream_memory)


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure under each server, and say where it takes longer than it may."""
    parser = ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("--server", action="append", choices=SERVERS, help="measure only under this one")
    parser.add_argument("--clients", type=int, default=500, help="how many listen (500)")
    parser.add_argument("--events", type=int, default=50, help="events of a round (50)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--free", action="store_true", help="let the system choose the servers' core")
    options = parser.parse_args(arguments)
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    print(f"{interpreter.told()}: {options.clients} clients, {options.events} events a round\n")
    print(f"{'':12}{'us an event:':>14}{'Starlette:':>14}{'ratio:':>10}{'KiB a stream:':>16}{'Starlette:':>14}")
    missed = []
    for server in options.server or SERVERS:
        ours, peer = measure(server, options)
        ratio = median(mine / other for mine, other in zip(ours.rounds, peer.rounds, strict=True))
        print(
            f"{server:12}{median(ours.rounds):14.1f}{median(peer.rounds):14.1f}{ratio:10.2f}"
            f"{ours.memory / 1024:16.1f}{peer.memory / 1024:14.1f}",
            flush=True,
        )
        if ratio > GOAL:
            missed.append(f"{server}: an event takes {ratio:.2f} times Starlette's CPU time, not {GOAL}")
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
