"""Writes that happen once, with retries to two processes, of which one is killed."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from antiphon import App
from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.served.payments import pay_into
from tests.helpers.stores import SHARED, place_of, store_at
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.axes("interface", "site")]

RUN = "-m", "antiphon", "run", "{app}", "--port", "{port}", "--interface"
RETRIES = 50


class Site:
    """Two servers of one app, which share a store."""

    def __init__(self, store, folder, servers):
        self.store = store
        self.payment = SentRequest("POST", "/pay", (("Idempotency-Key", f'"{folder}"'),), b"5 pounds")
        self.go = folder / "go"
        self._payments = folder / "payments"
        self.servers = servers

    @property
    def payers(self):
        """The processes that have carried the payment out."""
        return [int(line) for line in self._payments.read_text().split()] if self._payments.exists() else []

    def pay(self, number):
        """Send one request to one server: return its response, or None if the server was killed meanwhile."""
        with suppress(Closed, OSError):
            return self.servers[number % 2].respond(self.payment)
        return None

    def workers(self):
        return {json.loads(server.respond(SentRequest("GET", "/pid")).body)["pid"] for server in self.servers}


@pytest.fixture(params=SHARED)
def site(request, tmp_path, monkeypatch, interface):
    store = place_of(request.param, request, tmp_path)
    for name, value in {"STORE": store, "PAYMENTS": tmp_path / "payments", "GO": tmp_path / "go"}.items():
        monkeypatch.setenv(name, str(value))
    app, run = "tests.helpers.served.payments:app", (*RUN, interface)
    with ServerProcess(run, app) as one, ServerProcess(run, app) as other:
        yield Site(store, tmp_path, [one, other])


@pytest.mark.parametrize("killed", ["the payer", "the other"])
def test_one_effect_of_fifty_retries_while_a_process_is_killed(site, killed):
    workers = site.workers()
    with ThreadPoolExecutor(RETRIES) as threads:
        answers = [threads.submit(site.pay, number) for number in range(RETRIES)]
        [payer] = eventually(lambda: site.payers or None, "nobody pays")
        os.kill(payer if killed == "the payer" else (workers - {payer}).pop(), signal.SIGKILL)
        answers += [threads.submit(site.pay, number) for number in range(RETRIES)]
        if killed == "the other":
            site.go.touch()
        found = [answer.result() for answer in answers]
    site.go.touch()
    last = eventually(lambda: site.pay(0), "the server that was killed does not come back")
    paid = {response.body for response in [*found, last] if response and response.status == 200}
    assert {response.status for response in found if response} <= {200, 409}
    assert paid == (set() if killed == "the payer" else {b'{"paid by":%d}' % payer})
    assert (last.status, site.payers) == (409 if killed == "the payer" else 200, [payer])


def test_a_client_that_goes_away_has_its_answer_kept(site):
    with site.servers[0].connect() as connection:
        connection.send(site.payment.encoded)
        [payer] = eventually(lambda: site.payers or None, "nobody pays")
        connection.reset()
    site.go.touch()
    answer = eventually(lambda: found if (found := site.pay(1)).status == 200 else None, "nobody is answered")
    assert (answer.body, site.payers) == (b'{"paid by":%d}' % payer, [payer])


def test_what_was_broken_off_is_told_later_and_may_be_taken_over(site):
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(site.pay, 0)
        [payer] = eventually(lambda: site.payers or None, "nobody pays")
        os.kill(payer, signal.SIGKILL)
        assert answer.result() is None
    site.go.touch()
    store = store_at(site.store, timeout=30)
    store.clock = lambda: time.time() + 61
    for options, status in [({}, 409), ({"takeover": 60}, 200), ({}, 200)]:
        app = App()
        pay_into(app, store, **options)
        with Client(app, "wsgi") as client:
            response = client.post("/pay", body=site.payment.body, headers=site.payment.fields)
            assert response.status == status
            assert status == 200 or "its outcome is unknown" in response.json["detail"]
    store.close()
    assert site.payers == [payer, os.getpid()]
