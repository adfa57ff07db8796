"""A ledger whose workers are killed, and whose database is restarted: each key's first response, and no money lost."""

import importlib
import json
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.databases import rows_of
from tests.helpers.postgres import PostgresServer
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", "2")
ACCOUNTS = dict.fromkeys(("ada", "bob", "cy", "dan"), 60)
CLIENTS = int(os.environ.get("LEDGER_CLIENTS", "6"))
KILLS = int(os.environ.get("LEDGER_KILLS", "10"))
SEED = int(os.environ.get("LEDGER_SEED", "1"))


class Client:
    """Someone who writes with a new key each time, and repeats each request until there is a response to keep."""

    def __init__(self, server, number, served):
        self._server = server
        self._served = served
        self._random = random.Random(f"{SEED} {number}")
        self.statuses = Counter()
        self.kept = {}
        self.changed = []

    def write_until(self, over):
        while not over.is_set():
            note = str(uuid.uuid4())
            source, target = self._random.sample(sorted(ACCOUNTS), 2)
            written = {"from": source, "to": target, "amount": self._random.randint(1, 20), "note": note}
            path = self._random.choice(["/transfers", "/transfers", "/transfers", "/holds"])
            fields = (("Idempotency-Key", f'"{note}"'), ("Content-Type", "application/json"))
            request = SentRequest("POST", path, fields, json.dumps(written).encode())
            first = self._outcome(request)
            again = self._outcome(request)
            if (first.status, first.body) != (again.status, again.body):
                self.changed.append((first, again))
            self.kept[note] = path, first

    def _outcome(self, request):
        """Send a request until it has a response that says what became of it."""

        def attempt():
            with suppress(Closed, OSError):
                response = self._server.respond(request)
                self.statuses[response.status] += 1
                self._served.update(int(value) for name, value in response.fields if name.lower() == "x-by")
                is_later = response.status == 503 or b"idempotency-key-in-use" in response.body
                if not is_later:
                    return response
                time.sleep(0.02)
                return None
            self.statuses["cut off"] += 1
            return None

        return eventually(attempt, "there is no response", 60)


def workers_of(server):
    pid = server._process.pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """A function that restarts the database, if there is a server, and the database's URL or path."""
    if request.param == "sqlite":
        yield lambda: None, str(tmp_path / "ledger.db")
        return
    with PostgresServer(request.getfixturevalue("postgres-server"), fsync="on") as server:
        yield server.restart, server.database()


def test_each_key_has_one_effect_and_its_first_response(database, monkeypatch):
    restart, url = database
    monkeypatch.setenv("LEDGER", url)
    ledger = importlib.reload(importlib.import_module("tests.helpers.served.ledger"))
    ledger.create(ACCOUNTS)
    chance, over = random.Random(SEED), threading.Event()
    with ServerProcess(RUN, "tests.helpers.served.ledger:app") as server:
        served = set()
        clients = [Client(server, number, served) for number in range(CLIENTS)]

        def responses():
            return sum(client.statuses[status] for client in clients for status in (201, 402, 409))

        with ThreadPoolExecutor(CLIENTS) as threads:
            working = [threads.submit(client.write_until, over) for client in clients]
            try:
                for number in range(KILLS):
                    more = responses() + chance.randint(5, 40)
                    eventually(lambda more=more: responses() >= more or None, "nobody gets a response", 60)
                    time.sleep(chance.uniform(0, 0.05))
                    if number in (KILLS // 3, 2 * KILLS // 3):
                        restart()
                    # Those that have served: a server ends whose workers end earlier.
                    workers = eventually(lambda: workers_of(server) & served or None, "there is no worker", 60)
                    os.kill(chance.choice(sorted(workers)), signal.SIGKILL)
                time.sleep(0.5)
            finally:
                over.set()
            for each in working:
                each.result()
    kept = {note: found for client in clients for note, found in client.kept.items()}
    statuses = sum((client.statuses for client in clients), Counter())
    assert [change for client in clients for change in client.changed] == []
    assert {response.status for _, response in kept.values()} == {201, 402, 409}
    assert 500 not in statuses
    assert statuses["cut off"] > 0
    check(url, kept)


def check(url, kept):
    """Check the rows against the responses: what was written is what clients were told, once, and nothing else."""
    for path in "/transfers", "/holds":
        rows = rows_of(url, f"select note, number from {path[1:]}")
        told = {note: json.loads(response.body)["number"]
                for note, (at, response) in kept.items() if at == path and response.status == 201}  # fmt: skip
        assert len(rows) == len(dict(rows))
        assert dict(rows) == told
    balances = dict(rows_of(url, "select name, balance from accounts"))
    expected = Counter(ACCOUNTS)
    for source, target, amount in rows_of(url, "select source, target, amount from transfers"):
        expected[source] -= amount
        expected[target] += amount
    assert balances == dict(expected)
    assert sum(balances.values()) == sum(ACCOUNTS.values())
