"""Sessions and writes that happen once while an app is deployed: workers and servers come and go, and nothing is lost.

A new process judges: what was acknowledged has to be in the store, not in the memory or the open files of those that
wrote it.
"""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from json import loads
from threading import Event

import pytest

from antiphon.http import SetCookie
from antiphon.testing import Client
from scripts.release import ROOT
from tests import deploys
from tests.contract.process import ServerProcess
from tests.contract.wire import AUTHORITY, Closed, SentRequest
from tests.helpers.processes import RUN
from tests.helpers.served.orders import make_app
from tests.helpers.stores import SHARED, place_of, store_at
from tests.helpers.waiting import PAUSE, eventually

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.axes("interface")]

CUSTOMERS = 8
WORKERS = 2
OPTIONS = "--workers", str(WORKERS), "--max-requests", "200"
BETWEEN_ORDERS = 0.1
"""Seconds. Workers have to start beside the orders."""
LOOK = """
import sys
from tests.helpers.stores import store_at
store = store_at(sys.argv[1])
store.load("nothing")
store.close()
"""
"""A program that opens the store beside the server, and ends as it should."""
PATIENCE = 60.0
"""Seconds. Workers start beside all that, on a machine that may be busy with other tests."""
NOT_TAKEN_UP = (ConnectionRefusedError, ConnectionResetError, Closed)
"""How requests end that no server takes up."""


class Customer:
    """A client that logs in, and sends each order twice, each request on a connection of its own."""

    def __init__(self, number, server):
        self.name = f"customer {number}"
        self.answers = {}
        """The answer to each order, by its key."""
        self.cut_off = []
        """How requests ended that were not answered. They were sent again."""
        self._server = server
        self._cookie = ()

    def order_until(self, over):
        login = self._send("POST", "/login", self.name)
        self._cookie = (("Cookie", SetCookie.parse(dict(login.fields)["set-cookie"]).pair),)
        while not over.is_set():
            key = f"{self.name}, order {len(self.answers) + 1}"
            answer = self.order(self._send, key)
            assert self.order(self._send, key) == answer
            self.answers[key] = answer
            self.check(self._send)
            time.sleep(BETWEEN_ORDERS)

    def judge(self, app):
        """Look in this process, with its own view of the store, for each order that was acknowledged."""
        with Client(app, "wsgi", base_url=f"http://{AUTHORITY}") as client:

            def send(method, target, text, *fields):
                return client.request(method, target, body=text.encode(), headers=[*self._cookie, *fields])

            self.check(send)
            assert {key: self.order(send, key) for key in self.answers} == self.answers

    def order(self, send, key):
        return loads(send("POST", "/orders", key, ("Idempotency-Key", f'"{key}"')).body)

    def check(self, send):
        assert loads(send("GET", "/orders", "").body) == {"customer": self.name, "orders": len(self.answers)}

    def _send(self, method, target, text, *fields):
        """Send a request until it is answered."""
        request = SentRequest(method, target, (*self._cookie, *fields), text.encode())
        while True:
            try:
                with self._server.connect(PATIENCE) as connection:
                    connection.send(request.encoded)
                    answer = connection.receive(method)
            except NOT_TAKEN_UP as error:
                self.cut_off.append(error)
            else:
                if answer.status < 300:
                    return answer
                assert answer.status == 409, answer  # an earlier try is being answered
            time.sleep(PAUSE)


class Customers:
    """Customers who order at once, each on a thread of its own, as long as this is open."""

    def __init__(self, server):
        self.all = [Customer(number, server) for number in range(CUSTOMERS)]
        self._over = Event()
        self._threads = ThreadPoolExecutor(CUSTOMERS)

    def __enter__(self):
        self._running = [self._threads.submit(each.order_until, self._over) for each in self.all]
        return self

    def __exit__(self, *_):
        self._over.set()
        self._threads.shutdown()
        self._raise_errors()

    def wait_until(self, true, what):
        """Wait until something is true. Raises the error of a customer who can't go on."""

        def look():
            self._raise_errors()
            return true() or None

        eventually(look, what, PATIENCE)

    def go_on(self):
        """Wait until each has ordered a few times more."""
        goals = [(each, len(each.answers) + 4) for each in self.all]
        self.wait_until(lambda: all(len(each.answers) >= goal for each, goal in goals), "a customer can't order")

    def _raise_errors(self):
        for each in self._running:
            if each.done():
                each.result()

    @property
    def workers(self):
        """The processes that took their orders."""
        return {answer["worker"] for each in self.all for answer in [*each.answers.values()]}


@pytest.fixture(params=SHARED)
def where(request, tmp_path):
    """The path of a store, or its URL."""
    return place_of(request.param, request, tmp_path)


def test_a_deploy_loses_nothing_and_repeats_nothing(where, interface, tmp_path, monkeypatch):
    monkeypatch.setenv("STORE", where)
    monkeypatch.setenv("ORDERS", str(tmp_path / "orders"))
    server = ServerProcess((*RUN, "--interface", interface, *OPTIONS), "tests.helpers.served.orders:served")
    with server, Customers(server) as customers:
        customers.wait_until(lambda: len(customers.workers) > WORKERS, "no worker is replaced after --max-requests")
        server.send_signal(signal.SIGUSR2)
        customers.wait_until(lambda: "All workers were replaced." in server.stderr, "SIGUSR2 replaces no worker")
        subprocess.run([sys.executable, "-c", LOOK, where], check=True)
        customers.go_on()
        assert [each.cut_off for each in customers.all] == [[]] * CUSTOMERS
        server.restart()
        customers.go_on()
        assert "Traceback" not in server.stderr
    with closing(store_at(where, timeout=30)) as store:
        app = make_app(store)
        for each in customers.all:
            each.judge(app)
    ordered = Counter((tmp_path / "orders").read_text().splitlines())
    assert ordered == dict.fromkeys((key for each in customers.all for key in each.answers), 1)
    if "://" not in where:
        with closing(sqlite3.connect(where)) as database:
            assert database.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_a_deploy_from_the_last_version_and_back_loses_and_repeats_nothing(postgres_server, tmp_path, monkeypatch):
    """scripts/weekly does so with each store, for longer."""
    for name in ("DEPLOYED", "EFFECTS", "PYTHONPATH", "STORE", "UPLOADS", "VERSION"):
        monkeypatch.setenv(name, "")  # and restore it
    known = deploys.last_version()
    old = deploys.package_of(known if known.startswith("v") else str(ROOT / "src"), tmp_path / "old")
    used = [postgres_server.database() for _ in range(2)]
    assert deploys.tried(old, ROOT / "src", 0.5, tmp_path, *used, customers=2) == 0
