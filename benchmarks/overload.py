"""`python -m benchmarks.overload`: who is answered in time at 1, 2, 3, 5 and 10 times the capacity of a worker.

Each request computes for some ten milliseconds, and each client leaves after a second. Requests arrive at random, at a
rate that does not depend on the answers, from a process of its own. Counted are answers in the second half of a run: in
time, refused, and none at all. The capacity is the rate at which four clients that wait for their answers get them from
the same server just before. Each cell has a server of its own, since one that was overloaded goes on with requests of
clients that have left. The machine changes its pace: compare the shares, not the rates. Linux only.
"""

import asyncio
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from .server_process import ROOT, cpu_clock, cpu_time, free_port, on_linux, with_children

LOADS = (1, 2, 3, 5, 10)
PATIENCE = 1.0
"""Seconds after which a client leaves."""
GOAL = 0.9
"""The share of the capacity that is answered in time."""
WAITING_GOAL = 0.95
"""The share of the throughput of handlers that wait which is left with load shedding."""
START = 30.0

WAITING = {
    "waiting": ("/wait",),
    "half of them waiting": ("/wait", "/async"),
    "waiting on threads": ("/wait-on-thread",),
}
"""Mixes of which as many have to be answered with load shedding as without it."""
CLIENTS = (32, 200)
"""Clients that send one request after the other: for about the capacity of a worker, and for more."""
ROUNDS = 5

MIXES = {
    "async def": ("/async",),
    "def": ("/def",),
    "a stream in five": ("/async", "/async", "/async", "/async", "/stream"),
    "half of them waiting": ("/async", "/wait"),
    "one in ten is dear": ("/cheap",) * 9 + ("/dear",),
}
_APPS = "benchmarks.overload_apps"
_FOLDER = ROOT / "benchmarks/overload_apps"


class Server(NamedTuple):
    """A server: the command that starts it, and the package or the program that it needs."""

    command: str
    package: str = ""
    program: str = ""

    @property
    def is_installed(self) -> bool:
        if self.program:
            return shutil.which(self.program) is not None
        return not self.package or find_spec(self.package) is not None


_OURS = f"{{python}} -m antiphon run {_APPS}.ours:app --port={{port}} --queue-timeout=1 --no-access-log"
SERVERS = {
    "antiphon run": Server(_OURS),
    "antiphon run, WSGI": Server(f"{_OURS} --interface=wsgi"),
    "Starlette on Uvicorn": Server(
        f"{{python}} -m uvicorn {_APPS}.starlette_app:app --port={{port}} --log-level=error", "starlette"
    ),
    "Falcon on Uvicorn": Server(
        f"{{python}} -m uvicorn {_APPS}.falcon_app:app --port={{port}} --log-level=error", "falcon"
    ),
    "Flask on Gunicorn": Server(
        f"{{python}} -m gunicorn {_APPS}.flask_app:app --bind=127.0.0.1:{{port}} --threads=40 --log-level=error",
        "flask",
    ),
    "Node": Server(f"node {_FOLDER}/node.js {{port}}", program="node"),
    "Go": Server(f"sh -c 'go build -o {{build}} {_FOLDER}/main.go && exec {{build}} {{port}}'", program="go"),
}


