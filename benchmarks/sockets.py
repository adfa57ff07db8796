"""`python -m benchmarks.sockets`: memory of an idle WebSocket, CPU of a message, and the end at SIGTERM.

The same echo by Antiphon and by Starlette, on Uvicorn, and by Antiphon on `antiphon run`, beside a bare application on
Granian, whose own a socket's memory mostly is there. Memory is what the server's
process takes more with so many sockets open, CPU the user and system time of that process: all take turns, and the
least of each counts.

Then a crowd of each kind on one worker of `antiphon run`, `--crowd` of them: what each takes, and the slowest of some
probes meanwhile.
"""

import asyncio
import resource
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack

from websockets.asyncio.client import ClientConnection, connect

from .server_process import ServerProcess, cpu_clock, cpu_time, granian, memory, settled

TALKING = 10
"""Sockets on which messages are sent at once."""

UVICORN = ("-m", "uvicorn", "{app}", "--log-level", "critical", "--port", "{port}")
RUN = "Antiphon, antiphon run"
BARE = "bare, Granian"
MORE = 16 << 10
"""Bytes that a socket of `antiphon run` may take more than one of a bare application on Granian."""
SERVED = {
    "Antiphon, Uvicorn": ("benchmarks.socket_apps.antiphon_app:app", UVICORN),
    "Starlette, Uvicorn": ("benchmarks.socket_apps.starlette_app:app", UVICORN),
    BARE: ("benchmarks.socket_apps.bare_app:app", granian("asginl")),
    RUN: (
        "benchmarks.socket_apps.antiphon_app:app",
        ("-m", "antiphon", "run", "{app}", "--interface", "asgi", "--no-access-log", "--port", "{port}"),
    ),
}


def started(name: str) -> tuple[ServerProcess, int]:
    """Start a server, and return it with the id of the process that serves: a child, if there is one."""
    app, command = SERVED[name]
    server = ServerProcess(command, app, settled(free=True))
    server.when_ready(lambda port: socket.create_connection(("127.0.0.1", port)).close())
    own, *children = server.processes()
    return server, children[0] if children else own


async def talk(connection: ClientConnection, count: int) -> None:
    """Send messages, each when the one before has come back."""
    for _ in range(count):
        await connection.send("hello, hello, hello")
        await connection.recv()


async def measure(name: str, count: int, messages: int) -> tuple[float, float, float, dict[int | None, int]]:
    """Return bytes a socket, microseconds a message, seconds of the end, and the codes of the ends."""
    server, process = started(name)
    url = f"ws://127.0.0.1:{server.port}/echo"
    options = {"compression": None, "ping_interval": None, "proxy": None, "open_timeout": 60}
    async with connect(url, **options) as first:  # type: ignore[arg-type]  # as they are
        await talk(first, 200)
    before = memory(process)
    connections = [await connect(url, **options) for _ in range(count)]  # type: ignore[arg-type]  # as they are
    await asyncio.sleep(0.5)
    size = (memory(process) - before) / count
    before = cpu_time([cpu_clock(process)])
    await asyncio.gather(*(talk(each, messages // TALKING) for each in connections[:TALKING]))
    cpu = (cpu_time([cpu_clock(process)]) - before) / messages
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    await asyncio.gather(*(each.wait_closed() for each in connections))
    server.process.wait()
    ended = time.monotonic() - began
    codes: dict[int | None, int] = {}
    for each in connections:
        codes[each.close_code] = codes.get(each.close_code, 0) + 1
    return size, cpu / 1e3, ended, codes


KINDS = {
    "idle": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "events": b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
    "WebSockets": b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}
PROBES = 50


def crowd(kind: str, count: int) -> tuple[float, float]:
    """Return the bytes that each of many connections takes, and the milliseconds of the slowest probe beside them."""
    server, process = started(RUN)
    with ExitStack() as stack:
        stack.callback(server.process.wait)
        stack.callback(server.process.kill)

        def connect(sent: bytes) -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 60))
            connection.sendall(sent)
            if not connection.recv(4096).startswith((b"HTTP/1.1 2", b"HTTP/1.1 1", b"HTTP/1.1 404")):
                raise ConnectionError(f"{kind} were refused")
            return connection

        connect(KINDS[kind])
        before, slowest = memory(process), 0.0
        for _ in range(count):
            connect(KINDS[kind])
        for _ in range(PROBES):
            began = time.perf_counter()
            connect(KINDS["idle"])
            slowest = max(slowest, time.perf_counter() - began)
            time.sleep(0.05)
        return (memory(process) - before) / count, slowest * 1e3


def main() -> int:
    """Measure each, print the least of some rounds, and return 1 if a socket takes more than it may."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--crowd", type=int, default=5000)
    arguments = parser.parse_args()
    rounds = [
        {name: asyncio.run(measure(name, arguments.sockets, arguments.messages)) for name in SERVED}
        for _ in range(arguments.rounds)
    ]
    print(f"{'':24} {'KiB a socket':>12} {'us a message':>12} {'s to the end':>12}  ends")
    for name in SERVED:
        size, cpu, ended = (min(each[name][part] for each in rounds) for part in (0, 1, 2))
        print(f"{name:24} {size / 1024:12.1f} {cpu:12.1f} {ended:12.2f}  {rounds[-1][name][3]}")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    for kind in KINDS:
        each, slowest = crowd(kind, arguments.crowd)
        print(f"{arguments.crowd} {kind}: {each / 1024:.1f} KiB each, the slowest probe {slowest:.1f} ms")
    more = min(found[RUN][0] for found in rounds) - min(found[BARE][0] for found in rounds)
    if more > MORE:
        print(f"a socket of `antiphon run` takes {more / 1024:.1f} KiB more than a bare one, not {MORE >> 10}")
    return more > MORE


if __name__ == "__main__":
    sys.exit(main())
