"""New connections of a server with several workers: they are spread, and pass by a worker that is blocked."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest

from antiphon.cli.errors import Refused
from antiphon.cli.listener import Balance, listen
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="other kernels can't be told where connections go"),
]

PAST, NOW_ON = -1.0, 60.0


@rows(
    "dues, chosen",
    ([NOW_ON, NOW_ON, NOW_ON], {0, 1, 2}), ([NOW_ON, PAST, NOW_ON], {0, 2}), ([None, PAST, NOW_ON], {2}),
    ([None, PAST, PAST], {1, 2}), ([None, None, None], {0, 1, 2}),
)  # fmt: skip
def test_workers_that_get_connections(dues, chosen):
    """``dues`` are the seconds from now by which a worker turns, or None if it doesn't serve."""
    slots = [SimpleNamespace(due=due and time.monotonic() + due) for due in dues]

    async def look():
        with suppress(TimeoutError):
            await asyncio.wait_for(Balance(listeners, slots).keep(), 0.01)

    with ExitStack() as closed:
        listeners = [closed.enter_context(each) for each in listen("127.0.0.1", 0, 3)]
        asyncio.run(look())
        for _ in range(60):
            closed.enter_context(socket.create_connection(listeners[0].getsockname()))
        assert {number for number, each in enumerate(listeners) if accepts(each)} == chosen


def accepts(listener):
    listener.setblocking(False)
    with suppress(BlockingIOError):
        listener.accept()[0].close()
        return True
    return False


def test_nobody_joins_or_is_joined():
    first, *others = listen("127.0.0.1", 0, 2)
    port = first.getsockname()[1]
    for number in (1, 2):
        with pytest.raises(Refused, match=f"127.0.0.1:{port} is taken"):
            listen("127.0.0.1", port, number)
    for each in (first, *others):
        each.close()
    [alone] = listen("127.0.0.1", port, 1)
    with alone, pytest.raises(Refused, match=f"127.0.0.1:{port} is taken"):
        listen("127.0.0.1", port, 2)


@pytest.mark.processes
def test_connections_are_spread(antiphon):
    command = antiphon("apps:asgi", "--workers", "4").serving()
    command.wait_until(lambda: len({command.get() for _ in range(10)}) == 4)
    with ExitStack() as closed:
        found = Counter(worker_at(closed.enter_context(closing(command.connect()))) for _ in range(100))
    assert len(found) == 4, found
    assert min(found.values()) >= 5, found


def worker_at(connection):
    client = HTTPConnection("localhost")
    client.sock = connection
    client.request("GET", "/")
    return client.getresponse().read()


BLOCKS = """
import ctypes, time
from apps import asgi, rsgi, wsgi

HOLDS_GIL = ctypes.PyDLL(None).sleep


async def blocked_asgi(scope, receive, send):
    if scope.get("path") == "/block":
        time.sleep(600)
    await asgi(scope, receive, send)


class Blocked:
    async def __rsgi__(self, scope, protocol):
        if scope.path == "/block":
            HOLDS_GIL(600)
        await rsgi.__rsgi__(scope, protocol)


blocked_rsgi = Blocked()


def blocked_wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/block":
        HOLDS_GIL(600)
    return wsgi(environ, start_response)
"""


OPTIONS = ("--workers", "2", "--worker-timeout", "0", "--grace", "0")


@pytest.mark.processes
@pytest.mark.parametrize("interface", ["asgi", "rsgi", "wsgi"])
def test_connections_pass_by_a_blocked_worker(antiphon, tmp_path, interface):
    """Over ASGI, its loop is blocked; elsewhere, all of its Python."""
    (tmp_path / "blocks.py").write_text(BLOCKS)
    command = antiphon(f"blocks:blocked_{interface}", "--interface", interface, *OPTIONS).serving()
    command.wait_until(lambda: len({command.get() for _ in range(10)}) == 2)
    with command.send("/block"):
        pass_by_one(command)


def pass_by_one(command):
    def get_each():
        with ThreadPoolExecutor(40) as pool:
            return sum(pool.map(responds, range(40))) == 40 or None

    def responds(_):
        with suppress(OSError):
            return bool(command.get(timeout=3.0))
        return False

    eventually(get_each, "connections still go to that worker", 60.0)


@pytest.mark.processes
def test_connections_pass_by_a_stopped_worker(antiphon):
    command = antiphon("apps:asgi", *OPTIONS).serving()
    stopped = command.workers()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        pass_by_one(command)
    finally:
        os.kill(stopped, signal.SIGCONT)


STREAMS = """
import os


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"worker %d\\n" % os.getpid(), "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
"""


@pytest.mark.processes
def test_connections_pass_by_a_full_worker(antiphon, tmp_path):
    (tmp_path / "streams.py").write_text(STREAMS)
    command = antiphon("streams:app", "--max-connections", "20", *OPTIONS).serving()

    def worker_of(connection):
        """The worker that streams to a client, or b"" if a full one refuses it."""
        lines = connection.makefile("rb")
        return (
            next((line for line in lines if line.startswith(b"worker")), b"") if b" 200 " in lines.readline() else b""
        )

    def go_elsewhere():
        for _ in range(40):
            with closing(command.send("/")) as connection:
                if worker_of(connection) in {full, b""}:
                    return None
        return True

    with ExitStack() as closed:
        full = worker_of(closed.enter_context(closing(command.send("/"))))
        kept = 1
        while kept < 20:
            if worker_of(connection := command.send("/")) == full:
                closed.enter_context(closing(connection))
                kept += 1
            else:
                connection.close()
        eventually(go_elsewhere, "connections still go to the full worker", 60.0)
