"""A file that several threads of a process use, while other processes use it, and end as they should."""

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from antiphon.features import SQLiteStore
from tests.helpers import zygote
from tests.helpers.rows import rows
from tests.helpers.two_connections import HeldClock

pytestmark = pytest.mark.processes

LONG = 10_000.0
KEYS = [f"key {number}" for number in range(5)]
LOOK = """
import json, sys
from antiphon.features import SQLiteStore

store = SQLiteStore(sys.argv[1])
found = [store.load(key) for key in sys.argv[2:]]
store.close()
print(json.dumps([entry and entry.data for entry in found]))
"""


def seen_by_another_process(path, *keys):
    """Return the data that a new process finds, which closes the file as it should, and ends."""
    return json.loads(zygote.run("-c", LOOK, os.fspath(path), *keys).stdout)


@rows("kind", ["one store", "two stores", "a store by a link"])
def test_no_write_is_lost_when_another_process_looks_and_ends(tmp_path, kind):
    path, clock = tmp_path / "store.db", HeldClock()
    (tmp_path / "link.db").symlink_to(path)
    with closing(SQLiteStore(path, clock=clock)) as store:
        store.change("key 0", {}, ttl=LONG)
        reader = store if kind == "one store" else SQLiteStore(path.with_name("link.db") if "link" in kind else path)
        clock.use_at_once(store, reader)
        assert seen_by_another_process(path, "key 0") == [{}]
        for number, key in enumerate(KEYS):
            store.change(key, {"a": number}, ttl=LONG)
        assert seen_by_another_process(path, *KEYS) == [{"a": number} for number in range(5)]


def test_nothing_is_lost_by_processes_that_come_and_go(tmp_path):
    path, notes = tmp_path / "store.db", tmp_path / "notes"
    run = zygote.run("-m", "tests.features.stores.hammer", path, notes, "10", "3")
    assert (run.returncode, run.stderr) == (0, "")
    noted = [json.loads(line) for line in notes.read_text().splitlines()]
    claims = Counter(claim for each in noted for claim in each["claims"])
    with closing(SQLiteStore(path)) as store:
        found = {each["name"]: store.load(each["name"]) for each in noted if each["last"]}
        counter = store.increment("all", ttl=LONG, by=0).value
    assert not [each["errors"] for each in noted if each["errors"]]
    assert {name: entry and entry.data["number"] for name, entry in found.items()} == {
        each["name"]: each["last"] for each in noted if each["last"]
    }
    assert counter == sum(each["counted"] for each in noted) > 0
    assert claims
    assert max(claims.values()) == 1
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]


FORKS = """
import os, sys, warnings
from threading import Thread
from antiphon.features import SQLiteStore

def use():
    while not done:
        store.increment("key", ttl=10_000)
        store.load("key")

def inherited():
    return [name for fd in os.listdir("/proc/self/fd") if "store.db" in (name := link(f"/proc/self/fd/{fd}"))]

def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""

warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, of forks in processes of several threads
store = SQLiteStore(sys.argv[1])
done = False
threads = [Thread(target=use, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(20):
    if not (child := os.fork()):
        code = 1 if inherited() else 0
        store.increment("children", ttl=10_000)
        store.close()
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
done = True
for thread in threads:
    thread.join()
store.close()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the system does not list the files of a process")
def test_a_fork_inherits_no_connection_of_threads_that_go_on(tmp_path):
    path = tmp_path / "store.db"
    run = zygote.run("-c", FORKS, path)
    assert (run.returncode, run.stderr) == (0, "")
    with closing(SQLiteStore(path)) as store:
        assert store.increment("children", ttl=LONG, by=0).value == 20
