"""What is special about the store in a file."""

import logging
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from threading import Thread

import pytest

from antiphon.features import SQLiteStore, StoreUnavailable
from antiphon.features.stores import encode
from antiphon.features.stores.sqlite_connections import Connections
from tests.helpers import zygote
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

LONG = 10_000.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def opened(path):
    with closing(SQLiteStore(path, timeout=0.2)) as store:
        yield store


def query(path, statement, *values):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        return database.execute(statement, values).fetchall()


@rows("path", [":memory:", "", "/nowhere/at/all/store.db"])
def test_a_path_is_that_of_a_file_in_a_folder(path):
    with pytest.raises(ValueError, match="SQLiteStore"):
        SQLiteStore(path)


def modes(folder):
    """Return the names of the files in a folder, with their modes."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def three(name, mode):
    """Return a file with the log and the index that SQLite puts beside it."""
    return dict.fromkeys([name, f"{name}-wal", f"{name}-shm"], mode)


@rows("name", ["store.db", "a b?mode=ro#%41&.db", "ä\udcff.db"])
def test_the_file_is_made_on_first_use_for_this_user_only(tmp_path, name):
    with closing(SQLiteStore(tmp_path / name)) as store:
        assert modes(tmp_path) == {}
        store.change("key", {}, ttl=LONG)
        assert modes(tmp_path) == three(name, 0o600)
        assert store.load("key")


def test_a_file_that_is_there_keeps_its_mode(path, opened):
    path.touch()
    path.chmod(0o660)
    opened.change("key", {}, ttl=LONG)
    assert modes(path.parent) == three("store.db", 0o660)


def test_a_path_with_a_nul_is_a_value_error(tmp_path):
    with pytest.raises(ValueError, match="null"):
        SQLiteStore(f"{tmp_path}/store.db\0.txt").load("key")


def test_the_file_has_no_key_that_can_be_used(path, opened):
    opened.change("the key of Ann", {}, ttl=LONG, owner="Ann")
    opened.increment("the key of Ann", ttl=LONG)
    assert not any(b"the key of Ann" in file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize("stored", [b"\x02whatever it may be", b"", encode({"a": 1})[:-1], encode({"a": 1}) + b"\0"])
def test_what_a_later_release_wrote_or_nobody_is_absent_and_logged(path, opened, caplog, stored):
    opened.change("key", {"a": 1}, ttl=LONG, owner="Ann")
    query(path, "update entries set data = ?", stored)
    with caplog.at_level(logging.WARNING):
        assert opened.load("key") is None
    assert caplog.messages
    assert opened.owned_by("Ann") == []
    assert opened.rotate("key", "new") is None
    assert opened.change("key", {}, ttl=LONG, create=False) is None
    assert opened.add("key", {"b": 2}, ttl=LONG) is None
    with pytest.raises(StoreUnavailable):
        opened.change("key", {"b": 2}, ttl=LONG)
    assert query(path, "select data from entries") == [(stored,)]
    opened.add("spent\0key", {}, ttl=LONG)
    query(path, "update entries set data = ?", stored)
    assert opened.add("spent\0key", {}, ttl=LONG) is None
    with pytest.raises(StoreUnavailable):
        opened.load("spent\0key")
    assert re.search("of the kind spent, which .*: requests that need it get a 503", caplog.text)


def test_what_is_expired_is_deleted_bit_by_bit(path):
    now = [0.0]
    with closing(SQLiteStore(path, clock=lambda: now[0])) as store:
        for number in range(200):
            store.change(f"entry {number}", {}, ttl=10)
            store.increment(f"counter {number}", ttl=10)
        now[0] = 20.0
        for _ in range(150):
            store.increment("counter", ttl=1000)
    assert query(path, "select (select count(*) from entries), (select count(*) from counters)") == [(0, 1)]


def test_others_who_write_for_too_long_are_a_503(path, opened, caplog):
    opened.change("key", {"a": 1}, ttl=LONG)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreUnavailable) as raised:
            opened.change("key", {"a": 2}, ttl=LONG)
        assert opened.load("key").data == {"a": 1}  # who reads needs to wait for nobody
        other.execute("rollback")
    assert raised.value.status == 503
    assert raised.value.headers["retry-after"] == "2"
    assert str(path) in caplog.text
    assert str(path) not in str(raised.value.problem())
    assert opened.change("key", {"a": 3}, ttl=LONG).data == {"a": 3}


def test_a_file_that_is_none_of_sqlite_is_a_503_until_it_is_gone(path, opened):
    path.write_bytes(b"This is no database." * 100)
    with pytest.raises(StoreUnavailable):
        opened.load("key")
    path.unlink()
    assert opened.change("key", {"a": 1}, ttl=LONG)


def test_a_change_that_fails_changes_nothing_and_holds_nobody_up(opened):
    def fail_half_way():
        with opened._writing() as rows:
            rows.remove(rows.of_owner("Ann")[0][0])
            assert rows.of_owner("Ann") == []
            raise KeyboardInterrupt

    opened.change("key", {"a": 1}, ttl=LONG, owner="Ann")
    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert opened.change("key", {"b": 2}, ttl=LONG).data == {"a": 1, "b": 2}


def test_a_store_goes_on_after_it_was_closed(opened):
    opened.change("key", {"a": 1}, ttl=LONG)
    opened.close()
    assert opened.load("key").data == {"a": 1}


WRITER = """
import sys
from antiphon.features import SQLiteStore

