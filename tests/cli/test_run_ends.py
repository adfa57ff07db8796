"""`antiphon run` when it ends: asked to, forced to, or because a worker has died."""

import os
import re
import signal
import socket
import time
from contextlib import ExitStack

import pytest

from tests.cli.conftest import is_gone, receive_until
from tests.helpers import zygote
from tests.helpers.rows import rows

pytestmark = pytest.mark.processes


FORKED = """
import atexit, sys
from antiphon.cli import serve

sys.stdout = open(1, "w")  # buffered, even with PYTHONUNBUFFERED

def work():
    atexit.register(print, "at exit", end="")
    print("printed", end=", ")
    sys.exit({code!r})

serve._become_worker(work, serve._open_files(), None)
"""


@rows("code, exit_code", (0, 0), (7, 7), ("why", 1))
def test_a_forked_worker_writes_what_it_has_printed(code, exit_code):
    done = zygote.run("-c", FORKED.format(code=code))
    assert (done.returncode, done.stdout) == (exit_code, "printed, at exit")


def assert_ended(command, exit_code=0):
    assert command.exit_code() == exit_code
    command.wait_until(command.nobody_is_left)
    assert command.err == ""


@pytest.mark.axes("interface")
def test_ctrl_c_ends_an_idle_server(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface).serving()
    command.get()
    command.press_ctrl_c()
    assert_ended(command)


@pytest.mark.once
@pytest.mark.axes("interface")
def test_ctrl_c_ends_a_server_with_an_endless_stream(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface, "--grace", "0.5").serving()
    with command.stream():
        command.press_ctrl_c()
        assert_ended(command)


def test_a_request_that_is_being_answered_is_answered_first(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface, "--grace", "10").serving()
    with command.send_slow() as connection:
        command.press_ctrl_c()
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert_ended(command)


@pytest.mark.once
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_supervisor_alone_ends_all_workers(antiphon, number):
    command = antiphon("apps:wsgi", "--interface", "wsgi", "--workers", "2", "--grace", "0.5").serving()
    with command.stream():
        command.process.send_signal(number)
        assert_ended(command)


@pytest.mark.once
def test_a_second_ctrl_c_does_not_wait_for_the_drain(antiphon):
    command = antiphon("apps:wsgi", "--interface", "wsgi", "--grace", "600").serving()
    with command.stream():
        command.press_ctrl_c()
        time.sleep(0.7)
        assert command.process.poll() is None
        while command.process.poll() is None:  # a busy machine may take the first two for one
            command.press_ctrl_c()
            time.sleep(0.7)
        assert_ended(command, 128 + signal.SIGINT)


@pytest.mark.once
def test_a_signal_that_is_delivered_twice_counts_once(antiphon):
    command = antiphon("apps:wsgi", "--interface", "wsgi", "--grace", "10").serving()
    with command.send_slow() as connection:
        command.press_ctrl_c()
        command.process.send_signal(signal.SIGINT)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert_ended(command)


@pytest.mark.once
def test_ctrl_c_while_the_module_is_imported(antiphon):
    command = antiphon("long:wsgi", long="from apps import *\nimport time\ntime.sleep(600)\n")
    command.wait_until(lambda: bool(command.workers()))
    command.press_ctrl_c()
    assert_ended(command)
    assert command.out == ""


@pytest.mark.once
def test_no_connection_is_taken_once_the_end_has_begun(antiphon):
    command = antiphon("apps:wsgi", "--interface", "wsgi", "--grace", "600").serving()
    with command.stream():
        port = command.port
        command.press_ctrl_c()
        command.wait_until(lambda: refuses(port))


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was closed while the connection was being made
        return False
    return False


def test_exit_functions_and_the_shutdown_of_the_lifespan_run(antiphon):
    command = antiphon("apps:asgi").serving()
    (worker,) = command.workers()
    command.press_ctrl_c()
    assert_ended(command)
    assert (command.folder / f"shutdown-{worker}").exists()
    assert (command.folder / f"left-{worker}").exists()


@pytest.mark.once
def test_workers_end_when_their_supervisor_is_killed(antiphon):
    command = antiphon("apps:wsgi", "--interface", "wsgi", "--grace", "0.2").serving()
    with command.stream():
        port = command.port
        command.process.kill()
        command.wait_until(lambda: refuses(port))
    (worker,) = command.workers()
    command.wait_until(lambda: is_gone(worker))


@pytest.mark.once
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_that_dies_while_it_starts_is_not_started_again(antiphon, workers):
    command = antiphon("dies:app", "--workers", workers, dies="import apps, os\nos._exit(7)\n")
    assert command.exit_code() == 1
    assert command.err == "Error: A worker ended with exit code 7 before it served.\n"
    assert len(command.workers()) <= int(workers)
    assert command.out == ""


