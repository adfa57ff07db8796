"""Durable requests in SQLite, by a newer SQLite than Python's if that is too old for DBOS."""

import time
from contextlib import suppress

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.databases import rows_of
from tests.helpers.small_disks import small_file_system
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


def test_a_full_disk_holds_work_up_and_loses_none_of_it(monkeypatch, tmp_path):
    """What has begun goes on once there is room, without its client, as does what a client sends again."""

    def sent(key):
        return SentRequest("POST", "/orders?slow=3", (("Idempotency-Key", f'"{key}"'),), b"")

    with small_file_system("tmpfs", tmp_path) as disk:
        monkeypatch.setenv("DURABLE", str(disk / "shop.db"))
        with ServerProcess(RUN, APP) as server, server.connect() as connection:
            connection.send(sent("k1").encoded)
            eventually(lambda: recorded(disk) or None, "no step is recorded", 60)
            with suppress(OSError), open(disk / "full", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(512))
            assert server.respond(sent("k2")).status == 503
            time.sleep(4)  # the next step fails in the meantime
            (disk / "full").unlink()
            assert connection.receive("POST").status in (201, 202), server.stderr
            for key in "k1", "k2":
                eventually(lambda: server.respond(sent(key)).status == 201 or None, "it is not finished", 60)  # noqa: B023
            eventually(lambda: len(effects(disk)) == 6 or None, "it is not finished", 60)
        assert sorted(effects(disk)) == ["charged", "charged", "mailed", "mailed", "thanked", "thanked"]


def recorded(folder):
    return rows_of(str(folder / "shop.db"), "select count(*) from operation_outputs")[0][0] if effects(folder) else 0


def effects(folder):
    file = folder / "effects"
    return file.read_text().split() if file.exists() else []
