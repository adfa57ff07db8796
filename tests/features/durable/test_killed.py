"""Durable requests whose process is killed: they are finished without the client, each step once."""

import os
import re
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.postgres import PostgresServer, execute
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[3]
APP = "tests.helpers.served.durable_orders:app"
TRIED = re.compile("durable_orders:thank has failed, and is tried again, id ([0-9a-f]+): Conn")
MAILING = "select pid from pg_stat_activity where application_name = 'mail'"


def run(workers=1, interface=()):
    return ("-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", str(workers), *interface)


@pytest.fixture
def url(postgres, monkeypatch):
    execute(postgres, "create table effects (what text, key text, process int)")
    monkeypatch.setenv("DURABLE", postgres)
    return postgres


def post(path, key, **fields):
    return SentRequest("POST", path, (("Idempotency-Key", f'"{key}"'),), b"")


def effects(url, key):
    return execute(url, "select what, process from effects where key = %s", key)


def until(url, key, count, deadline=60):
    """Wait until there are so many effects."""
    return eventually(lambda: found if len(found := effects(url, key)) >= count else None, "no effect", deadline)


def until_recorded(url, steps):
    """Wait until so many steps are recorded: before that, a killed process leaves its step to be carried out again."""
    counting = "select count(*) from dbos.operation_outputs where function_name = 'note'"

    def look():
        with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return execute(url, counting)[0][0] >= steps or None

    eventually(look, "no step is recorded", 60)


def send(server, request):
    """Send a request without waiting for its response."""
    connection = server.connect()
    connection.send(request.encoded)
    return connection


@pytest.mark.axes("interface")
@pytest.mark.parametrize("path", ["/orders", "/waits"])
def test_a_killed_process_is_replaced_by_a_later_one(url, interface, path):
    command = run(interface=("--interface", interface))
    with ServerProcess(command, APP) as server, send(server, post(f"{path}?slow=5", "k1")):
        until_recorded(url, 1)
        server.kill()
    with ServerProcess(command, APP) as server:
        until(url, "k1", 2)
        again = [server.respond(post(f"{path}?slow=5", "k1")) for _ in range(2)]
        assert [(each.status, each.body) for each in again] == [(201, b'{"order":"k1"}')] * 2
        assert server.respond(post(f"{path}?slow=6", "k1")).status == 422
    assert [what for what, _ in effects(url, "k1")] == ["charged", "mailed"]


@pytest.mark.parametrize("is_killed", [False, True], ids=["alive", "killed"])
def test_a_step_that_meets_a_restart_of_the_database_is_carried_out_again(request, monkeypatch, is_killed):
    """Without the client, once: its connection is lost, while what is recorded of it finds the database again."""
    with PostgresServer(request.getfixturevalue("postgres-server")) as database:
        url = database.database()
        execute(url, "create table effects (what text, key text, process int)")
        monkeypatch.setenv("DURABLE", url)
        with ServerProcess(run(), APP) as server, send(server, post("/orders?slow=4", "k1")) as connection:
            eventually(lambda: execute(url, MAILING) or None, "the step has not begun", 60)
            database.restart()
            if is_killed:
                server.kill()
            else:
                assert connection.receive("POST").status == 201, server.stderr
        if is_killed:
            with ServerProcess(run(), APP) as server:
                until(url, "k1", 2)
                assert server.respond(post("/orders?slow=4", "k1")).status == 201
        assert [what for what, _ in effects(url, "k1")] == ["charged", "mailed"]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return {int(each) for each in file.read().split()}


@pytest.mark.parametrize("whose", ["busy", "idle"])
def test_a_killed_worker_and_its_living_sibling(url, whose):
    with ServerProcess(run(workers=2), APP) as server:
        with send(server, post("/orders?slow=8", "k1")) as connection:
            until_recorded(url, 1)
            [(_, busy)] = effects(url, "k1")
            executors = "select count(*) from dbos.antiphon_executors"
            eventually(lambda: execute(url, executors)[0][0] == 2 or None, "a worker has not started", 60)
            time.sleep(1)  # a server ends if a worker ends before it has served
            idle = children(server.pid) - {busy}
            os.kill(busy if whose == "busy" else idle.pop(), signal.SIGKILL)
            until(url, "k1", 2)
            if whose == "idle":
                assert connection.receive("POST").status == 201, server.stderr
        time.sleep(8)  # longer than a lease: nobody takes up what is done, or what a living one does
    assert [what for what, _ in effects(url, "k1")] == ["charged", "mailed"]


