"""Faults of the database at each statement and commit of the engine: they are never the outcome of the work."""

import math
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import _threads_queues
from functools import partial

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine as AnyEngine
from sqlalchemy.exc import OperationalError

from antiphon import App, Request
from antiphon.features import Durable, IdempotentWrites
from antiphon.features.durable import engine, stored
from antiphon.testing import Client
from tests.helpers.databases import CREATE, DATABASE, KINDS, LIBRARIES, PAY, once
from tests.helpers.django_settings import settings_for_views
from tests.helpers.lossy_proxy import LossyProxy
from tests.helpers.postgres import execute
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes
_error = pytest.importorskip("dbos._error")

KEY = "k" * 32
EFFECTS = []
DURABLE = []
RAISING = "do $$ begin raise exception 'a fault' using errcode = '{}'; end $$"
FAULTS = [
    "do $$ begin perform pg_terminate_backend(pg_backend_pid()); end $$",
    RAISING.format("25006"),  # read-only, after a failover
    RAISING.format("53100"),  # a full disk
    RAISING.format("53300"),  # too many connections
    RAISING.format("58030"),  # an error of input or output
]
each = pytest.mark.parametrize(("at", "most"), [("statement", 45), ("commit", 18), ("reply to a commit", 18)])
ID = re.compile(r"\d\d\d (?:job|ajob)|every \S+ (?:\d+|%)|[0-9a-f]{32}")


def effect(*what):
    EFFECTS.append(what)


def job(name):
    DURABLE[0].step(effect, name, "first")
    DURABLE[0].sleep(0.01)
    if EFFECTS.count((name, "tried")) == 0:
        effect(name, "tried")
        raise ValueError("not yet")
    DURABLE[0].enqueue(effect, name, "enqueued")
    DURABLE[0].step(effect, name, "second")


async def ajob(name):
    await DURABLE[0].astep(effect, name, "first")
    await DURABLE[0].asleep(0.01)
    await DURABLE[0].astep(effect, name, "second")


async def respond(request: Request):
    name = request.args["name"]
    await DURABLE[0].astep(effect, name, "first")
    await DURABLE[0].asleep(0.01)
    await DURABLE[0].astep(effect, name, "second")
    return name, 201


def ticking(name):
    def tick():
        effect(name)

    tick.__qualname__ = name
    return globals().setdefault(name, tick)


class Faults:
    """The nth statement, or commit, with the id of the nth request or job alone fails once, in one of several ways, and
    so does each kind of statement with the ids of several.

    A commit is lost with its connection, either before it reaches the server, or once it is carried out there.
    """

    def __init__(self, durable, at="statement"):
        self.due, self.counted, self.failed = {}, Counter(), set()
        self._engine, self._at = durable._engine, at
        self._lock = threading.Lock()

    def __enter__(self):
        event.listen(AnyEngine, "before_cursor_execute", self._execute, retval=True)
        event.listen(AnyEngine, "commit", self._commit)
        return self

    def __exit__(self, *_exc):
        event.remove(AnyEngine, "before_cursor_execute", self._execute)
        event.remove(AnyEngine, "commit", self._commit)

    def _execute(self, connection, cursor, statement, parameters, _context, _many):
        driver = connection.connection.driver_connection
        id_ = connection.info["last"] = self._id_in(statement, parameters)
        if self._at == "statement" and self._fails(id_):
            return FAULTS[len(self.failed) % len(FAULTS)], ()
        if self._at != "statement" and driver.autocommit and self._fails(id_):
            if self._at == "reply to a commit":
                cursor.execute(statement, parameters)
            driver.close()
        return statement, parameters

    def _commit(self, connection):
        driver = connection.connection.driver_connection
        if self._at != "statement" and not driver.autocommit and self._fails(connection.info.get("last", "")):
            if self._at == "reply to a commit":
                driver.commit()
            driver.close()

    def _id_in(self, statement, parameters):
        with self._lock:
            found = {*ID.findall(repr(parameters))} - {self._engine.executor}
            id_ = found.pop() if len(found) == 1 else statement[:25]
            if found:
                self.due[id_] = 1
            elif id_[:5] == "every" and id_ not in self.due:
                self.due[id_] = len(self.due) % 6 + 1
        return id_

    def _fails(self, id_):
        with self._lock:
            self.counted[id_] += 1
            if id_ in self.failed or self.counted[id_] != self.due.get(id_):
                return False
            self.failed.add(id_)
        return True


