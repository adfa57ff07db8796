"""`antiphon run --preload`: the application is loaded once, and workers are forks of the process that has loaded it."""

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.once]

SHOP = """
import atexit, gc, os, random

from antiphon import App
from antiphon.features import Sessions, SQLiteStore


open(f"loaded-{os.getpid()}", "w").close()
atexit.register(lambda: open(f"left-{os.getpid()}", "w").close())
store = SQLiteStore("sessions.db")
store.load("none")
app = App()
app.use(Sessions(store))


@app.get("/")
def index(request):
    open(f"started-{os.getpid()}", "w").close()
    request.session["seen"] = request.session.get("seen", 0) + 1
    return f"{request.id} {random.random()} {gc.get_freeze_count() > 1000} {os.getpid()}"


@app.get("/waits")
async def waits(request):
    return f"{request.id}"


@app.get("/stream")
def stream(request):
    while True:
        yield "tick"
"""
THREADED = """
import threading
from antiphon import App

threading.Thread(target=threading.Event().wait, name="poller", daemon=True).start()
app = App()
"""


@pytest.fixture
def preloaded(antiphon, tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)

    def preloaded(*arguments):
        return antiphon("shop:app", "--preload", *arguments).serving()

    return preloaded


def answers(command, workers, besides=()):
    """Ask until as many workers have answered; return the answers, in words."""
    found = []
    command.wait_until(
        lambda: found.append(command.get().split()) or len({each[-1] for each in found} - {*besides}) >= workers
    )
    return found


def processes(folder, state):
    return {path.name.partition("-")[2] for path in folder.glob(f"{state}-*")}


def test_workers_share_what_was_loaded_once_and_have_the_rest_for_themselves(preloaded, tmp_path, interface):
    command = preloaded("--workers", "2", "--interface", interface)
    found = answers(command, 2)
    assert processes(tmp_path, "loaded") == {str(command.process.pid)}
    ids, numbers, frozen, workers = zip(*found, strict=True)
    assert len({*ids}) == len({*numbers}) == len(found)
    assert {*frozen} == {"True"}
    killed = found[0][-1]
    os.kill(int(killed), signal.SIGKILL)
    command.wait_until(lambda: f"Worker {killed} was ended by SIGKILL." in command.err)
    before = {each[-1] for each in found + answers(command, 2, {killed})}
    command.process.send_signal(signal.SIGUSR2)
    command.wait_until(lambda: "All workers were replaced." in command.err)
    after = {each[-1] for each in answers(command, 2, before)} - before
    assert len(processes(tmp_path, "loaded")) == 1
    command.process.terminate()
    assert command.exit_code() == 0
    assert after <= processes(tmp_path, "left")
    for id_, worker in zip(ids, workers, strict=True):
        assert worker == killed or f"[{id_}]" in command.log


def test_workers_end_with_their_supervisor_though_it_is_killed(preloaded):
    command = preloaded("--workers", "2", "--grace", "0.2")
    workers = {int(each[-1]) for each in answers(command, 2)}
    with closing(command.stream()):
        command.process.kill()
        command.wait_until(lambda: not any(map(runs, workers)))


def runs(process):
    """Whether a process runs; a zombie, which nobody waits for, does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_hangs_is_replaced(preloaded):
    command = preloaded("--worker-timeout", "0.5")
    [[*_, worker]] = answers(command, 1)
    os.kill(int(worker), signal.SIGSTOP)
    command.wait_until(lambda: f"Worker {worker} did not respond" in command.err)
    answers(command, 1, {worker})


@pytest.mark.parametrize(
    ("program", "arguments", "code", "message"),
    [
        (THREADED, (), 2, "can't be preloaded: its import started poller"),
        ("app = 1 / 0", (), 2, "ZeroDivisionError"),
        (SHOP, ("--reload",), 2, "leave one of them out"),
    ],
    ids=["threads", "a failing import", "reload"],
)
def test_what_cannot_be_preloaded_is_said(antiphon, program, arguments, code, message):
    command = antiphon("shop:app", "--preload", *arguments, shop=program)
    assert command.exit_code() == code
    assert message in command.err
    assert "Traceback" not in command.err
