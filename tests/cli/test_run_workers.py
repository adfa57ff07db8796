"""`antiphon run` while workers come and go: one dies, hangs or is worn out, or all are restarted."""

import http.client
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import Self

import pytest

from antiphon.cli.workers.supervisor import LONGEST_PAUSE, pause_after, pause_after_growth
from tests.cli.conftest import is_gone
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes


class Load:
    """Threads that send one request after the other, each on a connection of its own, and note what they get."""

    def __init__(self, get: Callable[[], str]) -> None:
        self.answers: list[str] = []
        self.errors: list[OSError] = []
        self._get = get
        self._has_ended = False
        self._threads = [Thread(target=self._send) for _ in range(4)]

    def _send(self) -> None:
        while not self._has_ended:
            try:
                self.answers.append(self._get())
            except OSError as error:
                self.errors.append(error)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._has_ended = True
        for thread in self._threads:
            thread.join()


def new_worker(command, *old):
    """The worker that answers instead of others. One that was prestarted beside it does not answer yet."""

    def answering():
        return next(
            (worker for worker in command.workers() if worker not in old and command.answers_from(worker)), None
        )

    return eventually(answering, "no new worker answers", 60.0)


def test_a_worker_that_dies_is_replaced(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface).serving()
    [worker] = command.workers()
    os.kill(worker, signal.SIGKILL)
    new_worker(command, worker)
    assert command.err == f"WARNING Worker {worker} was ended by SIGKILL. Starting another one.\n"
    assert re.search(rf"^\d{{4}}-\d\d-\d\dT\S+Z WARNING Worker {worker} ", command.log, re.MULTILINE)


def test_other_workers_serve_meanwhile(antiphon):
    command = antiphon("apps:asgi", "--workers", "2").serving()
    first, second = command.workers()
    with Load(command.get) as load:
        os.kill(first, signal.SIGKILL)
        new_worker(command, first, second)
    assert len(load.errors) <= 4  # those that it was answering


@pytest.mark.once
def test_a_server_of_which_workers_die_again_and_again_ends(antiphon, tmp_path):
    (tmp_path / "dies.py").write_text(
        "import glob, os\nfrom apps import wsgi\nif len(glob.glob('started-*')) > 1:\n    os._exit(7)\n"
    )
    command = antiphon("dies:wsgi").serving()
    os.kill(command.workers()[0], signal.SIGKILL)
    assert command.exit_code() == 1
    *_, cause, last = command.err.splitlines()
    assert cause == "Error: A worker ended with exit code 7 before it served."
    assert last.endswith("That was failure number 6 in a row, so the server ends.")
    command.wait_until(command.nobody_is_left)


@pytest.mark.once
def test_a_restart_loses_no_request(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface, "--workers", "2").serving()
    old = command.workers()
    with Load(command.get) as load:
        command.process.send_signal(signal.SIGUSR2)
        command.wait_until(lambda: "All workers were replaced." in command.err)
        command.wait_until(lambda: set(map(is_gone, old)) == {True})
    assert load.errors == []
    assert {int(answer.split()[1]) for answer in load.answers} >= {*command.workers()} - {*old}
    assert len(command.workers()) == 4


@pytest.mark.once
def test_workers_go_on_when_a_restart_fails(antiphon, tmp_path):
    command = antiphon("changes:wsgi", changes="from apps import wsgi\n").serving()
    (tmp_path / "changes.py").write_text("from apps import wsgi\nraise ValueError('no such table')\n")
    command.process.send_signal(signal.SIGUSR2)
    command.wait_until(lambda: "no such table" in command.err)
    replacing, _, failed = command.err.partition("\n")
    assert replacing == "WARNING The workers are replaced, one after another."
    assert failed.startswith("WARNING The old workers continue, since a new one can't serve: The module 'changes'")
    command.wait_until(lambda: command.answers_from(command.workers()[0]))


@pytest.mark.once
def test_a_worker_is_replaced_after_so_many_requests(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface, "--max-requests", "5").serving()
    [worker] = command.workers()
    answers = [command.get() for _ in range(5)]
    assert answers == [f"{interface} {worker}"] * 5
    with Load(command.get) as load:
        command.wait_until(lambda: is_gone(worker))
    assert load.errors == []
    assert command.err == ""


GROWS = """
from apps import wsgi as small

HELD = []

def wsgi(environ, start_response):
    HELD.append(bytearray(8 << 20))
    return small(environ, start_response)
"""