@pytest.fixture
def made(postgres_server, monkeypatch):
    monkeypatch.setattr(engine, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(engine, "CLEAN_EVERY", 2.0)
    EFFECTS.clear()
    app = App(secret_keys=[KEY])
    DURABLE[:] = [Durable(postgres_server.database(), lease=1.0, wait=30.0)]
    app.use(DURABLE[0])
    return app, DURABLE[0]


@each
def test_a_fault_at_each_statement_of_a_job_is_not_its_outcome(made, at, most):
    """With ``most`` of 3, only the first statements of a process that takes a job: the claim, and the steps so far."""
    app, durable = made
    names = [f"{n:03} {kind.__name__}" for kind in (job, ajob) for n in range(1, most + 1)]
    with Client(app), Faults(durable, at) as faults:
        for name in names:
            durable._engine.enqueue(name, f"{__name__}:{name[4:]}", (name,), {})
            faults.due[name] = int(name[:3])
        until_all_have_ended(durable)
    assert len(faults.failed) >= min(most, 30)
    assert {*states(durable)} == {"SUCCESS"}
    assert {*EFFECTS} >= {(name, what) for name in names for what in ("first", "second")}
    assert {EFFECTS.count((name, "tried")) for name in names if name.endswith(" job")} <= {1}


@each
def test_a_fault_at_each_statement_of_a_request_is_not_its_response(made, at, most):
    """A client that gets a 503 sends it again."""
    app, durable = made
    app.post("/", durable=True)(respond)
    names = [f"{n:03} request" for n in range(1, most + 1)]

    def sent(name):
        send = lambda: client.post("/", params={"name": name}, headers={"idempotency-key": f'"{name}"'})  # noqa: E731
        first = eventually(lambda: found if (found := send()).status != 503 else None, "no response", 60)
        return [(each.status, each.text) for each in (first, send())]

    with Client(app) as client, Faults(durable, at) as faults, ThreadPoolExecutor(most) as threads:
        faults.due = {durable._id_of(f"idempotent\n{name}"): int(name[:3]) for name in names}
        responses = [*threads.map(sent, names)]
    assert len({*faults.due} & faults.failed) >= min(most, 10)
    assert responses == [[(201, name)] * 2 for name in names]
    assert {*states(durable)} == {"SUCCESS"}
    assert Counter(EFFECTS) == dict.fromkeys([(name, what) for name in names for what in ("first", "second")], 1)


@pytest.mark.parametrize("at", ["statement", "commit", "reply to a commit"])
def test_a_fault_at_each_statement_of_a_schedule_is_made_up_for(made, at):
    """Each time has one job, and each job is done."""
    app, durable = made
    names = [f"tick{n}" for n in range(6)]
    for name in names:
        durable.every("second")(ticking(name))
    with Faults(durable, at) as faults, Client(app):
        eventually(lambda: len(faults.failed) > 12 or None, "no faults", 60)
        durable._engine._due = lambda: 1.0
        until_all_have_ended(durable)
    assert {*states(durable)} == {"SUCCESS"}
    ids = execute(durable._engine.url, "select workflow_uuid from dbos.workflow_status")
    jobs = Counter((id_.split()[1].partition(":")[2],) for (id_,) in ids)
    assert Counter(EFFECTS) == jobs
    assert [*sorted(jobs)] == [(name,) for name in names]


def test_a_process_ends_while_the_database_is_away(made):
    app, durable = made
    before, is_lost = {*threading.enumerate()}, threading.Event()

    def lose(connection, _cursor, statement, parameters, _context, _many):
        if "workflow_output" in statement:
            connection.connection.driver_connection.close()
            is_lost.set()
        return statement, parameters

    try:
        with Client(app):
            event.listen(AnyEngine, "before_cursor_execute", lose, retval=True)
            durable.enqueue(effect, "once")
            assert is_lost.wait(30)
        joined = lambda: [each for each in {*_threads_queues} - before if each.is_alive()]  # noqa: E731
        eventually(lambda: not joined() or None, "the interpreter would wait for a thread", 30)
    finally:
        event.remove(AnyEngine, "before_cursor_execute", lose)


def until_all_have_ended(durable):
    eventually(lambda: not {*states(durable)} - {"SUCCESS", "ERROR"} or None, "not all have ended", 60)


def states(durable):
    return Counter(row[0] for row in execute(durable._engine.url, "select status from dbos.workflow_status"))


LOOKALIKES = {
    "operational": lambda: OperationalError("select 1", (), psycopg.OperationalError("connection lost")),
    "timeout": lambda: _error.DBOSQueryTimeoutError(1.0),
    "step": lambda: _error.DBOSUnexpectedStepError("1", 1, "a", "b"),
    "awaited": lambda: _error.DBOSAwaitedWorkflowCancelledError("1"),
    "cancelled": lambda: _error.DBOSWorkflowCancelledError("1"),
    "replaced": lambda: _error.DBOSWorkflowConflictIDError("1"),
    "exit": lambda: SystemExit(1),  # which would end the loop
    "interrupt": KeyboardInterrupt,
}


def fail(name):
    effect(name)
    error = LOOKALIKES[name.partition(" ")[0]]()
    raise error


def fail_in_step(name):
    DURABLE[0].step(fail, name)


async def afail(name):
    fail(name)


async def afail_in_step(name):
    await DURABLE[0].astep(fail, name)


def test_an_error_of_the_work_that_looks_like_one_of_the_engine_is_one_of_the_work(made):
    """Each is an attempt, and the last one is the outcome."""
    app, durable = made
    durable._engine._retries = 1
    kinds = [fail, fail_in_step, afail, afail_in_step]
    names = [f"{error} {function.__name__}" for error in LOOKALIKES for function in kinds]
    with Client(app):
        for name in names:
            durable._engine.enqueue(name, f"{__name__}:{name.split()[1]}", (name,), {})
        until_all_have_ended(durable)
    ended = execute(durable._engine.url, "select workflow_uuid, status from dbos.workflow_status")
    assert {*ended} == {(name, "ERROR") for name in names}
    assert Counter(EFFECTS) == {(name,): 2 for name in names}


@pytest.mark.parametrize(
    ("executor", "soon", "later"),
    [
        pytest.param("never seen", "ENQUEUED", "ENQUEUED", id="of one that died before its first beat"),
        pytest.param("alive", "PENDING", "PENDING", id="of a living one"),
        pytest.param(None, "PENDING", "ENQUEUED", id="claimed here at a commit that seemed to fail"),
    ],
)
def test_what_nobody_carries_out_is_queued(alone, monkeypatch, executor, soon, later):
    app, engine_, found = alone
    with Client(app):
        found.begun_by(executor or engine_.executor)
        engine_._tables.run(stored.BEAT, id="alive", app=engine_.name)
        engine_._adopt()
        assert found.state == soon
        monkeypatch.setattr(engine, "CLEAN_EVERY", 0.0)
        engine_._adopt()
        assert found.state == later


@pytest.mark.parametrize(("frozen", "state"), [(False, "ENQUEUED"), (True, "PENDING")])
def test_what_was_read_before_a_freeze_says_nobody_dead(alone, monkeypatch, frozen, state):
    """The other executor renews its lease while this process is held up, with the rows that it has read."""
    app, engine_, found = alone
    run = stored.Tables.run

    def held_up(tables, *texts, **values):
        rows = run(tables, *texts, **values)
        if stored.KNOWN in texts and frozen:
            time.sleep(engine_._lease / 2)
            run(tables, stored.BEAT, id="other", app=engine_.name)
        return rows

    monkeypatch.setattr(stored.Tables, "run", held_up)
    with Client(app):
        found.begun_by("other")
        engine_._tables.run(stored.BEAT, id="other", app=engine_.name)
        engine_._tables.run(stored.LEAVE, id="other")
        engine_._beat()
        engine_._steady_since = -math.inf
        engine_._take_over()
        assert found.state == state


@pytest.mark.parametrize(
    ("hours", "renews", "state"),
    [(1, True, "PENDING"), (-1, True, "PENDING"), (1, False, "ENQUEUED"), (-1, False, "ENQUEUED")],
)
def test_a_clock_that_is_set_makes_nobody_dead_or_alive(alone, hours, renews, state):
    """The last renewal from before that is so many hours old, or in the future."""
    app, engine_, found = alone
    with Client(app):
        found.begun_by("other")
        engine_._tables.run(stored.BEAT, id="other", app=engine_.name)
        execute(engine_.url, "update dbos.antiphon_executors set seen = seen - %s", hours * 3600)
        for _ in range(12):
            engine_._beat()
            engine_._steady_since = -math.inf
            engine_._take_over()
            time.sleep(engine_._lease / 12)
            if renews:
                engine_._tables.run(stored.BEAT, id="other", app=engine_.name)
        assert found.state == state


class Begun:
    """A job in a queue of nobody, which an executor has begun."""

    def __init__(self, engine):
        self._engine = engine

    def begun_by(self, executor):
        self._engine.client.enqueue(
            {**self._engine._options("begun"), "queue_name": "nobody"}, f"{__name__}:effect", (), {}
        )
        execute(self._engine.url, "update dbos.workflow_status set status = 'PENDING', executor_id = %s", executor)

    @property
    def state(self):
        [(state,)] = execute(self._engine.url, "select status from dbos.workflow_status")
        return state


@pytest.fixture
def alone(made):
    """An app whose engine does nothing by itself."""
    app, durable = made
    durable._engine._watches = list
    return app, durable._engine, Begun(durable._engine)


@pytest.mark.parametrize("library", [library for library, kind in KINDS if kind == "postgres"])
def test_a_connection_that_is_lost_at_each_statement_leaves_one_write_and_one_job(
    postgres_server, postgres, tmp_path, library
):
    """It is lost before the server carries out the statement, and after. A client that gets an error tries again."""
    execute(postgres, CREATE)
    folders = [str(postgres_server.folder), str(tmp_path)]
    proxy = LossyProxy(*[f"{folder}/.s.PGSQL.5432" for folder in reversed(folders)])
    items = []
    with proxy, settings_for_views(), Client(shop_of(library, postgres, postgres.replace(*folders))) as client:

        def pay(item):
            found = client.post("/", body=item.encode(), headers={"idempotency-key": f'"{item}"'})
            return found.status if found.status != 409 else None  # the server hasn't noticed yet

        for is_heard in False, True:
            statuses, before = [], proxy.lost
            while proxy.lost == before + len(statuses):
                proxy.lose_next_answer(after=len(statuses), is_heard=is_heard)
                items += f"{len(items)}", f"{len(items) + 1}"
                statuses.append(pay(items[-2]))
                proxy.lose_nothing()
                assert [eventually(partial(pay, item), "no response") for item in items[-2:]] == [201, 201]
            # asyncpg's transaction() replaces our 503 by an error of its own, since it can't roll back.
            assert {*statuses} == ({500, 201} if library == "asyncpg" else {500, 503, 201})
    assert sorted(execute(postgres, "select item from payments")) == sorted((item,) for item in items)
    assert execute(postgres, "select count(*) from dbos.antiphon_outbox") == [(len(items),)]


def shop_of(library, url, lossy):
    """Return an app whose handler writes a payment and a job with each request, which stays in the outbox."""
    database = LIBRARIES[library](lossy)
    durable = Durable(url, inside=DATABASE)
    durable._engine._watches = list
    app = App(secret_keys=[KEY])
    app.use(durable)
    app.use(IdempotentWrites(inside=DATABASE))
    app.provide(DATABASE, database.source)

    def pay(request: Request):
        done = database.execute(request[DATABASE], PAY.format(item=request.text))
        durable.enqueue(effect, request.text)
        return once(done, ("Thank you.", 201))

    async def apay(request: Request):
        return await pay(request)

    app.post("/", idempotent=True)(apay if database.is_async else pay)
    return app
