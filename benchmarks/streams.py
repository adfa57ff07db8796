"""`python -m benchmarks.streams`: 100,000 short lines from a generator, `def` and `async def`, beside other frameworks.

Counts the CPU time, user and system, of a server's processes for one response, and that of this process for one without
a server. Fails where Antiphon on a server takes more than 1.3 times as long for a generator as for one of the
interface's own colour, `def` over WSGI and `async def` over ASGI and RSGI, or longer than another framework for the
other colour. Linux only.
"""

import asyncio
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from importlib import import_module
from importlib.metadata import version
from signal import SIGTERM, signal
from statistics import median
from time import process_time_ns
from typing import Any, NamedTuple

from . import interpreter
from .load import LoadError
from .report import OURS, aligned
from .server_process import ServerProcess, cpu_time, granian, on_linux, settled
from .stream_apps.lines import WHOLE

GUNICORN = ("-m", "gunicorn", "{app}", "--bind=127.0.0.1:{port}", "--log-level=error", "--threads=2")
UVICORN = ("-m", "uvicorn", "{app}", "--port={port}", "--log-level=error", "--no-access-log")
SERVERS = {"wsgi": ("Gunicorn", GUNICORN), "asgi": ("Uvicorn", UVICORN), "rsgi": ("Granian", granian("rsgi"))}
OWN = {"wsgi": "def", "asgi": "async", "rsgi": "async"}
"""The colour of the generators that an interface takes as they are."""
CACHED = f"{OURS}, cached"
BOTH = ("def", "async")
APPS: dict[str, dict[str, tuple[str, Sequence[str]]]] = {
    "wsgi": {
        OURS: ("antiphon_app:app", BOTH),
        CACHED: ("antiphon_app:cached", BOTH),
        "flask": ("flask_app:app", ("def",)),
        "falcon": ("falcon_app:wsgi", ("def",)),
    },
    "asgi": {
        OURS: ("antiphon_app:app", BOTH),
        CACHED: ("antiphon_app:cached", BOTH),
        "starlette": ("starlette_app:app", BOTH),
        "litestar": ("litestar_app:app", BOTH),
        "falcon": ("falcon_app:asgi", ("async",)),
    },
    "rsgi": {OURS: ("antiphon_app:app", BOTH), CACHED: ("antiphon_app:cached", BOTH)},
}
"""The applications of an interface, with the colours of the generators that they take."""
SERVED_ONLY = {"litestar"}
"""Frameworks whose stream from a `def` generator does not end without a server."""
GOAL = 1.3
TIMEOUT = 300.0


class Cell(NamedTuple):
    """The milliseconds of CPU time of one response in each round, by framework and colour."""

    place: str
    interface: str
    samples: Mapping[tuple[str, str], Sequence[float]]

    def ratio(self, name: str, colour: str, base: str, own: str) -> float:
        """How many times the time of another cell this one takes, by the rounds."""
        pairs = zip(self.samples[name, colour], self.samples[base, own], strict=True)
        return median(mine / other for mine, other in pairs)


def responder(port: int) -> Callable[[str, int], bytes]:
    """Return a function that requests a path of a server, and returns the body."""

    def respond(colour: str, number: int) -> bytes:
        with closing(socket.create_connection(("127.0.0.1", port), TIMEOUT)) as connection:
            request = f"GET /{colour}?{number} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            received = bytearray()
            while chunk := connection.recv(1 << 18):
                received += chunk
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        return dechunked(body) if b"chunked" in head.lower() else body

    return respond


def dechunked(body: bytes) -> bytes:
    """Return the chunks of a body without their frames."""
    chunks, position = [], 0
    while True:
        end = body.index(b"\r\n", position)
        size = int(body[position:end], 16)
        if not size:
            return b"".join(chunks)
        chunks.append(body[end + 2 : end + 2 + size])
        position = end + 4 + size


def responder_in_process(interface: str, app: Any) -> Callable[[str, int], bytes]:
    """Return a function that calls an application as a server does, and returns the body."""
    return {"wsgi": _respond_wsgi, "asgi": _respond_asgi, "rsgi": _respond_rsgi}[interface](app)


def _respond_wsgi(app: Any) -> Callable[[str, int], bytes]:
    from .cases import CASES
    from .harness import environ_of, fresh_environ

    template = environ_of(next(iter(CASES.values())))

    def respond(colour: str, number: int) -> bytes:
        environ = fresh_environ(template, b"") | {"PATH_INFO": f"/{colour}", "QUERY_STRING": str(number)}
        chunks = app(environ, lambda *_: None)
        body = b"".join(chunks)
        if close := getattr(chunks, "close", None):
            close()
        return body

    return respond


def _respond_asgi(app: Any) -> Callable[[str, int], bytes]:
    async def respond(colour: str, number: int) -> bytes:
        received: list[bytes] = []
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            received.append(message.get("body", b""))

        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": f"/{colour}", "raw_path": f"/{colour}".encode(), "root_path": "",
            "query_string": str(number).encode(), "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80), "state": {}, "extensions": {},
        }  # fmt: skip
        await app(scope, receive, send)
        return b"".join(received)

    return lambda colour, number: asyncio.run(respond(colour, number))


