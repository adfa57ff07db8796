"""Files that can't be written, or not even read: a full disk, and a user without the right to do so."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from antiphon import App
from antiphon.features import Sessions, SQLiteStore, StoreUnavailable
from antiphon.testing import Client
from tests.features.stores.unprivileged import NOBODY
from tests.helpers.processes import UNMEASURED
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_file_system

pytestmark = pytest.mark.axes("interface")

LONG = 10_000.0


@pytest.fixture
def disk(tmp_path):
    with small_file_system("tmpfs", tmp_path) as folder:
        yield folder


def fill(path):
    """Write a file until the disk is full."""
    with open(path, "wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def visit(client, name):
    """Return the status of a page, with the session that has been begun."""
    return client.get(f"/{name}").status


@pytest.mark.processes
def test_a_full_disk_is_a_503_for_those_who_write_until_there_is_room(disk, interface, caplog):
    path = disk / "store.db"
    app, store = App(), SQLiteStore(path, timeout=0.2)
    app.use(Sessions(store))
    app.get("/plain")(lambda request: "plain")
    app.get("/read")(lambda request: {"names": [*request.session]})

    @app.get("/write/<name>")
    def write(request, name):
        request.session[name] = "x" * 2000
        return "written"

    with closing(store), Client(app, interface) as client:
        assert visit(client, "write/first") == 200
        fill(disk / "filler")
        written = ["first"]
        while visit(client, f"write/n{len(written)}") == 200:
            written.append(f"n{len(written)}")
        assert [visit(client, page) for page in ("plain", "read", "write/again")] == [200, 200, 503]
        assert client.get("/read").json == {"names": written}
        assert f"{path} is not available: database or disk is full (SQLITE_FULL)" in caplog.text
        with pytest.raises(StoreUnavailable):
            store.change("large", {"text": "x" * 9000}, ttl=LONG)
        os.unlink(disk / "filler")
        assert visit(client, "write/last") == 200
        assert client.get("/read").json == {"names": [*written, "last"]}
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]


@pytest.mark.processes
def test_a_disk_that_is_full_before_the_file_is_made_is_a_503(disk):
    fill(disk / "filler")
    with closing(SQLiteStore(disk / "store.db", timeout=0.2)) as store:
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.change("key", {}, ttl=LONG)
        os.unlink(disk / "filler")
        assert store.change("key", {"a": 1}, ttl=LONG).data == {"a": 1}
        assert {file.stat().st_mode & 0o777 for file in disk.iterdir()} == {0o600}


RIGHTS = "This user needs write permission for the file and its folder"


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@rows(
    "folder_mode, file_mode, is_open, statuses, reason",
    (0o555, None, False, [200, 503, 503], "Permission denied"),
    (0o555, 0o600, False, [200, 503, 503], "SQLITE_CANTOPEN"),
    (0o777, 0o600, False, [200, 503, 503], "SQLITE_CANTOPEN"),
    (0o777, 0o444, False, [200, 200, 503], "SQLITE_READONLY"),
    (0o555, 0o644, True, [200, 200, 503], "SQLITE_READONLY"),
    ids=["folder", "file in it", "file", "read-only file", "file of others who use it"],
)
def test_without_rights_the_store_is_a_503_until_they_are_there(
    tmp_path, folder_mode, file_mode, is_open, statuses, reason
):
    with tempfile.TemporaryDirectory(dir="/tmp") as name, closing(SQLiteStore(f"{name}/store.db")) as store:
        folder = Path(name)
        if file_mode is not None:
            store.change("key", {"a": 1}, ttl=LONG)
            store.close()
            os.chmod(folder / "store.db", file_mode)
        if is_open:
            store.load("key")
        os.chmod(folder, folder_mode)
        command = [sys.executable, "-m", "tests.features.stores.unprivileged", folder / "store.db", tmp_path / "other"]
        user = subprocess.Popen(
            command, env=UNMEASURED, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert json.loads(user.stdout.readline()) == statuses
        store.close()
        for path in [folder, *folder.iterdir()]:
            os.chown(path, NOBODY, NOBODY)
            os.chmod(path, 0o700)
        out, log = user.communicate("\n", timeout=30)
        assert json.loads(out) == [200, 200, 200]
        assert f"{folder}/store.db is not available: " in log
        assert reason in log
        assert RIGHTS in log
        assert file_mode is None or store.load("key").data == {"a": 1}
