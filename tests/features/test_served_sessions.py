"""Sessions in the workers of a server that forks, of which one is killed."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from antiphon.http import SetCookie
from tests.contract.process import ServerProcess
from tests.contract.wire import Closed, SentRequest

pytestmark = [pytest.mark.once, pytest.mark.processes]

GUNICORN = "-m", "gunicorn", "{app}", "--preload", "--workers", "3", "--bind", "127.0.0.1:{port}"


def test_workers_share_them_and_lose_nothing_when_one_is_killed(tmp_path, monkeypatch):
    path = tmp_path / "sessions.db"
    monkeypatch.setenv("STORE", str(path))
    with ServerProcess(GUNICORN, "tests.helpers.served.visits:app") as server:
        cookie = SetCookie.parse(dict(server.respond(SentRequest("GET", "/visit/first")).fields)["set-cookie"]).pair

        def visit(name, what="visit"):
            return server.respond(SentRequest("GET", f"/{what}/{name}", [("Cookie", cookie)])).body

        with ThreadPoolExecutor(30) as threads:
            [*threads.map(visit, [f"n{number}" for number in range(30)])]
        with pytest.raises(Closed):
            visit("killed", "die")
        found = json.loads(visit("last"))
    assert found.keys() == {"first", "last", *(f"n{number}" for number in range(30))}
    assert len({*found.values()}) > 1
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
