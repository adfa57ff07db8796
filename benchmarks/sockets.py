"""`python -m benchmarks.sockets`: memory of an idle WebSocket, CPU of a message, and the end at SIGTERM.

The same echo by Antiphon and by Starlette, on Uvicorn, and by Antiphon on `antiphon run`, beside a bare application on
Granian, whose own a socket's memory mostly is there. Memory is what the server's
process takes more with so many sockets open, CPU the user and system time of that process: all take turns, and the
least of each counts.

Then a crowd of each kind on one worker of `antiphon run`, `--crowd` of them: what each takes, and the slowest of some
probes meanwhile.
"""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from .server_process import granian

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
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


class Server:
    """A server's process, and the one of its processes that serves."""

    def __init__(self, app: str, command: tuple[str, ...]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        arguments = [part.format(app=app, port=self.port) for part in command]
        self.process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)

    async def started(self) -> None:
        """Wait until a connection is accepted."""
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    @property
    def pid(self) -> int:
        """The process that serves: a child, if there is one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def memory(self) -> int:
        """Return the bytes that the process has in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE

    def cpu(self) -> float:
        """Return the seconds that the process has worked."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


async def talk(connection: ClientConnection, count: int) -> None:
    """Send messages, each when the one before has come back."""
    for _ in range(count):
        await connection.send("hello, hello, hello")
        await connection.recv()


async def measure(name: str, count: int, messages: int) -> tuple[float, float, float, dict[int | None, int]]:
    """Return bytes a socket, microseconds a message, seconds of the end, and the codes of the ends."""
    server = Server(*SERVED[name])
    await server.started()
    url = f"ws://127.0.0.1:{server.port}/echo"
    options = {"compression": None, "ping_interval": None, "proxy": None, "open_timeout": 60}
    async with connect(url, **options) as first:  # type: ignore[arg-type]  # as they are
        await talk(first, 200)
    before = server.memory()
    connections = [await connect(url, **options) for _ in range(count)]  # type: ignore[arg-type]  # as they are
    await asyncio.sleep(0.5)
    memory = (server.memory() - before) / count
    cpu = server.cpu()
    await asyncio.gather(*(talk(each, messages // TALKING) for each in connections[:TALKING]))
    cpu = (server.cpu() - cpu) / messages
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    await asyncio.gather(*(each.wait_closed() for each in connections))
    server.process.wait()
    ended = time.monotonic() - began
    codes: dict[int | None, int] = {}
    for each in connections:
        codes[each.close_code] = codes.get(each.close_code, 0) + 1
    return memory, cpu * 1e6, ended, codes


KINDS = {
    "idle": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "events": b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
    "WebSockets": b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}
PROBES = 50


def crowd(kind: str, count: int) -> tuple[float, float]:
    """Return the bytes that each of many connections takes, and the milliseconds of the slowest probe beside them."""
    server = Server(*SERVED[RUN])
    asyncio.run(server.started())
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
        before, slowest = server.memory(), 0.0
        for _ in range(count):
            connect(KINDS[kind])
        for _ in range(PROBES):
            began = time.perf_counter()
            connect(KINDS["idle"])
            slowest = max(slowest, time.perf_counter() - began)
            time.sleep(0.05)
        return (server.memory() - before) / count, slowest * 1e3


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
        memory, cpu, ended = (min(each[name][part] for each in rounds) for part in (0, 1, 2))
        print(f"{name:24} {memory / 1024:12.1f} {cpu:12.1f} {ended:12.2f}  {rounds[-1][name][3]}")
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
