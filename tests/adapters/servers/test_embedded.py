"""The embedded server on a thread: each interface, a graceful stop, failures to start, and the end of connections."""

import asyncio
import os
import socket
import stat
import sys
import threading
import time
from contextlib import ExitStack, suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from antiphon.adapters.connection import close_accepted, count_waiting
from antiphon.adapters.servers.embedded import StartupError, ThreadServer
from tests.helpers import zygote
from tests.helpers.rows import rows

pytestmark = pytest.mark.usefixtures("interface")


def wsgi(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/stream":
        return ticks()
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    return [b"wsgi"]


def ticks():
    while True:
        yield b"tick"
        time.sleep(0.01)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        for state in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{state}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        await asyncio.sleep(0.01)
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    await send({"type": "http.response.body", "body": b"asgi"})


class Rsgi:
    def __init__(self, error=None):
        self.error = error

    def __rsgi_init__(self, loop):
        if self.error:
            raise self.error

    async def __rsgi__(self, scope, protocol):
        if scope.path == "/stream":
            transport = protocol.response_stream(200, [])
            while True:
                await transport.send_bytes(b"tick")
                await asyncio.sleep(0.01)
        if scope.path == "/slow":
            await asyncio.sleep(0.3)
        protocol.response_bytes(200, [], b"rsgi")


async def refuses(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


APPLICATIONS = {"wsgi": wsgi, "asgi": asgi, "rsgi": Rsgi()}


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def server(interface, listener):
    server = ThreadServer(APPLICATIONS[interface], interface, listener.dup(), threads=4)
    server.start()
    yield server
    assert server.stop(5) or server.cut_off(5)


@pytest.fixture
def url(server, listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_application_is_served_until_the_server_is_stopped(server, url, listener, interface):
    with urlopen(url, timeout=5) as response:
        assert response.read() == interface.encode()
    assert server.stop(5)
    listener.close()
    with pytest.raises(URLError):
        urlopen(url, timeout=5)
    assert server.stop(0)


def test_the_socket_is_taken_when_the_server_has_started(server, listener):
    assert not os.get_blocking(listener.fileno())


def test_a_request_that_is_open_is_answered_first(server, url, interface):
    answers = []
    client = threading.Thread(target=lambda: answers.append(urlopen(f"{url}/slow", timeout=5).read()))
    client.start()
    time.sleep(0.1)
    assert server.stop(5)
    client.join(5)
    assert answers == [interface.encode()]


def test_what_is_open_after_its_time_is_cut_off(server, url):
    with urlopen(f"{url}/stream", timeout=5) as response, suppress(Exception):
        assert response.read(4) == b"tick"
        assert not server.stop(0.1)
        assert server.cut_off(5)
        response.read()


@pytest.mark.parametrize(
    ("app", "interface", "words"),
    [(refuses, "asgi", "SystemExit"), (Rsgi(ValueError("no database")), "rsgi", "no database")],
)
def test_a_failure_to_start_is_told_and_closes_the_socket(app, interface, words, listener):
    server = ThreadServer(app, interface, listener.dup())
    with pytest.raises(StartupError, match=words):
        server.start()
    port = listener.getsockname()[1]
    listener.close()
    socket.create_server(("127.0.0.1", port)).close()
    assert server.stop()


def test_a_server_that_has_failed_to_start_leaves_other_files_alone(listener):
    server = ThreadServer(Rsgi(ValueError("no database")), "rsgi", listener.dup())
    with pytest.raises(StartupError):
        server.start()
    with ExitStack() as files:
        opened = [files.enter_context(open(os.devnull)) for _ in range(8)]
        server.stop_accepting()
        assert all(stat.S_ISCHR(os.fstat(file.fileno()).st_mode) for file in opened)


def test_a_server_runs_on_the_thread_that_calls_it(listener):
    server = ThreadServer(wsgi, "wsgi", listener.dup())
    port = listener.getsockname()[1]
    answers = []

    def ask_and_stop():
        answers.append(urlopen(f"http://127.0.0.1:{port}", timeout=5).read())
        for _ in range(3):
            server.tell_to_stop()

    client = threading.Thread(target=ask_and_stop)
    client.start()
    server.run()
    client.join(5)
    assert answers == [b"wsgi"]
    assert server.stop(0)


@pytest.mark.processes
@pytest.mark.parametrize("interface", ["asgi"])
@pytest.mark.parametrize("host", ["127.0.0.1", "unix"])
def test_a_server_that_is_stopped_while_its_application_starts_ends(host, tmp_path):
    ended = zygote.run("-c", STOPPED_EARLY, host if host != "unix" else f"{tmp_path}/socket")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended\n", "")


STOPPED_EARLY = """
import asyncio, socket, sys, threading
from antiphon.adapters.servers.embedded import ThreadServer


async def application(scope, receive, send):
    await receive()
    server.stop_accepting()
    await send({"type": "lifespan.startup.complete"})
    asyncio.get_running_loop().call_later(0.3, server.tell_to_stop)
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


if sys.argv[1].startswith("/"):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
else:
    listener = socket.create_server((sys.argv[1], 0))
server = ThreadServer(application, "asgi", listener)
server.run()
print("ended")
"""


@pytest.mark.processes
@rows("interface, is_our_own", [("wsgi", False), ("wsgi", True), ("asgi", True)])
def test_servers_end_with_the_interpreter_while_they_answer(interface, is_our_own):
    module = "__main__" if is_our_own else __name__
    ended = zygote.run("-c", LEFT_RUNNING, interface, module)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "answering\n", "")


LEFT_RUNNING = """
import importlib, socket, sys, time
from urllib.request import urlopen
from antiphon import App
from antiphon.adapters.servers.embedded import ThreadServer

app = App()


@app.get("/stream")
def ticks(request):
    while True:
        yield b"tick"
        time.sleep(0.01)


interface, module = sys.argv[1:]
application = app if module == "__main__" else importlib.import_module(module).APPLICATIONS[interface]
streams = []
for _ in range(2):
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/stream"
    ThreadServer(application, interface, listener, threads=4).start()
    for _ in range(2):
        streams.append(urlopen(url, timeout=30))
        assert streams[-1].read(4) == b"tick"
print("answering", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize("interface", ["wsgi"])
def test_connections_that_wait_to_be_accepted_are_counted(listener):
    with ExitStack() as connections:
        for count in range(3):
            assert count_waiting(listener) == count
            connections.enter_context(socket.create_connection(listener.getsockname()))
        listener.accept()[0].close()
        assert count_waiting(listener) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize("interface", ["wsgi"])
def test_connections_that_have_come_are_accepted_first(listener):
    server = ThreadServer(wsgi, "wsgi", listener.dup())
    accepted = []

    def accept_late():
        time.sleep(0.2)
        accepted.append(listener.accept()[0])

    with socket.create_connection(listener.getsockname()):
        late = threading.Thread(target=accept_late)
        late.start()
        server.stop_accepting(within=30)
        assert count_waiting(listener) == 0
        late.join()
        accepted[0].close()


def test_only_connections_of_that_address_are_closed(listener):
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.create_connection(listener.getsockname()) as client,
        socket.create_connection(other.getsockname()) as stays,
        listener.accept()[0],
        other.accept()[0] as accepted,
    ):
        close_accepted(listener.getsockname())
        client.settimeout(5)
        assert client.recv(1) == b""
        accepted.sendall(b"x")
        assert stays.recv(1) == b"x"


def test_connections_to_a_unix_socket_are_closed(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(path)
        listener.listen()
        client.connect(path)
        with listener.accept()[0]:
            close_accepted(path)
            client.settimeout(5)
            assert client.recv(1) == b""


@pytest.mark.parametrize("drop_unsent", [False, True])
def test_what_has_not_left_yet_arrives_unless_it_is_dropped(listener, drop_unsent):
    with socket.create_connection(listener.getsockname(), timeout=5) as client, listener.accept()[0] as accepted:
        accepted.setblocking(False)
        sent = 0
        with suppress(BlockingIOError):
            while True:
                sent += accepted.send(bytes(65536))
        close_accepted(listener.getsockname(), drop_unsent=drop_unsent)
        accepted.close()
        received = 0
        with suppress(ConnectionResetError):
            while chunk := client.recv(65536):
                received += len(chunk)
        assert (received < sent) is drop_unsent


def test_connections_are_not_found_where_the_system_does_not_list_them(monkeypatch, tmp_path):
    monkeypatch.setattr("antiphon.adapters.connection._DESCRIPTORS", str(tmp_path / "none"))
    with pytest.raises(NotImplementedError, match="this system lacks"):
        close_accepted(("127.0.0.1", 1))
