"""Sessions and payments in one file, which the workers of a server use, of which one is killed, and others."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.http import SetCookie
from tests.contract.process import START, ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.processes import RUN
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

VISITORS = 10
LOOK = "import sys; from antiphon.features import SQLiteStore; SQLiteStore(sys.argv[1]).load('key')"


def look(path):
    """Use the store in another process, as a job of cron would, which ends as it should."""
    subprocess.run([sys.executable, "-c", LOOK, path], check=True)


class Visitor:
    def __init__(self, server, number):
        self.server = server
        self.cookie = []
        self.payment = SentRequest("POST", "/pay", (("Idempotency-Key", f'"payment {number}"'),), b"5 pounds")

    def visit(self, name):
        """Visit a page, and return what the session has, and the process that answered."""
        response = self.server.respond(SentRequest("GET", f"/visit/{name}", self.cookie))
        assert response.status == 200
        if new := dict(response.fields).get("set-cookie"):
            self.cookie = [("Cookie", SetCookie.parse(new).pair)]
        answer = json.loads(response.body)
        return answer["visits"], answer["pid"]

    def pay(self):
        response = self.server.respond(self.payment)
        assert response.status == 200
        return response.body


@pytest.fixture
def threads():
    with ThreadPoolExecutor(VISITORS) as threads:
        yield threads


def test_a_killed_worker_takes_no_session_along_and_no_payment(tmp_path, monkeypatch, threads):
    path, payments = tmp_path / "store.db", tmp_path / "payments"
    monkeypatch.setenv("STORE", str(path))
    monkeypatch.setenv("PAYMENTS", str(payments))

    def visit(name):
        """Have all visitors visit a page at once. Return what is in their sessions, and the workers that answered."""
        answers = [*threads.map(lambda visitor: visitor.visit(name), visitors)]
        return [visits for visits, _ in answers], {pid for _, pid in answers}

    def two_workers():
        workers = visit("first")[1]
        return workers if len(workers) == 2 and victim not in workers else None

    with ServerProcess((*RUN, "--workers", "2"), "tests.helpers.served.checkout:app") as server:
        visitors = [Visitor(server, number) for number in range(VISITORS)]
        victim = None
        victim = min(eventually(two_workers, "only one worker answers", START))
        look(path)
        visit("second")
        paid = [*threads.map(Visitor.pay, visitors)]
        os.kill(victim, signal.SIGKILL)
        look(path)
        eventually(two_workers, "the worker that was killed is not replaced", START)
        assert visit("last")[0] == [["first", "last", "second"]] * VISITORS
        assert [*threads.map(Visitor.pay, visitors)] == paid
        assert "not available" not in server.stderr
        assert server.terminate() == 0
    with ServerProcess(RUN, "tests.helpers.served.checkout:app") as server:
        for visitor in visitors:
            visitor.server = server
        assert visit("new")[0] == [["first", "last", "new", "second"]] * VISITORS
        assert [*threads.map(Visitor.pay, visitors)] == paid
    assert len(payments.read_text().splitlines()) == VISITORS