def test_another_machine_finishes_what_one_has_begun_within_the_lease(url, monkeypatch, tmp_path):
    """Two groups of processes in two folders: one is killed for good."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", "") + os.pathsep + str(ROOT))
    with ServerProcess(run(), APP) as gone, ServerProcess(run(), APP) as other:
        time.sleep(6)  # the other has seen a lease of its neighbours
        connections = [send(gone, post("/waits?slow=2", f"k{number}")) for number in range(20)]
        until_recorded(url, 20)
        gone.kill()
        for number in range(20):
            until(url, f"k{number}", 2)
        responses = [other.respond(post("/waits?slow=2", f"k{number}")) for number in range(20)]
        for connection in connections:
            connection.close()
    assert {response.status for response in responses} == {201}
    counted = Counter(execute(url, "select what, key from effects"))
    assert len(counted) == 40
    assert {*counted.values()} == {1}


def test_a_job_is_committed_with_the_request_and_done_by_a_later_process(url):
    """The process is killed before the outbox is looked at: at the commit."""
    with ServerProcess(run(), APP) as server:
        assert server.respond(SentRequest("POST", "/thanks?key=t1", (), b"")).status == 201
        assert server.respond(SentRequest("POST", "/thanks?key=t2&fail=1", (), b"")).status == 500
        server.kill()
    with ServerProcess(run(), APP):
        until(url, "t1", 2)
    assert sorted(what for what, _ in effects(url, "t1")) == ["ordered", "thanked"]
    assert effects(url, "t2") == []


def test_a_job_whose_process_is_killed_between_two_attempts_is_done_once(url, monkeypatch, tmp_path):
    """Each process tries it again, and `antiphon jobs` tells its state."""
    (is_down := tmp_path / "mail is down").touch()
    monkeypatch.setenv("MAIL_IS_DOWN", str(is_down))
    monkeypatch.delitem(sys.modules, APP.partition(":")[0], raising=False)  # that of another database

    def tried(server):
        return eventually(lambda: TRIED.findall(server.stderr) or None, "it is not tried again", 60)

    def ids(state):
        listed = CliRunner().invoke(main, ["jobs", "list", "--state", state, APP], catch_exceptions=False).output
        return [line.split()[-1] for line in listed.splitlines() if ":thank " in line]

    with ServerProcess(run(), APP) as server:
        assert server.respond(SentRequest("POST", "/thanks?key=t1", (), b"")).status == 201
        id_ = tried(server)[0]
        assert ids("open") == [id_]
        server.kill()
    assert ids("open") == [id_]
    with ServerProcess(run(workers=2), APP) as server:
        assert {*tried(server)} == {id_}
        is_down.unlink()
        eventually(lambda: ids("finished") == [id_] or None, "it is not finished", 60)
    assert [ids(state) for state in ("open", "queued", "failed")] == [[], [], []]
    assert sorted(what for what, _ in effects(url, "t1")) == ["ordered", "thanked"]


@pytest.mark.parametrize(
    ("version", "status", "done"),
    [("2", 201, ["charged", "mailed", "checked"]), ("3", 500, ["charged"])],
    ids=["a step after those that were recorded", "a step before them"],
)
def test_a_deploy_while_a_request_is_open(url, monkeypatch, version, status, done):
    """New code gets the results of the steps that the code before has done, or an error if it takes other steps."""
    with ServerProcess(run(), APP) as server, send(server, post("/orders?slow=5", "k1")):
        until_recorded(url, 1)
        server.kill()
    monkeypatch.setenv("VERSION", version)
    with ServerProcess(run(), APP) as server:
        response = server.respond(post("/orders?slow=5", "k1"))
        while response.status == 202:
            response = server.respond(post("/orders?slow=5", "k1"))
        assert response.status == status
        assert (b"changed" in response.body) is False
        assert ("DBOSUnexpectedStepError" in server.stderr or "recorded" in server.stderr) is (status == 500)
    assert [what for what, _ in effects(url, "k1")] == done
