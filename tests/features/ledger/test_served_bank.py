"""A bank that is served: the official SDK's client agrees for its person, and workers are killed while others write."""

import asyncio
import importlib
import json
import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest
from tests.helpers.databases import rows_of
from tests.helpers.postgres import PostgresServer
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", "2")
ACCOUNTS = dict.fromkeys(("ada", "bob", "cy", "dan"), 1000)
KILLS = int(os.environ.get("BANK_KILLS", "3"))
REVISIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}


@pytest.fixture
def bank(request, monkeypatch, tmp_path):
    with PostgresServer(request.getfixturevalue("postgres-server")) as database:
        url = database.database()
        monkeypatch.setenv("BANK", url)
        monkeypatch.setenv("BANK_STORE", str(tmp_path / "store.sqlite"))
        monkeypatch.setenv("PYTHONPATH", "packages/antiphon-ledger/src")
        importlib.reload(importlib.import_module("tests.helpers.served.agreed_bank")).create(url, ACCOUNTS)
        with ServerProcess(RUN, "tests.helpers.served.agreed_bank:app") as server:
            yield server, url


async def pay_by_tool(url, mode, asked, action):
    from httpx2 import AsyncClient
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.types import ElicitResult

    async def respond(context, params):
        asked.append(params.message)
        return ElicitResult(action=action, content={})

    async with (
        asyncio.timeout(DEADLINE),
        AsyncClient(headers={"authorization": "Bearer of-ann"}, timeout=DEADLINE) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, elicitation_callback=respond) as opened,
    ):
        assert opened.protocol_version == REVISIONS[mode]
        return await opened.call_tool("pay", {"note": mode, "source": "ada", "target": "bob", "amount": 5})


def test_the_sdk_asks_its_person_for_exactly_what_is_written(bank):
    server, url = bank
    for paid, mode in enumerate(REVISIONS):
        for action, is_refused in (("decline", True), ("accept", False)):
            asked = []
            called = asyncio.run(pay_by_tool(f"http://127.0.0.1:{server.port}/mcp", mode, asked, action))
            assert called.is_error == is_refused, called.content
            assert f'update public.accounts name "ada": balance "{1000 - 5 * paid}" to "{995 - 5 * paid}"' in asked[0]
            assert 'insert public.transfers id "<new 1>": amount "5"' in asked[0]
        assert rows_of(url, "select count(*) from transfers") == [(paid + 1,)]


class Writer:
    """Someone who previews transfers and payments, agrees, and writes what was shown, again if the server is gone."""

    def __init__(self, server, name, number):
        self._server, self._name, self._random = server, name, random.Random(number)
        self.statuses, self.written = Counter(), set()

    def write_until(self, over):
        while not over.is_set():
            source, target = self._random.sample(sorted(ACCOUNTS), 2)
            note, path = str(uuid4()), self._random.choice(["/transfers", "/payments"])
            body = {"note": note, "source": source, "target": target, "amount": self._random.randint(1, 20)}
            seen = self._send("POST", "/.preview", {"method": "POST", "target": path, "body": body})
            if seen.status != 200:
                continue
            shown = json.loads(seen.body)
            if "agreement" in shown:
                self._send("POST", shown["agreement"], {})
            if self._send("POST", path, body, shown["if-changes"]).status == 200:
                self.written.add(note)

    def _send(self, method, target, body, digest=""):
        fields = [("Authorization", f"Bearer of-{self._name}"), ("Content-Type", "application/json"), ("X-Person", "y")]
        request = SentRequest(method, target, (*fields, ("If-Changes", digest))[: 4 if digest else 3],
                              json.dumps(body, separators=(",", ":")).encode())  # fmt: skip

        def attempt():
            with suppress(Closed, OSError):
                response = self._server.respond(request)
                self.statuses[response.status] += 1
                return response
            self.statuses["cut off"] += 1
            return None

        return eventually(attempt, "there is no response", 60)


def workers_of(server):
    pid = server._process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_balances_are_exact_while_workers_are_killed(bank):
    server, url = bank
    over, chance = Event(), random.Random(1)
    writers = [Writer(server, name, number) for number, name in enumerate(("ann", "bob", "cy"))]
    with ThreadPoolExecutor(len(writers)) as threads:
        working = [threads.submit(each.write_until, over) for each in writers]
        try:
            for _ in range(KILLS):
                more = sum(len(each.written) for each in writers) + 5
                eventually(lambda more=more: sum(len(each.written) for each in writers) >= more or None, "none", 60)
                time.sleep(chance.uniform(0, 0.05))
                workers = eventually(lambda: (len(found := workers_of(server)) > 1 and found) or None, "no worker", 60)
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
        finally:
            over.set()
        for each in working:
            each.result()
    statuses = sum((each.statuses for each in writers), Counter())
    told = {note for each in writers for note in each.written}
    rows = rows_of(url, "select note, source, target, amount from transfers")
    notes = Counter(row[0] for row in rows)
    assert (told - notes.keys(), {note for note, number in notes.items() if number > 1}) == (set(), set())
    expected = Counter(ACCOUNTS)
    for _, source, target, amount in rows:
        expected[source] -= amount
        expected[target] += amount
    assert dict(rows_of(url, "select name, balance from accounts")) == dict(expected)
    assert rows_of(url, "select count(*) from antiphon_ledger.guard") == [(0,)]
    assert 500 not in statuses, statuses
    noted = "select count(*) from antiphon_ledger.request where kind = 'write' and is_closed"
    assert rows_of(url, noted) == [(len(rows),)]
