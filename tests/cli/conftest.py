"""Real servers for the tests of the command: `antiphon run` in a process of its own, on a free port or a socket."""

import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from email.message import Message
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import zygote

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # commands inherit it, and the shell that runs the tests may ignore it

DEADLINE = 60.0
"""Seconds. No wait of these tests takes longer."""

ACCESS = re.compile(r"^\S+Z INFO [A-Z]+ /\S* \d{3} \d+ bytes .*\n", re.MULTILINE)
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?=WARNING )", re.MULTILINE)

APPS = """
import asyncio, atexit, os, time

PID = str(os.getpid()).encode()
open(f"started-{os.getpid()}", "w").close()


@atexit.register
def leave():
    open(f"left-{os.getpid()}", "w").close()


def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    if environ["PATH_INFO"] == "/stream":
        return ticks()
    if environ["PATH_INFO"] == "/slow":
        open("slow", "w").close()
        time.sleep(1)
    return [b"wsgi " + PID]


def ticks():
    while True:
        yield b"tick"
        time.sleep(0.05)


class Asgi:
    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    open(f"shutdown-{os.getpid()}", "w").close()
                    return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"tick", "more_body": True})
            await asyncio.sleep(0.05)
        if scope["path"] == "/slow":
            open("slow", "w").close()
            await asyncio.sleep(1)
        await send({"type": "http.response.body", "body": b"asgi " + PID})


asgi = Asgi()


class Rsgi:
    async def __rsgi__(self, scope, protocol):
        if scope.path == "/stream":
            transport = protocol.response_stream(200, [])
            while True:
                await transport.send_bytes(b"tick")
                await asyncio.sleep(0.05)
        if scope.path == "/slow":
            open("slow", "w").close()
            await asyncio.sleep(1)
        protocol.response_bytes(200, [], b"rsgi " + PID)


rsgi = Rsgi()
"""


def receive_until(connection: socket.socket, part: bytes) -> bytes:
    """Receive from a server until a part has come: a response may come in many pieces."""
    received = b""
    while part not in received:
        chunk = connection.recv(4096)
        assert chunk, f"{received!r} is all that came"
        received += chunk
    return received


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


class Command:
    """A run of the command, in a session of its own as in a terminal, with what it prints."""

    def __init__(
        self,
        folder: Path,
        name: str,
        arguments: tuple[str, ...],
        listeners: Sequence[socket.socket] = (),
        *,
        begun_anew: bool = False,
    ) -> None:
        self.folder = folder
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        port = () if listeners or "--uds" in arguments else ("--port", "0")
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = zygote.start(
                ["-m", "antiphon", "run", *port, *arguments],
                cwd=folder,
                listeners=listeners,
                begun_anew=begun_anew,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        """Everything on stderr but the lines of the access log, and without the times of others."""
        return TIME.sub("", ACCESS.sub("", self.log))

    @property
    def log(self) -> str:
        return self._err.read_text()

    @staticmethod
    def wait_until(true: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not true():
            assert time.monotonic() < end, "the deadline has passed"
            time.sleep(0.02)

    def serving(self) -> "Command":
        self.wait_until(lambda: " on " in self.out or self.process.poll() is not None)
        assert self.process.poll() is None, self.err
        return self

    def exit_code(self) -> int:
        return self.process.wait(DEADLINE)

    @property
    def port(self) -> int:
        return int(re.findall(r"https?://[^ ]*:(\d+)", self.out)[0])

    @property
    def path(self) -> Path:
        return Path(re.findall(r" on unix:([^ ]+)", self.out)[0])

    def connect(self, timeout: float = DEADLINE) -> socket.socket:
        if " on http://" in self.out:
            return socket.create_connection(("127.0.0.1", self.port), timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(os.fspath(self.path))
        return connection

    def ask(
        self, path: str = "/", method: str = "GET", body: bytes | None = None, timeout: float = DEADLINE, **fields: str
    ) -> Answer:
        with closing(http.client.HTTPConnection("localhost")) as connection:
            connection.sock = self.connect(timeout)
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())

    def get(self, path: str = "/", timeout: float = DEADLINE, **fields: str) -> str:
        return self.ask(path, timeout=timeout, **fields).text

    def answers_from(self, worker: int) -> bool:
        """Whether this worker answers. The one that does may be stopped or killed before it has: then nobody does."""
        with suppress(OSError):
            return self.get(timeout=0.5).endswith(f" {worker}")
        return False

    def send(self, path: str) -> socket.socket:
        """A connection on which a request was sent and nothing was read."""
        connection = self.connect()
        connection.sendall(b"GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n" % path.encode())
        return connection

    def send_slow(self) -> socket.socket:
        """A connection on which a request was sent that the application answers after a second, from now on."""
        connection = self.send("/slow")
        self.wait_until((self.folder / "slow").exists)
        return connection

    def stream(self) -> socket.socket:
        """A connection on which an endless response has begun."""
        connection = self.send("/stream")
        receive_until(connection, b"tick")
        return connection

    def workers(self) -> list[int]:
        """The workers in the order of their starts: ids of processes begin anew at some time."""
        started = sorted(self.folder.glob("started-*"), key=lambda path: path.stat().st_mtime_ns)
        return [int(path.name.partition("-")[2]) for path in started]

    def press_ctrl_c(self) -> None:
        """A terminal sends SIGINT to every process of its foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def nobody_is_left(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def end(self) -> None:
        """End the command by SIGTERM if it still runs: it has to exit with 0 and leave no process, or it is killed."""
        try:
            if self.process.poll() is None:
                self.process.terminate()
                assert self.exit_code() == 0, self.err
                self.wait_until(self.nobody_is_left)
        finally:
            self.kill()

    def kill(self) -> None:
        if not self.nobody_is_left():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE)
        self.wait_until(self.nobody_is_left)


@pytest.fixture
def antiphon(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Runs `antiphon run` beside modules that are given, and `apps`: wsgi, asgi, rsgi, with /slow and /stream."""
    (tmp_path / "apps.py").write_text(APPS)
    with ExitStack() as ends:
        names = (f"run{number}" for number in count())

        def run(
            *arguments: str, listeners: Sequence[socket.socket] = (), begun_anew: bool = False, **modules: str
        ) -> Command:
            for name, code in modules.items():
                (tmp_path / f"{name}.py").write_text(code)
            command = Command(tmp_path, next(names), arguments, listeners, begun_anew=begun_anew)
            ends.callback(command.end)
            return command

        yield run


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
