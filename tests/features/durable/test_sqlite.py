"""Durable requests in SQLite, by a newer SQLite than Python's if that is too old for DBOS."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.databases import rows_of
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes
pytest.importorskip("pysqlite3")

RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", "2")
APP = "tests.helpers.served.durable_in_sqlite:app"


def test_a_killed_process_is_replaced_by_a_later_one(monkeypatch, tmp_path):
    monkeypatch.setenv("DURABLE", str(tmp_path / "shop.db"))
    request = SentRequest("POST", "/orders?slow=4", (("Idempotency-Key", '"k1"'),), b"")
    with ServerProcess(RUN, APP) as server, server.connect() as connection:
        connection.send(request.encoded)
        eventually(lambda: recorded(tmp_path) or None, "no step is recorded", 60)
        server.kill()
    with ServerProcess(RUN, APP) as server:
        eventually(lambda: len(effects(tmp_path)) == 3 or None, "it is not finished", 60)
        again = [server.respond(request) for _ in range(2)]
    assert {(each.status, each.body) for each in again} == {(201, b"Thank you.")}
    assert effects(tmp_path) == ["charged", "mailed", "thanked"]


def recorded(folder):
    return rows_of(str(folder / "shop.db"), "select count(*) from operation_outputs")[0][0] if effects(folder) else 0


def effects(folder):
    file = folder / "effects"
    return file.read_text().split() if file.exists() else []
