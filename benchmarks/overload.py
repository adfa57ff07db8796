"""`python -m benchmarks.overload`: who is answered in time at 1, 2, 3, 5 and 10 times the capacity of a worker.

Each request computes for some ten milliseconds, and each client leaves after a second. Requests arrive at random, at a
rate that does not depend on the answers, from a process of its own. The capacity is the rate at which four clients that
wait for their answers get them from the same server just before. Answers in time are compared with those at the
capacity for the same CPU time, since other programs may take a part of the processor, and as if it were as fast as
then: handlers in Python measure their own work. At the capacity, they are compared with the requests, if those are
fewer. Each cell has its own server, since one that was overloaded goes on with requests of clients that have left.
Linux only.
"""

import asyncio
import json
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from itertools import cycle, product
from statistics import mean, median
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


class Mix(NamedTuple):
    """The paths of requests, by their share, and how clients send them."""

    paths: tuple[str, ...]
    retried: bool = False
    """A client that was refused asks again, at most three times, after longer and longer pauses of random length."""
    cold: bool = False
    """The load begins when the server accepts connections, and all of it counts."""

    @property
    def cost(self) -> tuple[str, ...]:
        """What costs as much without waiting for the slow dependency, by which the capacity is measured."""
        return tuple("/async" if path == "/slow" else path for path in self.paths)


MIXES = {
    "`async def`": Mix(("/async",)),
    "`def`": Mix(("/def",)),
    "a stream in five": Mix(("/async",) * 4 + ("/stream",)),
    "half of them waiting": Mix(("/async", "/wait")),
    "one in ten takes 50 ms, the others 1": Mix(("/cheap",) * 9 + ("/dear",)),
    "5 % uploads of 256 KiB, 2 % streams": Mix(("/async",) * 93 + ("/upload",) * 5 + ("/stream",) * 2),
    "one in five waits 0.5 s for a dependency": Mix(("/async",) * 4 + ("/slow",)),
    "clients that retry": Mix(("/async",), retried=True),
    "a cold start": Mix(("/async",), cold=True),
}
TRIES = 4
PAUSE = 0.2
"""The seconds that a client waits at most before its second try, and twice as many before each that follows."""
FILE = bytes(256 << 10)
_APPS = "benchmarks.overload_apps"
_FOLDER = ROOT / "benchmarks/overload_apps"


class Server(NamedTuple):
    """A server: the command that starts it, and the package or the program that it needs."""

    command: str
    package: str = ""
    program: str = ""
    lacks: tuple[str, ...] = ()
    """The last paths of mixes that it isn't asked for."""

    @property
    def is_installed(self) -> bool:
        if self.program:
            return shutil.which(self.program) is not None
        return not self.package or find_spec(self.package) is not None


_OURS = f"{{python}} -m antiphon run {_APPS}.ours:app --port={{port}} --queue-timeout=1 --no-access-log"
SERVERS = {
    "antiphon run": Server(_OURS),
    "antiphon run, WSGI": Server(f"{_OURS} --interface=wsgi", lacks=("/async", "/stream", "/wait", "/dear")),
    "Starlette on Uvicorn": Server(
        f"{{python}} -m uvicorn {_APPS}.starlette_app:app --port={{port}} --log-level=error", "starlette"
    ),
    "Flask on Gunicorn": Server(
        f"{{python}} -m gunicorn {_APPS}.flask_app:app --bind=127.0.0.1:{{port}} --threads=40 --log-level=error",
        "flask",
    ),
    "Node": Server(f"node {_FOLDER}/node.js {{port}}", program="node"),
    "Go": Server(f"sh -c 'go build -o {{build}} {_FOLDER}/main.go && exec {{build}} {{port}}'", program="go"),
}


def request_for(path: str) -> bytes:
    method, body = ("POST", FILE) if path == "/upload" else ("GET", b"")
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode() + body


class Client(asyncio.Protocol):
    """A client that sends one request on a connection of its own."""

    def __init__(self, path: str, done: Callable[[int, float], object]) -> None:
        self._request = request_for(path)
        self._done: Callable[[int, float], object] | None = done
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
            done(status, seconds_of_work(self._received))


def seconds_of_work(received: bytes) -> float:
    """Return the CPU time of a handler's whole work by its own measurement; 0 if it has made none."""
    found = re.search(rb"[0-9a-f]{64} (\d+)\n", received)
    return int(found[1]) / 1e9 if found else 0.0


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
        self._transport.write(request_for(next(self._paths)))

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
    work: float
    """The CPU time of the handler's work."""


async def generate(
    port: int, rate: float, seconds: float, paths: Sequence[str], process: int, retried: bool
) -> list[Answer]:
    """Send requests at random times as soon as there is a server, whatever the answers."""
    wait_until_served(port)
    loop = asyncio.get_running_loop()
    clocks = [cpu_clock(each) for each in with_children(process)]
    answers: list[Answer] = []
    start = due = time.perf_counter()

    async def ask(path: str, tries: int) -> None:
        began, used = time.perf_counter(), cpu_time(clocks)

        def note(status: int, seconds: float) -> None:
            spent = (cpu_time(clocks) - used) / 1e9
            answers.append(Answer(began - start, status, time.perf_counter() - began, spent, seconds))
            if status in (503, -1) and tries > 1:
                loop.call_later(random.uniform(0, PAUSE * 2 ** (TRIES - tries)), send, path, tries - 1)

        client = Client(path, note)
        leaving = loop.call_later(PATIENCE, client.leave)
        try:
            await loop.create_connection(lambda: client, "127.0.0.1", port)
        except OSError:
            leaving.cancel()
            client.end(-1)

    tasks = set()

    def send(path: str, tries: int) -> None:
        tasks.add(task := asyncio.create_task(ask(path, tries)))
        task.add_done_callback(tasks.discard)

    for path in cycle(random.sample(paths, len(paths))):
        if due > start + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        send(path, TRIES if retried else 1)
        due += random.expovariate(rate)
    await asyncio.sleep(PATIENCE + 0.2)
    return answers


