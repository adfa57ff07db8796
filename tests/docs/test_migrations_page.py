"""The page on migrations: its files migrate a database once, also for tests, and if processes race or are killed."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

PAGE = (Path(__file__).parents[2] / "docs/how-to/migrations.md").read_text()
FILES = dict(re.findall(r'^```\w+ title="(.+?)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
FIRST = "migrations/versions/0001_create_orders.py"
TRY = """
import shop
from antiphon.testing import Client

with Client(shop.app) as client:
    print(client.get("/orders").json)
"""
SLOW = """
    (pathlib.Path("ran") / str(os.getpid())).touch()
    while pathlib.Path("halt").exists():
        time.sleep(0.01)
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path
    (tmp_path / "halt").unlink(missing_ok=True)  # a process that still waits for it ends


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": "sqlite:///shop.db"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process):
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def alembic(folder, *arguments):
    return start(folder, "-m", "alembic", *arguments)


def rows(folder, query):
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        return database.execute(query).fetchall()


def test_an_app_starts_only_when_the_database_has_all_migrations(folder):
    code, said = end(start(folder, "-c", TRY))
    assert (code, "Run: alembic upgrade head" in said) == (1, True), said
    processes = [alembic(folder, "upgrade", "head") for _ in range(2)]
    assert [code for code, _ in map(end, processes)] == [0, 0]
    assert rows(folder, "select version_num from alembic_version") == [("0001",)]
    tried, checked = map(end, [start(folder, "-c", TRY), alembic(folder, "check")])
    assert tried == (0, "[]\n")
    assert checked[0] == 0, checked


def test_the_second_waits_for_the_first_and_takes_over_from_one_that_is_killed(folder):
    """Migrations note their process, and the first of them halts with its table half made."""
    (folder / "ran").mkdir()
    (folder / "halt").touch()
    text = "import os, pathlib, time\n" + FILES[FIRST].replace("\n\ndef downgrade", f"{SLOW}\ndef downgrade")
    (folder / FIRST).write_text(text)
    ran = folder / "ran"
    first = alembic(folder, "upgrade", "head")
    eventually(lambda: any(ran.iterdir()) or None, "the first migrates")
    second = alembic(folder, "upgrade", "head")
    first.send_signal(signal.SIGKILL)
    assert end(first)[0] == -signal.SIGKILL
    eventually(lambda: len(list(ran.iterdir())) == 2 or None, "the second migrates")
    third = alembic(folder, "upgrade", "head")
    (folder / "halt").unlink()
    assert [code for code, _ in map(end, (second, third))] == [0, 0]
    assert {path.name for path in ran.iterdir()} == {str(first.pid), str(second.pid)}
    assert rows(folder, "select name from sqlite_master where name = 'orders'") == [("orders",)]


def test_the_tests_of_the_page_begin_with_a_migrated_database(folder):
    command = ["-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}"]
    code, said = end(start(folder, *command, "test_shop.py"))
    assert (code, "1 passed" in said) == (0, True), said
    assert not (folder / "shop.db").exists()


def test_the_command_of_the_container_becomes_the_server(folder):
    """The shell's process answers, and ends when it gets SIGTERM, as the first process of a container must."""
    command = re.search(r'CMD \["sh", "-c", "(.*?)"\]', PAGE)[1]
    programs = Path(sys.executable).parent
    shell = subprocess.Popen(
        ["sh", "-c", f"{command} --port 0".replace("0.0.0.0", "127.0.0.1")],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": "sqlite:///shop.db", "PATH": f"{programs}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ""
        while "http://" not in said:
            line = shell.stdout.readline()
            assert line, said
            said += line
        shell.terminate()
        rest, _ = shell.communicate(timeout=60)
    finally:
        shell.kill()
    assert shell.returncode == 0, said + rest