store = SQLiteStore(sys.argv[1])
for number in range(10**9):
    entry = store.change("key", {"a": number, "b": number, "text": "x" * (number % 5000)}, ttl=10_000, owner="Ann")
    print(number, flush=True)
"""


@pytest.mark.processes
@pytest.mark.parametrize("after", [1, 40, 400])
def test_kill_9_in_the_midst_of_writing_leaves_the_file_whole_and_all_that_was_written(path, opened, after):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
    for _ in range(after):
        last = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    last = [last, *map(int, writer.stdout.read().split(b"\n")[:-1])][-1]
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    assert query(path, "pragma integrity_check") == [("ok",)]
    data = opened.load("key").data
    assert data["a"] == data["b"] >= last
    assert len(data["text"]) == data["a"] % 5000
    assert [entry.data for entry in opened.owned_by("Ann")] == [data]
    assert opened.change("key", {"a": "on"}, ttl=LONG).data["a"] == "on"


@pytest.mark.processes
def test_a_forked_process_has_connections_of_its_own(path):
    code = """
import os, sys
from antiphon.features import SQLiteStore

store = SQLiteStore(sys.argv[1])
store.change("key", {"parent": 1}, ttl=10_000)
child = os.fork()
if not child:
    assert not store._connections.idle
    store.change("key", {"child": 1}, ttl=10_000)
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print(store.load("key").data)
store.close()
"""
    done = zygote.run("-W", "error", "-c", code, os.fspath(path))
    assert (done.stdout, done.stderr) == ("{'parent': 1, 'child': 1}\n", "")


def test_a_connection_that_is_discarded_is_waited_for_no_more(path):
    connections = Connections(path, "")
    lent = connections.take(1)
    waiting = Thread(target=connections.hold, args=(3600,), daemon=True)
    waiting.start()
    eventually(lambda: connections._is_held or None, "not held")
    connections.discard(lent)
    waiting.join(20)
    assert not waiting.is_alive()


def test_connections_that_came_with_a_fork_in_c_are_neither_used_nor_closed(opened):
    opened.change("key", {"a": 1}, ttl=LONG)
    inherited = opened._connections
    inherited.pid = -1
    assert opened.change("key", {"b": 2}, ttl=LONG).data == {"a": 1, "b": 2}
    [connection] = inherited.idle
    connection.execute("select 1")
    connection.close()
