"""The page on jobs: its app and its bank in processes of their own, with a real Valkey and workers that are killed."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.slow]

PAGE = (Path(__file__).parents[2] / "docs/how-to/jobs.md").read_text()
APPS = dict(re.findall(r"^```py(?:thon)?\n# (\w+)\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMAND = ("-m", "dramatiq", "shop", "--processes", "1", "--threads", "2")
RUNS_AGAIN = 30.0
"""Seconds in which a job of a killed worker is found and run again."""

_valkey_server = required_program("valkey-server", "redis-server")


class Worker:
    """The page's command in a group of its own, and what it wrote."""

    def __init__(self, folder):
        self._log = folder / f"worker-{id(self)}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *COMMAND], stdout=log, stderr=log, start_new_session=True, cwd=folder
            )

    @property
    def said(self):
        return self._log.read_text()

    def kill(self):
        """Kill all of its processes at once: they can't tell the queue anything."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(DEADLINE)

    def close(self):
        if self._process.poll() is None:
            self._process.terminate()
            assert self._process.wait(RUNS_AGAIN) == 0, self.said


@contextmanager
def line_to(port, first):
    """Yield the port of a line to the bank, which has ``first`` called with the first request and the way on."""
    calls = [first]

    class Handler(StreamRequestHandler):
        def handle(self):
            head = b"".join(iter(self.rfile.readline, b"\r\n"))
            request = head + b"\r\n" + self.rfile.read(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
            answer = calls.pop()(request, self.ask) if calls else self.ask(request)
            self.wfile.write(answer)

        def ask(self, request):
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as bank:
                bank.sendall(request)
                return b"".join(iter(lambda: bank.recv(4096), b""))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def apps(request, tmp_path, monkeypatch):
    """A folder with the page's apps, settings for them, and the bank as a server."""
    for name, code in APPS.items():
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("JOBS_HEARTBEAT", "1000")
    monkeypatch.setenv("dramatiq_worker_timeout", "100")  # milliseconds between two looks at a queue
    with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as server:
        monkeypatch.setenv("VALKEY_URL", server.url)
        with ServerProcess(RUN, "bank:app") as bank:
            yield tmp_path, bank


def run(name):
    page: dict = {"__name__": name}
    exec(APPS[name], page)
    return page


def order(client, key="1"):
    answer = client.post(
        "/orders", json={"pounds": 5, "email": "ada@example.com"}, headers={"idempotency-key": f'"{key}"'}
    )
    assert answer.status == 202
    return answer.json["order"]


def invoice_of(client, number):
    """Wait for the invoice of an order."""

    def look():
        answer = client.get(f"/orders/{number}/invoice")
        return answer.text if answer.status == 200 else None

    return eventually(look, "there is no invoice", RUNS_AGAIN)


@pytest.mark.processes
@pytest.mark.parametrize("has_paid", [False, True], ids=["before its effect", "after its effect"])
def test_a_job_whose_worker_is_killed_runs_again_and_has_one_effect(apps, monkeypatch, has_paid):
    folder, bank = apps
    killed = []

    def kill_first(request, ask):
        if has_paid:
            assert b" 201 " in ask(request)
        workers[0].kill()
        killed.append(request)
        return b""

    with ExitStack() as stack:
        line = stack.enter_context(line_to(bank.port, kill_first))
        monkeypatch.setenv("BANK_URL", f"http://127.0.0.1:{line}/payments")
        workers = [stack.enter_context(closing(Worker(folder)))]
        shop = run("shop")
        client = stack.enter_context(Client(shop["app"]))
        number = order(client)
        assert order(client) == number  # a client that repeats its request has one job
        eventually(lambda: killed or None, "no job was run", RUNS_AGAIN)
        workers.append(stack.enter_context(closing(Worker(folder))))
        assert invoice_of(client, number) == f"Order {number}: paid, number 1."
        paid = run("bank")["store"].increment("payments", ttl=7 * 24 * 3600, by=0).value
        thanks = sum(worker.said.count("To ada@example.com: thank you.") for worker in workers)
        assert (paid, thanks <= 1) == (1, True)
        broker = shop["dramatiq"].get_broker()
        eventually(lambda: broker.do_qsize("default") == 0 or None, "a job is left", RUNS_AGAIN)


TWO_CLOCKS = """
import clock, shop

[job] = clock.scheduler.get_jobs()
print(job.trigger.get_next_fire_time(None, clock.datetime(2026, 3, 28, 12, tzinfo=clock.UTC)))
for _ in "12":
    job.func()
print(shop.dramatiq.get_broker().do_qsize("default"))
for _ in "12":
    shop.report.fn("2026-03-29")
"""


@pytest.mark.processes
def test_a_job_that_two_clocks_send_has_one_effect(apps):
    folder, _ = apps
    outcome = subprocess.run([sys.executable, "-c", TWO_CLOCKS], cwd=folder, text=True, capture_output=True, check=True)
    assert outcome.stdout.splitlines() == ["2026-03-29 03:00:00+00:00", "2", "The report of 2026-03-29 is written."]