@pytest.mark.once
def test_a_worker_that_is_killed_while_it_starts_is_started_again_a_few_times(antiphon):
    killed = (
        "import glob, os\nfrom apps import wsgi\nif len(glob.glob('started-*')) < {}:\n    os.kill(os.getpid(), 9)\n"
    )
    assert antiphon("once:wsgi", once=killed.format(2)).serving().err == (
        "WARNING A worker was ended by SIGKILL before it served. Starting another one.\n"
    )
    command = antiphon("always:wsgi", always=killed.format(9))
    assert command.exit_code() == 1
    assert command.err.endswith("Error: A worker was ended by SIGKILL before it served.\n")


@pytest.mark.once
def test_a_lifespan_that_refuses_to_start_ends_the_server(antiphon, tmp_path):
    (tmp_path / "refuses.py").write_text(
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    await send({'type': 'lifespan.startup.failed', 'message': 'no database'})\n"
    )
    command = antiphon("refuses:app")
    assert command.exit_code() == 1
    assert command.err == "Error: The application's startup failed:\nno database\n"
    assert command.out == ""


@pytest.mark.once
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_every_process_lets_requests_be_answered(antiphon, number):
    command = antiphon("apps:asgi", "--grace", "10").serving()
    with command.send_slow() as connection:
        os.killpg(command.process.pid, number)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert_ended(command)


def test_child_processes_of_multiprocessing_end_with_their_worker(antiphon, tmp_path):
    (tmp_path / "family.py").write_text(
        "from apps import asgi\nimport multiprocessing, time\n"
        "multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,), daemon=True).start()\n"
    )
    command = antiphon("family:asgi", begun_anew=True).serving()
    command.process.send_signal(signal.SIGTERM)
    assert_ended(command)


def test_tasks_that_an_application_has_left_end_quietly(antiphon, tmp_path):
    (tmp_path / "leaves.py").write_text(
        "import asyncio\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'lifespan':\n"
        "        asyncio.create_task(asyncio.sleep(600))\n"
        "        for state in ('startup', 'shutdown'):\n"
        "            await receive()\n"
        "            await send({'type': f'lifespan.{state}.complete'})\n"
    )
    command = antiphon("leaves:app").serving()
    command.press_ctrl_c()
    assert_ended(command)


OWN = """
import asyncio, time
from antiphon import App, Request, Response

app = App()


def note(word):
    with open("notes", "a") as file:
        print(word, file=file)


@app.on_shutdown
def down():
    note("shutdown")


@app.get("/")
def index(request: Request):
    return "hello"


@app.get("/events")
async def events(request: Request):
    async def numbers():
        try:
            yield "tick"
            await asyncio.sleep(600)
        finally:
            note("closed")

    return Response.events(numbers())


@app.get("/waits")
async def waits(request: Request):
    note("begun")
    try:
        await asyncio.sleep(600)
    finally:
        note("closed")


@app.get("/blocks")
def blocks(request: Request):
    note("begun")
    time.sleep(600)


@app.get("/stream")
def stream(request: Request):
    try:
        while True:
            yield "tick"
            time.sleep(0.05)
    finally:
        note("closed")


@app.get("/astream")
async def stream_on_the_loop(request: Request):
    try:
        while True:
            yield "tick"
            await asyncio.sleep(0.05)
    finally:
        note("closed")


def later(seconds):
    time.sleep(seconds)
    note("after")


async def later_on_the_loop(seconds):
    await asyncio.sleep(seconds)
    note("after")


@app.get("/after/def/<float:seconds>")
def promise(request: Request):
    request.after_response(later, request.path_params["seconds"])
    return "answered"


@app.get("/after/async/<float:seconds>")
async def promise_on_the_loop(request: Request):
    request.after_response(later_on_the_loop, request.path_params["seconds"])
    return "answered"


@app.get("/after/stream/<float:seconds>")
def promise_in_a_stream(request: Request):
    yield "answered"
    request.after_response(later, request.path_params["seconds"])


@app.get("/after/astream/<float:seconds>")
async def promise_in_a_stream_on_the_loop(request: Request):
    yield "answered"
    request.after_response(later_on_the_loop, request.path_params["seconds"])
"""
PATIENT = """
import antiphon.cli.workers.worker
from own import app

antiphon.cli.workers.worker.RESPONDING = 1.0  # seconds: a busy machine may take a while to answer
"""