@pytest.mark.once
def test_a_worker_that_takes_too_much_memory_is_replaced(antiphon):
    command = antiphon("grows:wsgi", "--interface", "wsgi", "--worker-memory", "250M", grows=GROWS).serving()
    [worker] = command.workers()
    with Load(command.get) as load:
        command.wait_until(lambda: is_gone(worker))
    assert load.errors == []
    told = rf"WARNING Worker {worker} has \d+ MiB of memory after \d+ s \(--worker-memory\), so it is replaced.\n"
    assert re.match(told, command.err)


@rows("workers, pause", (0, 0.0), (1, 0.0), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (5000, 30.0))
@pytest.mark.once
def test_workers_that_soon_take_too_much_memory_are_replaced_less_often(workers, pause):
    assert pause_after_growth(workers) == pause
    assert pause_after(5000) == LONGEST_PAUSE


@pytest.mark.once
def test_a_limit_of_memory_that_each_worker_exceeds_is_ignored(antiphon):
    command = antiphon("apps:wsgi", "--worker-memory", "1M").serving()
    command.wait_until(lambda: "so --worker-memory (1 MiB) is ignored: raise it." in command.err)


@pytest.mark.once
def test_a_worker_that_is_asked_to_end_is_replaced_first(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--interface", interface).serving()
    [worker] = command.workers()
    with Load(command.get) as load:
        os.kill(worker, signal.SIGTERM)
        command.wait_until(lambda: is_gone(worker))
    assert load.errors == []
    assert command.err == ""


BLOCKED = """
import time
from apps import Asgi, Rsgi

class Blocks(Asgi):
    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/slow":
            time.sleep(600)
        await super().__call__(scope, receive, send)

class RsgiBlocks(Rsgi):
    async def __rsgi__(self, scope, protocol):
        if scope.path == "/slow":
            time.sleep(600)
        await super().__rsgi__(scope, protocol)

asgi, rsgi = Blocks(), RsgiBlocks()
"""


@pytest.mark.once
@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_a_worker_of_which_the_loop_is_blocked_is_replaced(antiphon, interface):
    command = antiphon(f"blocked:{interface}", "--worker-timeout", "1", blocked=BLOCKED).serving()
    [worker] = command.workers()
    with command.send("/slow"):
        new_worker(command, worker)
    assert f"Worker {worker} did not respond for 1 seconds (--worker-timeout), and was ended." in command.err
    cause = f"Worker {worker} did not respond for 1 seconds (--worker-timeout). It is ended, and prints where it hangs:"
    assert re.match(
        rf"WARNING {re.escape(cause)}\nThe loop is blocked \(most recent call last\):\n.*blocked.py",
        command.err,
        re.DOTALL,
    )


BUSY = """
import time
from apps import Asgi, Rsgi

def compute():
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        pass

class Busy(Asgi):
    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/busy":
            compute()
        await super().__call__(scope, receive, send)

class RsgiBusy(Rsgi):
    async def __rsgi__(self, scope, protocol):
        if scope.path == "/busy":
            compute()
        await super().__rsgi__(scope, protocol)

asgi, rsgi = Busy(), RsgiBusy()
"""


@pytest.mark.once
@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_a_worker_that_has_too_much_to_do_is_not_replaced(antiphon, interface):
    command = antiphon(f"busy:{interface}", "--worker-timeout", "1.5", "--queue-timeout", "0", busy=BUSY).serving()
    [worker] = command.workers()
    with ExitStack() as stack:
        connections = [stack.enter_context(command.send("/busy")) for _ in range(60)]  # one pass of 3 s
        for connection in connections:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert command.workers() == [worker]
    assert "--worker-timeout" not in command.err


@pytest.mark.once
def test_a_slow_handler_on_a_thread_is_no_worker_that_hangs(antiphon, tmp_path):
    (tmp_path / "slower.py").write_text(
        "import apps, time\ndef app(*request):\n    time.sleep(4)\n    return apps.wsgi(*request)\n"
    )
    command = antiphon("slower:app", "--interface", "wsgi", "--worker-timeout", "2").serving()
    with command.send("/") as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert command.err == ""


@pytest.mark.once
def test_a_server_that_was_suspended_takes_no_worker_for_dead(antiphon):
    command = antiphon("apps:asgi", "--worker-timeout", "2").serving()
    os.killpg(command.process.pid, signal.SIGSTOP)
    time.sleep(3)  # longer than the timeout: nothing else can be watched
    os.killpg(command.process.pid, signal.SIGCONT)
    command.wait_until(lambda: command.answers_from(command.workers()[0]))
    assert command.err == ""


POISONED = """
import glob, os
import apps
from antiphon import App

app = App()


@app.get("/")
def index(request):
    return f"poisoned {os.getpid()}"


@app.get("/poison")
STYLE poison(request):
    os._exit(7)
"""
EACH_STYLE = pytest.mark.parametrize("style", ["def", "async def"])


def poison(command):
    with command.send("/poison") as connection, suppress(ConnectionResetError):
        assert connection.recv(1) == b""


@pytest.mark.once
@pytest.mark.axes("interface", "style")
@EACH_STYLE
def test_requests_that_kill_their_worker_do_not_end_the_server(antiphon, interface, style):
    command = antiphon("poisoned:app", "--interface", interface, poisoned=POISONED.replace("STYLE", style)).serving()
    for count in range(1, 9):
        poison(command)
        assert command.get().startswith("poisoned ")
        command.wait_until(lambda count=count: command.err.count("ended with exit code 7. Starting another") == count)
    assert command.process.poll() is None


@pytest.fixture
def poisoned(antiphon, tmp_path):
    """A server whose worker was killed by a request, and replaced, with the workers that are prestarted."""
    command = antiphon("poisoned:app", poisoned=POISONED.replace("STYLE", "def")).serving()
    poison(command)
    command.wait_until(lambda: len(command.workers()) == 3)  # the first, its successor, and one that is prestarted
    return command


@pytest.mark.once
def test_a_prestarted_worker_takes_the_place_of_the_next_one_that_dies(poisoned):
    answering = int(poisoned.get().split()[1])
    [prestarted] = [worker for worker in poisoned.workers() if worker != answering and not is_gone(worker)]
    poison(poisoned)
    assert poisoned.get() == f"poisoned {prestarted}"


@pytest.mark.once
def test_a_restart_ends_a_prestarted_worker_which_has_loaded_old_code(poisoned):
    old = poisoned.workers()
    poisoned.process.send_signal(signal.SIGUSR2)
    poisoned.wait_until(lambda: "All workers were replaced." in poisoned.err)
    poisoned.wait_until(lambda: all(map(is_gone, old)))
    assert len(poisoned.workers()) == 4


@pytest.mark.once
def test_workers_that_serve_go_on_when_others_can_not_be_started(antiphon, tmp_path):
    (tmp_path / "dies.py").write_text(
        "import glob, os\nfrom apps import wsgi\nif len(glob.glob('started-*')) > 2:\n    os._exit(7)\n"
    )
    command = antiphon("dies:wsgi", "--workers", "2").serving()
    first, second = command.workers()
    os.kill(first, signal.SIGKILL)
    failed = "can't serve, as shown above. Starting another one."
    eventually(lambda: command.err.count(failed) == 6 or None, "a server that starts workers goes on", deadline=60)
    command.wait_until(lambda: command.answers_from(second))


FILLS = """
from antiphon import App

app, kept = App(), []


@app.get("/grow")
def grow(request):
    kept.append(bytearray(b"x" * (600 << 20)))
    return "grown"
"""


@pytest.fixture
def small_group():
    """A control group whose processes may have 300 MiB together: the file to which their numbers are written."""
    groups = [line.rstrip().split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for controllers, path in groups:
        if controllers in ("", "memory"):
            folder = Path(f"/sys/fs/cgroup/{controllers}{path}/antiphon-{os.getpid()}")
            with suppress(OSError):
                folder.mkdir()
                try:
                    (folder / ("memory.limit_in_bytes" if controllers else "memory.max")).write_text(str(300 << 20))
                    yield folder / "cgroup.procs"
                    return
                finally:
                    left = folder / "cgroup.procs"
                    eventually(lambda left=left: not left.read_text() or None, "the group has processes")
                    folder.rmdir()
    pytest.skip("this machine lets nobody make control groups")


def test_a_worker_that_the_kernel_kills_for_lack_of_memory(small_group, antiphon):
    start = f"import os; open({str(small_group)!r}, 'w').write(str(os.getpid()))\n"
    command = antiphon("fills:app", "--preload", fills=start + FILLS).serving()
    with suppress(OSError, http.client.HTTPException):
        command.get("/grow")
    lacked = "was killed by the kernel, since its control group, such as a container, had no memory left"
    command.wait_until(lambda: lacked in command.err)
    command.end()
