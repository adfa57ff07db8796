"""A file that is removed, moved or replaced while it is open."""

import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from antiphon.features import SQLiteStore, StoreUnavailable
from antiphon.features.stores import sqlite_connections
from tests.helpers.two_connections import HeldClock
from tests.helpers.waiting import DEADLINE

LONG = 10_000.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def opened(path, clock):
    """A store with an entry, and two connections."""
    with closing(SQLiteStore(path, clock=clock, timeout=0.2)) as store:
        store.change("key", {"a": 1}, ttl=LONG)
        clock.use_at_once(store, store)
        yield store


@pytest.fixture
def pass_a_second(monkeypatch):
    """Let a second pass on the clock by which stores look for their files."""
    passed = [0.0]
    monkeypatch.setattr(sqlite_connections, "monotonic", lambda: time.monotonic() + passed[0])

    def pass_a_second():
        passed[0] += 1.0

    return pass_a_second


def remove(path):
    path.unlink()


def remove_all(path):
    for file in path.parent.glob("store.db*"):
        file.unlink()


def move(path):
    path.rename(path.with_name("moved.db"))


def replace(path):
    """Put another store there, as of a backup."""
    other = path.with_name("other.db")
    with closing(SQLiteStore(other)) as store:
        store.change("key", {"a": "other"}, ttl=LONG)
    other.replace(path)


def replace_by_one_in_use(path):
    """Put another store there, which is in use with a log of its own."""
    remove_all(path)
    code = "import os, sys; from antiphon.features import SQLiteStore\n"
    code += "SQLiteStore(sys.argv[1]).change('key', {'a': 'other'}, ttl=1000); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, path], check=True)


def whole(path):
    """Return the data under "key", and "new", of a file that is whole, as another connection reads them."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    with closing(SQLiteStore(path)) as store:
        return [(entry := store.load(key)) and entry.data for key in ("key", "new")]


@pytest.mark.parametrize(
    ("change", "found", "what"),
    [
        (remove, None, "store.db was removed"),
        (remove_all, None, "store.db was removed"),
        (move, None, "store.db was removed"),
        (replace, {"a": "other"}, "store.db was replaced"),
        pytest.param(replace_by_one_in_use, {"a": "other"}, "store.db was replaced", marks=[pytest.mark.processes]),
    ],
)
def test_another_file_at_the_path_is_used_after_a_second_at_most(
    path, opened, pass_a_second, caplog, change, found, what
):
    change(path)
    assert not caplog.messages
    pass_a_second()
    assert opened.change("new", {"b": 2}, ttl=LONG).data == {"b": 2}
    entry = opened.load("key")
    assert (entry and entry.data) == found
    [message] = caplog.messages
    assert what in message
    assert "Stop all processes that use a store before you touch its files" in message
    assert path.stat().st_mode & 0o777 == 0o600
    opened.close()
    assert whole(path) == [found, {"b": 2}]
    assert not path.with_name("moved.db-wal").exists()


def test_a_file_that_is_moved_away_has_all_that_was_written(path, opened, pass_a_second):
    move(path)
    opened.change("new", {"late": True}, ttl=LONG)
    pass_a_second()
    assert opened.load("new") is None
    assert whole(path.with_name("moved.db")) == [{"a": 1}, {"late": True}]


def test_a_log_that_is_removed_is_written_to_the_file_if_nobody_else_has_it(path, opened, pass_a_second, caplog):
    path.with_name("store.db-wal").unlink()
    pass_a_second()
    assert opened.change("new", {"b": 2}, ttl=LONG)
    assert "store.db-wal was removed while it was open" in caplog.text
    opened.close()
    assert whole(path) == [{"a": 1}, {"b": 2}]


def test_a_new_connection_is_never_one_to_another_file(path, clock, caplog):
    """Both would use one index of the log, which the new one cuts off while the other one reads from it."""
    with closing(SQLiteStore(path, clock=clock, timeout=30)) as store, ThreadPoolExecutor(2) as threads:
        store.change("key", {"a": 1}, ttl=LONG)
        writing = clock.hold(threads.submit, store.change, "key", {"a": 2}, ttl=LONG)
        remove(path)
        reading = threads.submit(store.load, "key")
        clock.go_on()
        assert writing.result(DEADLINE).data == {"a": 2}
        assert reading.result(DEADLINE) is None
    assert "store.db was removed" in caplog.text


def test_those_who_wait_too_long_for_users_of_the_other_file_are_a_503(path, clock, caplog):
    with closing(SQLiteStore(path, clock=clock, timeout=0.05)) as store, ThreadPoolExecutor(1) as threads:
        store.change("key", {"a": 1}, ttl=LONG)
        writing = clock.hold(threads.submit, store.change, "key", {"a": 2}, ttl=LONG)
        remove(path)
        with pytest.raises(StoreUnavailable):
            store.load("key")
        assert "others still use the previous file" in caplog.text
        clock.go_on()
        writing.result(DEADLINE)
        assert store.load("key") is None


USER = """
import json, sys
from antiphon.features import SQLiteStore
from antiphon.features.stores import sqlite_connections

sqlite_connections.LOOK_EVERY = 0.0
store = SQLiteStore(sys.argv[1])
for line in sys.stdin:
    store.change(line.strip(), {"by": "user"}, ttl=1000)
    print(json.dumps(sorted(store.load(key).data["by"] for key in sys.argv[2:] if store.load(key))), flush=True)
store.close()
"""


@pytest.mark.processes
def test_processes_meet_again_in_the_new_file(path, opened, pass_a_second):
    command = [sys.executable, "-c", USER, path, "ours", "theirs"]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:

        def use(key):
            user.stdin.write(f"{key}\n")
            user.stdin.flush()
            return json.loads(user.stdout.readline())

        assert use("theirs") == ["user"]
        remove(path)
        pass_a_second()
        opened.change("ours", {"by": "us"}, ttl=LONG)
        assert use("theirs") == ["us", "user"]
        assert opened.load("theirs").data == {"by": "user"}
        user.stdin.close()
        assert user.wait(DEADLINE) == 0
    opened.change("new", {"b": 2}, ttl=LONG)
    assert whole(path) == [None, {"b": 2}]
