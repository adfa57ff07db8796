"""What a process lacks the keys or the code for, as during a rolling deploy: it is left to another process."""

import sys
from concurrent.futures import ThreadPoolExecutor
from math import inf
from threading import Event

import pytest

from antiphon import App
from antiphon.features import Durable, Metrics
from antiphon.features.durable import engine
from antiphon.features.durable.flow import Elsewhere
from antiphon.features.durable.stored import POST
from antiphon.features.seal import Seal
from antiphon.testing import Client
from tests.helpers.postgres import execute
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes
workflows = pytest.importorskip("antiphon.features.durable.workflows")

OLD, NEW = "o" * 32, "n" * 32
EFFECTS = []
STORED = {"method": "POST", "path": "/later", "query_string": "", "headers": [], "scheme": "http", "authority": "a",
          "root_path": "", "raw_path": None, "client": None, "body": b""}  # fmt: skip


class Later:
    pass


def effect(what, _with=None):
    EFFECTS.append(what)


@pytest.fixture
def made(postgres_server, monkeypatch):
    monkeypatch.setattr(engine, "ELSEWHERE", 0.05)
    EFFECTS.clear()
    url = postgres_server.database()

    def made(*keys):
        app = App(secret_keys=keys)
        durable = Durable(url, lease=1.0, wait=0.1)
        app.use(durable)
        return app, durable

    return url, made


def sealed_with(*keys):
    return workflows.Sealed(Seal(App(secret_keys=keys).secret_keys, b"antiphon durable"))


def post(engine, id_, sealed):
    engine._tables.run(POST, id=id_, app=engine.name, job=sealed)


def enqueue_by_another(engine, id_):
    client = workflows.client_of(engine._tables.engine, engine.name, sealed_with(NEW))
    client.enqueue(engine._options(id_), f"{__name__}:effect", (id_,), {})


WORKS = {
    "a key": enqueue_by_another,
    "a spent key": enqueue_by_another,
    "a key of the outbox": lambda engine, id_: post(
        engine, id_, sealed_with(NEW).serialize((f"{__name__}:effect", (id_,), {}))
    ),
    "a class": lambda engine, id_: post(engine, id_, CLASS),
    "a function": lambda engine, id_: engine.enqueue(id_, f"{__name__}:later", (id_,), {}),
    "a spent function": lambda engine, id_: engine.enqueue(id_, f"{__name__}:later", (id_,), {}),
    "a module": lambda engine, id_: engine.enqueue(id_, "tests.features.durable.later:later", (id_,), {}),
    "a route": lambda engine, id_: engine.submit(engine.result([id_], STORED, {"what": "POST /later"}, 0.1)).result(),
}
CLASS = sealed_with(OLD).serialize((f"{__name__}:effect", ("a class", Later()), {}))
SPENT = {"a spent key", "a spent function"}


def test_what_a_process_cannot_carry_out_is_left_to_another(made, monkeypatch, caplog):
    url, made = made
    app, durable = made(OLD)
    metrics = Metrics()
    app.use(metrics)
    with monkeypatch.context() as patch, Client(app):
        patch.delattr(sys.modules[__name__], "Later")
        for id_, work in WORKS.items():
            work(durable._engine, id_)
        post(durable._engine, "known", sealed_with(OLD).serialize((f"{__name__}:effect", ("known",), {})))
        eventually(lambda: ({*WORKS} <= started(url, 3) and "known" in EFFECTS) or None, "it isn't tried again", 60)
        execute(url, "update dbos.workflow_status set recovery_attempts = 10001 where workflow_uuid like '%%spent%%'")
        eventually(lambda: ended(url) == SPENT | {"known"} or None, "what is spent doesn't end")
        durable._engine._clean()
        assert durable._engine.failed == 2
    for job in (f"{__name__}:later", "that can't be read"):
        assert f'antiphon_durable_failures_total{{kind="job",job="{job}"}} 1' in metrics.text()
    for reason in ("none of the app's secret_keys", "Later", "later", "ModuleNotFoundError", "NotFound"):
        assert reason in caplog.text
    assert EFFECTS == ["known"]
    monkeypatch.setattr(sys.modules[__name__], "later", effect, raising=False)
    monkeypatch.setitem(sys.modules, "tests.features.durable.later", sys.modules[__name__])
    app, durable = made(NEW, OLD)
    app.post("/later", durable=True)(lambda request: effect("a route") or "")
    with Client(app):
        eventually(lambda: {*WORKS, "known"} == ended(url) or None, "it isn't carried out by another", 60)
    assert sorted(EFFECTS) == sorted({*WORKS, "known"} - SPENT)


def started(url, times):
    return {
        row[0]
        for row in execute(url, "select workflow_uuid from dbos.workflow_status where recovery_attempts >= %s", times)
    }


def ended(url):
    rows = execute(url, "select workflow_uuid from dbos.workflow_status where status not in ('PENDING', 'ENQUEUED')")
    return {row[0] for row in rows}


def test_work_is_left_while_another_thread_looks_at_what_was_left():
    leaving, is_over = Durable("postgresql:///unused")._engine, Event()
    leaving._given_up += [(inf, str(each), "an earlier reason") for each in range(3000)]
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: [leaving._resume() for _ in iter(is_over.is_set, True)])
        try:
            for each in range(1500):
                leaving.leave(str(each), Elsewhere("no key"))
        finally:
            is_over.set()
    assert len(leaving._given_up) == 4500