async def capacity(port: int, seconds: float, paths: Sequence[str]) -> tuple[float, float]:
    """Return the answers a second for four clients that wait for theirs, and the CPU time of a handler's work."""
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    answers: list[tuple[int, float]] = []

    async def ask() -> None:
        for path in cycle(random.sample(paths, len(paths))):
            if time.perf_counter() > end:
                return
            done: asyncio.Future[tuple[int, float]] = loop.create_future()
            note = partial(lambda done, *answer: done.set_result(answer), done)
            await loop.create_connection(partial(Client, path, note), "127.0.0.1", port)
            answers.append(await done)

    await asyncio.gather(*(ask() for _ in range(4)))
    works = [work for status, work in answers if status == 200]
    return len(works) / seconds, mean(works)


class Cell(NamedTuple):
    """What was answered in a run; refusals and clients that left count from when the load has lasted for a while."""

    lost: float
    """The share of clients that left."""
    refusal: float
    """The seconds within which 95 % of the refusals came, on a processor that the server has for itself.

    They are counted in the server's CPU time, since it would use a processor all the time while it is overloaded. Two
    of its threads may run at once, so this is rather too much than too little.
    """

    share: float
    """The answers in time as a share of the requests, or, if that is more, of what the server does at its capacity in
    the CPU time that it used: other programs may take a part of the processor."""

    @classmethod
    def of(cls, answers: Sequence[Answer], begin: float, end: float, possible: float) -> "Cell":
        counted = [answer for answer in answers if begin <= answer.at < end]
        refusals = sorted(min(answer.used, answer.seconds) for answer in counted if answer.status in (503, -1))
        lost = sum(answer.status == 0 for answer in counted) / max(len(counted), 1)
        late = refusals[int(len(refusals) * 0.95)] if refusals else 0.0
        share = sum(answer.status == 200 for answer in answers) / max(min(possible, len(answers)), 1)
        return cls(lost, late, share)


@contextmanager
def served(command: str, rounds: int, settle: float = 1.0) -> Iterator[tuple[int, int]]:
    """Start a server on a free port, yield the port and the process's id, and end it after the block."""
    port = free_port()
    # As many processors as the others use.
    environment = {**os.environ, "BENCH_ROUNDS": str(rounds), "GOMAXPROCS": "1"}
    with TemporaryDirectory() as folder:
        filled = command.format(python=sys.executable, port=port, build=f"{folder}/server")
        process = subprocess.Popen(shlex.split(filled), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            if settle:
                wait_until_served(port)
                time.sleep(settle)
            yield port, process.pid
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_served(port: int) -> None:
    end = time.perf_counter() + START
    while time.perf_counter() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise TimeoutError("the server does not start")


def in_process(*arguments: object) -> str:
    """Run the generator as a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.overload", "--generate", json.dumps(arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def measure(name: str, load: float, mix: Mix, options: Namespace) -> tuple[float, Cell]:
    """Return the capacity of a server that was just started, and what it does right after that under a load."""
    command, seconds = SERVERS[name].command, options.seconds

    def under_load(port: int, process: int) -> tuple[float, Cell]:
        before = processor_seconds(process)
        printed = in_process("generate", port, load * most, seconds, mix.paths, process, mix.retried)
        answers = [Answer(*each) for each in json.loads(printed)]
        works = [answer.work for answer in answers if answer.work]
        pace = work / mean(works) if works else 1.0
        possible = best * pace * (processor_seconds(process) - before)
        return most, Cell.of(answers, 0 if mix.cold else seconds / 2, seconds, possible)

    with served(command, options.rounds) as (port, process):
        in_process("capacity", port, 0.7, mix.cost)  # until all has been imported
        before = processor_seconds(process)
        most, work = json.loads(in_process("capacity", port, seconds / 2, mix.cost))
        best = most * seconds / 2 / (processor_seconds(process) - before)
        if not mix.cold:
            return under_load(port, process)
    with served(command, options.rounds, settle=0) as (port, process):
        return under_load(port, process)


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


def shown(cell: Cell) -> str:
    """Return the share in time, the time of the refusals, and the share that left."""
    refusal = f", {1000 * cell.refusal:.0f} ms" if cell.refusal else ""
    lost = f", {cell.lost:.0%} left" if cell.lost > 0.005 else ""
    return f"{cell.share:.0%}{refusal}{lost}"


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
    print("Each cell: answers in time as a share of the capacity, 95 % of the refusals within, clients that left\n")
    print("| handlers of 10 ms | server | capacity | " + " | ".join(f"{load:g} times" for load in options.loads) + " |")
    print("|---|---|--:|" + "---|" * len(options.loads))
    is_met = True
    for title, name in product(options.mix or MIXES, options.server or SERVERS):
        mix = MIXES[title]
        if not SERVERS[name].is_installed or mix.paths[-1] in SERVERS[name].lacks:
            continue
        found = [measure(name, load, mix, options) for load in options.loads]
        cells = " | ".join(shown(cell) for _, cell in found)
        print(f"| {title} | {name} | {median(most for most, _ in found):.0f}/s | {cells} |", flush=True)
        if name.startswith("antiphon run"):
            is_met &= all(cell.share >= GOAL for _, cell in found)
    if not is_met:
        print(f"antiphon run answers less than {GOAL:.0%} of its capacity in time")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