class Client(asyncio.Protocol):
    """A client that sends one request on a connection of its own."""

    def __init__(self, path: str, done: Callable[[int], object]) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self._done: Callable[[int], object] | None = done
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request, unless the client has left."""
        self._transport = transport  # type: ignore[assignment]  # a Transport, for a connection
        transport.write(self._request) if self._done else transport.abort()  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Note the status when the head has come, and receive a stream to its end."""
        self._received += data
        if b"\r\n\r\n" not in self._received:
            return
        if b"chunked" in self._received and not self._received.endswith(b"\r\n0\r\n\r\n"):
            self._note(int(self._received[9:12]))
        else:
            self.end(int(self._received[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        """Note a connection that was refused or closed."""
        self.end(-1)

    def end(self, status: int) -> None:
        """Leave with a status; 0 without an answer."""
        self._note(status)
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """Leave, unless there is an answer."""
        if self._done is not None:
            self.end(0)

    def _note(self, status: int) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(status)


class KeptClient(asyncio.Protocol):
    """A client that sends one request after the other on a connection."""

    def __init__(self, paths: Iterator[str], statuses: list[int]) -> None:
        self._paths = paths
        self._statuses = statuses
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a Transport, for a connection
        self._send()

    def _send(self) -> None:
        self._transport.write(f"GET {next(self._paths)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Send the next request when the response, which has a length, is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().rpartition(b"content-length: ")[2].partition(b"\r\n")[0]) if end else 1
        if len(body) >= length:
            self._statuses.append(int(head[9:12]))
            self._received = b""
            self._send()


async def throughput(port: int, seconds: float, clients: int, paths: Sequence[str]) -> float:
    """Return the answers a second for clients that send one request after the other."""
    statuses: list[int] = []
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        each = cycle(random.sample(paths, len(paths)))
        await loop.create_connection(partial(KeptClient, each, statuses), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    return statuses.count(200) / seconds


class Answer(NamedTuple):
    """The time of a request since the start, its status, and the seconds that it took."""

    at: float
    status: int
    seconds: float
    used: float
    """The CPU time that the server used meanwhile."""


async def generate(port: int, rate: float, seconds: float, paths: Sequence[str], process: int) -> list[Answer]:
    """Send requests at random times, whatever the answers."""
    loop = asyncio.get_running_loop()
    clocks = [cpu_clock(each) for each in with_children(process)]
    answers: list[Answer] = []
    start = due = time.perf_counter()

    async def ask(path: str) -> None:
        began, used = time.perf_counter(), cpu_time(clocks)

        def note(status: int) -> None:
            spent = (cpu_time(clocks) - used) / 1e9
            answers.append(Answer(began - start, status, time.perf_counter() - began, spent))

        client = Client(path, note)
        leaving = loop.call_later(PATIENCE, client.leave)
        try:
            await loop.create_connection(lambda: client, "127.0.0.1", port)
        except OSError:
            leaving.cancel()
            client.end(-1)

    tasks = set()
    for path in cycle(random.sample(paths, len(paths))):
        if due > start + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.add(task := asyncio.create_task(ask(path)))
        task.add_done_callback(tasks.discard)
        due += random.expovariate(rate)
    await asyncio.sleep(PATIENCE + 0.2)
    return answers


async def capacity(port: int, seconds: float, paths: Sequence[str]) -> float:
    """Return the answers a second for four clients that wait for theirs."""
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    statuses: list[int] = []

    async def ask() -> None:
        for path in cycle(random.sample(paths, len(paths))):
            if time.perf_counter() > end:
                return
            done: asyncio.Future[int] = loop.create_future()
            await loop.create_connection(partial(Client, path, done.set_result), "127.0.0.1", port)
            statuses.append(await done)

    await asyncio.gather(*(ask() for _ in range(4)))
    return statuses.count(200) / seconds


class Cell(NamedTuple):
    """What was answered in the second half of a run."""

    sent: float
    in_time: float
    refused: float
    lost: float
    refusal: float
    """The seconds within which 95 % of the refusals came, on a processor that the server has for itself.

    They are counted in the server's CPU time, since it would use a processor all the time while it is overloaded. Two
    of its threads may run at once, so this is rather too much than too little.
    """
    efficiency: float
    """The answers in time for each second of the server's CPU time, as a share of those at its capacity."""

    @classmethod
    def of(cls, answers: Sequence[Answer], seconds: float, used: float, best: float) -> "Cell":
        efficiency = sum(answer.status == 200 for answer in answers) / max(used, 0.01) / best
        half = [answer for answer in answers if seconds / 2 <= answer.at < seconds]
        refusals = sorted(min(answer.used, answer.seconds) for answer in half if answer.status in (503, -1))
        in_time, lost = (sum(answer.status == status for answer in half) for status in (200, 0))
        late = refusals[int(len(refusals) * 0.95)] if refusals else 0.0
        a_second = 2 / seconds
        return cls(
            len(half) * a_second, in_time * a_second, len(refusals) * a_second, lost * a_second, late, efficiency
        )


@contextmanager
def served(command: str, rounds: int) -> Iterator[tuple[int, int]]:
    """Start a server on a free port, yield the port and the process's id, and end it after the block."""
    port = free_port()
    # As many processors as the others use.
    environment = {**os.environ, "BENCH_ROUNDS": str(rounds), "GOMAXPROCS": "1"}
    with TemporaryDirectory() as folder:
        filled = command.format(python=sys.executable, port=port, build=f"{folder}/server")
        process = subprocess.Popen(shlex.split(filled), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait_until_served(port)
            yield port, process.pid
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_served(port: int) -> None:
    import socket

    end = time.perf_counter() + START
    while time.perf_counter() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            time.sleep(1.0)
            return
        time.sleep(0.1)
    raise TimeoutError("the server does not start")


def in_process(*arguments: object) -> str:
    """Run the generator as a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.overload", "--generate", json.dumps(arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def measure(name: str, load: float, paths: Sequence[str], options: Namespace) -> tuple[float, Cell]:
    """Return the capacity of a server that was just started, and what it does right after that under a load."""
    with served(SERVERS[name].command, options.rounds) as (port, process):
        in_process("capacity", port, 0.7, paths)  # until all has been imported
        before = processor_seconds(process)
        most = float(in_process("capacity", port, options.seconds / 2, paths))
        best = most * options.seconds / 2 / (processor_seconds(process) - before)
        before = processor_seconds(process)
        answers = json.loads(in_process("generate", port, load * most, options.seconds, paths, process))
        used = processor_seconds(process) - before
    return most, Cell.of([Answer(*each) for each in answers], options.seconds, used, best)


def compare_waiting(paths: Sequence[str], options: Namespace) -> Iterator[tuple[int, float, float, float]]:
    """Yield a number of clients, the answers a second without patience, and with it, as a share, also by CPU time."""
    command = SERVERS["antiphon run"].command
    without = command.replace("--queue-timeout=1", "--queue-timeout=0")
    with served(without, options.rounds) as off, served(command, options.rounds) as on:
        for port, _ in (off, on):
            in_process("throughput", port, 2.0, 4, paths)
        for clients in CLIENTS:
            rounds = []
            for order in ((off, on), (on, off)) * ROUNDS:
                rates = {}
                for port, process in order:
                    before = processor_seconds(process)
                    rate = float(in_process("throughput", port, options.seconds / 2, clients, paths))
                    rates[port] = rate, rate / max(processor_seconds(process) - before, 0.01)
                rounds.append((rates[off[0]][0], *(b / a for a, b in zip(rates[off[0]], rates[on[0]], strict=True))))
            yield clients, *(median(column) for column in zip(*rounds, strict=True))


def show_waiting(options: Namespace) -> bool:
    """Print how much of the throughput of handlers that wait is left with load shedding; return True if all is."""
    print("| with patience, as a share of without | clients | without it | answers a second | by CPU time |")
    print("|---|---|---|---|---|")
    is_met = True
    for mix in options.mix or WAITING:
        for clients, rate, share, by_processor in compare_waiting(WAITING[mix], options):
            print(f"| {mix} | {clients} | {rate:.0f}/s | {share:.2f} | {by_processor:.2f} |", flush=True)
            is_met &= share >= WAITING_GOAL
    return is_met


def processor_seconds(process: int) -> float:
    """Return the CPU time of a process and its children, in seconds."""
    return cpu_time([cpu_clock(each) for each in with_children(process)]) / 1e9


def shown(cell: Cell, most: float) -> str:
    lost = cell.lost / cell.sent if cell.sent else 0
    return f"{cell.in_time / most:.0%}, {cell.efficiency:.0%}, {lost:.0%}, {1000 * cell.refusal:.0f} ms"


def generator(arguments: str) -> None:
    """Be the process that sends requests."""
    kind, *rest = json.loads(arguments)
    functions: dict[str, Callable[..., Any]] = {"capacity": capacity, "generate": generate, "throughput": throughput}
    print(json.dumps(asyncio.run(functions[kind](*rest))))


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--generate", help="be the load generator")
    parser.add_argument("--server", choices=SERVERS, action="append", help="only these servers")
    parser.add_argument("--mix", choices=[*MIXES, *WAITING], action="append", help="only these mixes")
    parser.add_argument("--waiting", action="store_true", help="compare handlers that wait, with and without patience")
    parser.add_argument("--loads", type=float, nargs="+", default=LOADS)
    parser.add_argument("--seconds", type=float, default=6.0, help="of a run")
    parser.add_argument("--rounds", type=int, default=16000, help="of hashing, for each request")
    options = parser.parse_args(arguments)
    if options.generate:
        generator(options.generate)
        return 0
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    if options.waiting:
        return 0 if show_waiting(options) else 1
    print(
        "Each cell: answers in time as a share of the capacity, and the same for each second of the server's CPU time,"
    )
    print("clients that left, 95 % of the refusals within\n")
    is_met = True
    for mix in options.mix or MIXES:
        print(f"| {mix} | capacity | " + " | ".join(f"{load:g} times" for load in options.loads) + " |")
        print("|---|---|" + "---|" * len(options.loads))
        for name in options.server or SERVERS:
            if not SERVERS[name].is_installed:
                continue
            if name.startswith("Falcon") and {"/def", "/stream"} & {*MIXES[mix]}:
                continue
            if name.endswith("WSGI") and mix != "def":
                continue
            found = [measure(name, load, MIXES[mix], options) for load in options.loads]
            cells = " | ".join(shown(cell, most) for most, cell in found)
            print(f"| {name} | {median(most for most, _ in found):.0f}/s | {cells} |", flush=True)
            if name.startswith("antiphon run"):
                is_met &= all(cell.in_time >= GOAL * min(most, cell.sent) for most, cell in found)
        print()
    if not is_met:
        print(f"antiphon run answers less than {GOAL:.0%} of its capacity in time")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