@pytest.fixture
def notes(tmp_path):
    """A function that returns the lines that the application has written."""
    (tmp_path / "own.py").write_text(OWN)
    return lambda: (tmp_path / "notes").read_text().split() if (tmp_path / "notes").exists() else []


def begin(command, path):
    """A connection on which a stream has begun."""
    connection = command.send(path)
    receive_until(connection, b"tick")
    return connection


@pytest.mark.once
@pytest.mark.axes("interface")
@pytest.mark.parametrize("kind", ["def", "async", "stream", "astream"])
def test_functions_for_after_the_response_run_before_the_shutdown(antiphon, notes, interface, kind):
    command = antiphon("own:app", "--interface", interface).serving()
    with command.send(f"/after/{kind}/0.4") as connection:
        receive_until(connection, b"answered")
        command.process.send_signal(signal.SIGTERM)
        assert_ended(command)
    assert notes() == ["after", "shutdown"]


@pytest.mark.once
@pytest.mark.axes("interface")
def test_they_are_waited_for_no_longer_than_the_grace(antiphon, notes, interface):
    command = antiphon("own:app", "--interface", interface, "--grace", "0.3").serving()
    for kind in ("def", "async"):
        with command.send(f"/after/{kind}/600.0") as connection:
            assert b"200 OK" in connection.recv(4096)
    command.process.send_signal(signal.SIGTERM)
    assert_ended(command)
    assert notes() == ["shutdown"]


@pytest.mark.once
def test_streams_of_events_end_at_once(antiphon, notes, interface):
    command = antiphon("own:app", "--interface", interface, "--grace", "600").serving()
    with ExitStack() as connections:
        count = 60 if interface == "wsgi" else 100  # over WSGI each stream holds one of 64 threads
        for _ in range(count):
            connections.enter_context(begin(command, "/events"))
        command.process.send_signal(signal.SIGTERM)
        assert_ended(command)
    assert notes() == ["closed"] * count + ["shutdown"]


def test_async_handlers_are_cancelled_when_the_grace_is_over(antiphon, notes, interface):
    command = antiphon("patient:app", "--interface", interface, "--grace", "0.3", patient=PATIENT).serving()
    with command.send("/waits") as connection:
        command.wait_until(lambda: notes() == ["begun"])
        command.process.send_signal(signal.SIGTERM)
        assert connection.recv(4096).startswith(b"HTTP/1.1 503 ")
        assert command.exit_code() == 0
    assert notes() == ["begun", "closed", "shutdown"]


@pytest.mark.once
def test_handlers_that_block_are_not_waited_for_longer_than_that(antiphon, notes, interface):
    command = antiphon("own:app", "--interface", interface, "--grace", "0.3").serving()
    with command.send("/blocks"):
        command.wait_until(lambda: notes() == ["begun"])
        command.process.send_signal(signal.SIGTERM)
        assert command.exit_code() == 0
    assert re.search(r"cut off, since the worker ends: GET /blocks after \d+\.\d s\n", command.err)
    assert notes() == ["begun", "shutdown"]


@pytest.mark.parametrize("path", ["/stream", "/astream"])
def test_other_streams_are_closed_when_the_grace_is_over_before_the_app_is_shut_down(antiphon, notes, interface, path):
    command = antiphon("own:app", "--interface", interface, "--grace", "0.3").serving()
    with begin(command, path), begin(command, path):
        command.process.send_signal(signal.SIGTERM)
        assert_ended(command)
    assert notes() == ["closed", "closed", "shutdown"]


@pytest.mark.once
@pytest.mark.axes("interface")
@pytest.mark.parametrize("requests", [0, 1])
def test_connections_without_a_request_are_closed_at_once(antiphon, interface, requests):
    command = antiphon(f"apps:{interface}", "--interface", interface, "--grace", "600").serving()
    with command.connect() as connection:
        for _ in range(requests):
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
        command.process.send_signal(signal.SIGTERM)
        while connection.recv(4096):
            pass
        assert_ended(command)


@pytest.mark.once
@pytest.mark.axes("interface")
@pytest.mark.parametrize("served", ["apps", "own"])
def test_requests_are_answered_during_the_drain_delay(antiphon, notes, interface, served):
    target = [f"apps:{interface}" if served == "apps" else "own:app", "--interface", interface]
    command = antiphon(*target, "--drain-delay", "2", "--grace", "600").serving()

    def answer():
        with command.send("/") as connection:
            return receive_until(connection, b"\r\n\r\n")

    assert b"connection: close" not in answer().lower()
    command.process.send_signal(signal.SIGTERM)
    command.wait_until(lambda: b"\r\nconnection: close\r\n" in answer().lower())
    assert_ended(command)
