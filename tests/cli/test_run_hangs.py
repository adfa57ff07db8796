"""`antiphon run` while a worker hangs at its start: the first ones, one of a restart, and one that replaces another."""

import os
import signal
import socket

import pytest

from tests.cli.conftest import DEADLINE, is_gone

pytestmark = [pytest.mark.once, pytest.mark.processes]

HANGING = """
import asyncio, os, time
import apps
from antiphon import App


def is_told_to_hang():
    return os.path.exists("hang")


def wait_for_import():
    while is_told_to_hang():
        time.sleep(0.05)


app = App()


@app.on_startup
def wait_for_thread():
    while os.path.exists("hang def"):
        time.sleep(0.05)


@app.on_startup
async def connect():
    await wait_for_task()


async def wait_for_task():
    while os.path.exists("hang async"):
        await asyncio.sleep(0.05)


@app.on_startup
def hang_once():
    try:
        os.rename("hang once", f"hangs-{os.getpid()}")
    except OSError:
        return
    while not os.path.exists("go on"):
        time.sleep(0.05)


@app.get("/")
def index(request):
    return f"hanging {os.getpid()}"


wait_for_import()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hanging.py").write_text(HANGING)
    return tmp_path


@pytest.mark.parametrize(
    ("interface", "file", "function"),
    [
        ("wsgi", "hang def", "wait_for_thread"),
        ("asgi", "hang async", "wait_for_task"),
        ("rsgi", "hang async", "wait_for_task"),
        ("asgi", "hang", "wait_for_import"),
    ],
)
def test_a_worker_that_hangs_at_its_start_is_ended_and_another_one_started(antiphon, folder, interface, file, function):
    (folder / file).touch()
    command = antiphon("hanging:app", "--interface", interface, "--start-timeout", "5")
    command.wait_until(lambda: "(--start-timeout), and was ended." in command.err)
    (folder / file).unlink()
    command.serving()
    first = command.workers()[0]
    assert f"Worker {first} did not serve within 5 seconds (--start-timeout), and was ended." in command.err
    assert "If it needs more time, raise --start-timeout." in command.err
    assert f"in {function}\n" in command.err  # where it hung
    assert command.get().startswith("hanging ")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_of_which_no_worker_starts_ends(antiphon, folder, workers):
    (folder / "hang").touch()
    command = antiphon("hanging:app", "--start-timeout", "0.5", "--workers", workers)
    assert command.exit_code() == 1
    assert command.out == ""
    *_, error = command.err.splitlines()
    assert error.startswith("Error: Worker ")
    assert error.endswith(" did not serve within 0.5 seconds (--start-timeout), and was ended.")
    command.wait_until(command.nobody_is_left)


def hang_in_restart(command, folder):
    """Have a restart begin whose new worker hangs, and return that one."""
    (folder / "hang once").touch()
    command.process.send_signal(signal.SIGUSR2)
    command.wait_until(lambda: list(folder.glob("hangs-*")))
    return int(next(folder.glob("hangs-*")).name.removeprefix("hangs-"))


def test_the_old_workers_go_on_while_those_of_a_restart_hang(antiphon, folder):
    command = antiphon("hanging:app", "--start-timeout", "5").serving()
    [old] = command.workers()
    (folder / "hang").touch()
    command.process.send_signal(signal.SIGUSR2)
    command.wait_until(lambda: "(--start-timeout), and was ended. Starting another one." in command.err)
    command.wait_until(lambda: command.answers_from(old))
    (folder / "hang").unlink()
    command.wait_until(lambda: "All workers were replaced.\n" in command.err)


def test_a_restart_that_has_to_wait_says_why_and_is_not_lost(antiphon, folder):
    command = antiphon("hanging:app").serving()
    hanging = hang_in_restart(command, folder)
    for count in (1, 2):
        command.process.send_signal(signal.SIGUSR2)
        command.wait_until(lambda count=count: command.err.count(f"Worker {hanging} has been starting for ") == count)
    (folder / "go on").touch()
    command.wait_until(lambda: command.err.count("All workers were replaced.\n") == 2)
    assert len(command.workers()) == 3
    command.process.send_signal(signal.SIGUSR2)  # it need not wait, as no third one is under way
    command.wait_until(lambda: command.err.count("All workers were replaced.\n") == 3)
    assert command.err.count("The workers will be restarted after that.") == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_that_dies_is_replaced_while_another_one_hangs_at_its_start(antiphon, folder, workers):
    command = antiphon("hanging:app", "--workers", workers, "--grace", "1").serving()
    old = command.workers()
    hanging = hang_in_restart(command, folder)
    for worker in old:
        os.kill(worker, signal.SIGKILL)
    command.wait_until(lambda: int(command.get().split()[1]) not in old)
    assert not is_gone(hanging)


def listens(path):
    """Return True if a server listens on a unix socket: its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def ask(path):
    """Return the answer of a server that has not said yet that it serves."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE)
        connection.connect(str(path))
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    return received.decode()


def test_a_worker_that_dies_is_replaced_while_the_server_starts(antiphon, folder):
    (folder / "hang once").touch()
    command = antiphon("hanging:app", "--workers", "2", "--uds", "socket")
    command.wait_until(lambda: listens(folder / "socket"))
    first = int(ask(folder / "socket").split()[-1])
    os.kill(first, signal.SIGKILL)
    assert "hanging " in ask(folder / "socket")
    assert command.out == ""
    (folder / "go on").touch()
    command.serving()