def _respond_rsgi(app: Any) -> Callable[[str, int], bytes]:
    class Protocol:
        """The server's side of one response: a stream that takes every chunk at once."""

        def __init__(self) -> None:
            self.received: list[bytes] = []

        async def client_disconnect(self) -> None:
            await asyncio.Event().wait()

        def response_stream(self, *_: Any) -> "Protocol":
            return self

        async def send_bytes(self, chunk: bytes) -> None:
            self.received.append(chunk)

    class Headers:
        """One field."""

        def get(self, name: str, default: Any = None) -> Any:
            return "localhost" if name == "host" else default

        def get_all(self, name: str) -> list[str]:
            return ["localhost"] if name == "host" else []

        def items(self) -> list[tuple[str, str]]:
            return [("host", "localhost")]

        def __iter__(self) -> Any:
            return iter(["host"])

        def __contains__(self, name: object) -> bool:
            return name == "host"

    class Scope(NamedTuple):
        """A request."""

        path: str
        query_string: str
        proto: str = "http"
        http_version: str = "1.1"
        rsgi_version: str = "1.5"
        server: str = "127.0.0.1:80"
        client: str = "127.0.0.1:1"
        scheme: str = "http"
        method: str = "GET"
        authority: str | None = None
        headers: Any = Headers()

    async def respond(colour: str, number: int) -> bytes:
        protocol = Protocol()
        await app.__rsgi__(Scope(f"/{colour}", str(number)), protocol)
        return b"".join(protocol.received)

    return lambda colour, number: asyncio.run(respond(colour, number))


def sample(
    place: str, interface: str, responders: Mapping[str, Callable[[str, int], bytes]],
    clocks: Mapping[str, Callable[[], int]], rounds: int
) -> Cell:  # fmt: skip
    """Take turns between the frameworks and the colours. The first round is only checked."""
    samples: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        for name, respond in responders.items():
            for colour in APPS[interface][name][1]:
                before = clocks[name]()
                body = respond(colour, number)
                taken = (clocks[name]() - before) / 1e6
                if body != WHOLE:
                    raise LoadError(f"{name}, {colour} over {interface}: {len(body)} bytes, {body[:200]!r}")
                if number:
                    samples.setdefault((name, colour), []).append(taken)
    return Cell(place, interface, samples)


def served(interface: str, options: Namespace) -> Cell:
    place, command = SERVERS[interface]
    with ExitStack() as stack:
        responders, clocks = {}, {}
        for name, (app, _) in APPS[interface].items():
            process = ServerProcess(command, f"benchmarks.stream_apps.{app}", settled(free=options.free))
            server = stack.enter_context(closing(process))
            server.when_ready(lambda port: socket.create_connection(("127.0.0.1", port)).close())
            responders[name] = responder(server.port)
            responders[name](APPS[interface][name][1][0], -1)  # its workers have started
            of_server = server.cpu_clocks()
            clocks[name] = lambda of_server=of_server: cpu_time(of_server)
        return sample(place, interface, responders, clocks, options.rounds)


def in_process(interface: str, options: Namespace) -> Cell:
    responders = {}
    for name, (app, _) in APPS[interface].items():
        if name in SERVED_ONLY:
            continue
        module, _, attribute = app.partition(":")
        found = getattr(import_module(f"benchmarks.stream_apps.{module}"), attribute)
        responders[name] = responder_in_process(interface, found)
    return sample("none", interface, responders, dict.fromkeys(responders, process_time_ns), options.rounds)


def table(cells: Sequence[Cell]) -> str:
    """Milliseconds of CPU time, and in brackets their ratio to the own colour's of the same framework."""
    rows = [["server", "interface", "framework", "`def`", "`async def`", "other colour / own"]]
    for cell in cells:
        own = OWN[cell.interface]
        other = "async" if own == "def" else "def"
        for name in dict.fromkeys(name for name, _ in cell.samples):
            colours = APPS[cell.interface][name][1]
            times = [f"{median(cell.samples[name, colour]):,.0f}" if colour in colours else "" for colour in BOTH]
            ratio = f"{cell.ratio(name, other, name, own):.2f}" if len(colours) == 2 else ""
            rows.append([cell.place, cell.interface.upper(), name, *times, ratio])
    return aligned(rows)


def shortfalls(cell: Cell) -> list[str]:
    """What Antiphon misses."""
    own = OWN[cell.interface]
    other = "async" if own == "def" else "def"
    where = f"over {cell.interface.upper()} ({cell.place})"
    missed = [
        f"{name}, {other} {where}: {ratio:.2f} times the CPU time of {own}, not {GOAL}"
        for name in (OURS, CACHED)
        if cell.place != "none" and (ratio := cell.ratio(name, other, name, own)) > GOAL
    ]
    peers = [key for key in cell.samples if key[0] not in (OURS, CACHED) and key[1] == other]
    behind = [
        f"{OURS}, {colour} {where}: {ratio:.2f} times the CPU time of {name}"
        for name, colour in peers
        if cell.place != "none" and (ratio := cell.ratio(OURS, colour, name, colour)) > 1
    ]
    return missed + behind


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure over each interface, in this process and on a server, and say what takes longer than it may."""
    parser = ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--interface", action="append", choices=SERVERS, help="measure only over this one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--free", action="store_true", help="let the system choose the servers' core")
    options = parser.parse_args(arguments)
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    packages = ("starlette", "litestar", "falcon", "flask", "gunicorn", "uvicorn", "granian")
    print(f"{interpreter.told()}: {', '.join(f'{name} {version(name)}' for name in packages)}", flush=True)
    cells = []
    for interface in options.interface or SERVERS:
        cells += [served(interface, options), in_process(interface, options)]
        print(f"\n{table(cells[-2:])}", flush=True)
    missed = [text for cell in cells for text in shortfalls(cell)]
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
