"""Recorder: which requests are kept, under which cause, how many and how long; and that no response waits for it."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from weakref import ref

import pytest

from antiphon import App, Observer, Response, abort
from antiphon.features import MemoryStore, Recorder, SessionLogin, Sessions, SQLiteStore, StoreUnavailable, Users
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytest.importorskip("cryptography")

pytestmark = pytest.mark.once

KEYS = ["0123456789abcdef0123456789abcdef"]
OTHER_KEYS = ["another-key-of-more-than-16-bytes"]


def application(keep, keys=KEYS):
    app = App(secret_keys=keys)
    app.use(keep)

    @app.get("/fail/<kind>")
    def fail(request, kind):
        if kind == "key":
            return {}["price"]
        raise ValueError(kind)

    @app.get("/status/<int:code>")
    def status(request, code):
        if code >= 500:
            abort(code)
        return Response("it", code)

    @app.get("/slow")
    def slow(request):
        time.sleep(0.05)
        return "slow"

    @app.get("/fine")
    def fine(request):
        return "fine"

    return app


@pytest.fixture
def client_of():
    def make(keep, **options):
        return Client(application(keep, **options), raise_errors=False)

    return make


@rows(
    "options, url, kept",
    ({}, "/fail/key", "KeyError"),
    ({}, "/status/503", "ServiceUnavailable"),
    ({}, "/status/409", None),
    ({}, "/nothing", None),
    ({}, "/fine", None),
    ({}, "/slow", None),
    ({"errors": False}, "/fail/key", None),
    ({"slower": 0.02}, "/slow", "slower than 0.02 seconds"),
    ({"slower": 10}, "/slow", None),
    ({"statuses": {409}}, "/status/409", "status 409"),
    ({"statuses": {404}}, "/nothing", "status 404"),
    ({"when": lambda exchange: exchange.route == "/fine"}, "/fine", "chosen"),
    ({"errors": False, "statuses": {500}}, "/fail/key", "status 500"),
    ({"slower": 10}, "/fail/key", "KeyError"),
)
def test_kept_requests(options, url, kept, client_of):
    keep = Recorder(MemoryStore(), **options)
    client_of(keep).get(url)
    keep.flush()
    assert [each.why for each in keep.all()] == ([] if kept is None else [kept])


class Slow(Observer):
    """An observer that delays those after it."""

    def sent(self, exchange):
        time.sleep(0.1)


@pytest.mark.parametrize("status", [500, 409])
def test_a_request_began_before_its_handler_although_it_is_kept_late(status):
    keep, app, called = Recorder(MemoryStore(), statuses=[409, 500], errors=False), App(secret_keys=KEYS), []
    app.observe(Slow())
    app.use(keep)

    @app.get("/")
    def fail(request):
        called.append(time.time())
        abort(status)

    Client(app, raise_errors=False).get("/")
    keep.flush()
    [kept] = keep.all()
    assert kept.last.began <= called[0] <= kept.last.time


def test_one_record_a_cause(client_of):
    keep = Recorder(MemoryStore())
    client = client_of(keep)
    ids = [client.get(f"/fail/{kind}").headers["x-request-id"] for kind in ("a", "key", "b", "c")]
    keep.flush()
    causes = {each.why: each for each in keep.all()}
    assert {why: each.count for why, each in causes.items()} == {"ValueError": 3, "KeyError": 1}
    assert keep.find(ids[0]) == keep.find(ids[3]) == causes["ValueError"]
    assert keep.find(causes["KeyError"].id) == causes["KeyError"]
    assert keep.find("ffffff") is None


def test_the_first_and_the_last(client_of, monkeypatch):
    keep = Recorder(MemoryStore())
    client = client_of(keep)
    for kind in ("first", "between", "last"):
        client.get(f"/fail/{kind}")
        keep.flush()
    [kept] = keep.all()
    assert (kept.first.path, kept.last.path, kept.count) == ("/fail/first", "/fail/last", 3)


def test_the_log_leads_to_the_record(client_of, caplog):
    keep = Recorder(MemoryStore())
    response = client_of(keep).get("/fail/key")
    keep.flush()
    [kept] = keep.all()
    assert caplog.messages[0].endswith(f", kept as {kept.id}")
    assert keep.find(response.json["request_id"]) == kept


def test_requests_whose_client_has_chosen_one_id_are_all_kept(client_of):
    keep = Recorder(MemoryStore())
    app = application(keep)

    @app.middleware
    def take_id(request):
        request.id = request.headers["x-request-id"]
        yield

    client = Client(app, raise_errors=False, headers={"x-request-id": "mine"})
    for kind in ("key", "value", "value"):
        client.get(f"/fail/{kind}")
    assert keep.flush()
    assert {cause.why: cause.count for cause in keep.all()} == {"KeyError": 1, "ValueError": 2}
    value, key = keep.all()
    assert keep.find(key.id) == key
    assert keep.overlapping(value.id)[0] == value.last


def test_most_causes(client_of):
    keep = Recorder(MemoryStore(), max_records=2)
    app = application(keep)
    for number in range(4):
        exec(f"@app.get('/{number}')\ndef fail_{number}(request): raise ValueError", {"app": app})
    client = Client(app, raise_errors=False)
    for number in range(4):
        client.get(f"/{number}")
        keep.flush()
    assert [each.last.path for each in keep.all()] == ["/3", "/2"]


def test_a_time_to_live():
    now = [1000.0]
    keep = Recorder(MemoryStore(clock=lambda: now[0]), ttl=60)
    Client(application(keep), raise_errors=False).get("/fail/key")
    keep.flush()
    assert len(keep.all()) == 1
    now[0] += 61
    assert keep.all() == []


def test_forgetting_a_user():
    keep = Recorder(MemoryStore())
    app = App(secret_keys=KEYS)
    app.use(Sessions(MemoryStore()))
    app.use(Users(SessionLogin(lambda key: {"id": key}, key=lambda user: user["id"])))
    app.use(keep)

    @app.get("/")
    def fail(request):
        raise ValueError(request.user)

    client = Client(app, raise_errors=False)
    client.login({"id": "ada"})
    client.get("/")
    keep.flush()
    assert [each.last.user for each in keep.all()] == ["ada"]
    assert keep.forget("eve") == 0
    assert keep.forget("ada") == 1
    assert keep.all() == []


def test_keys_rotate(tmp_path, caplog):
    store = SQLiteStore(tmp_path / "kept.db")
    keep = Recorder(store)
    Client(application(keep), raise_errors=False).get("/fail/key")
    keep.flush()
    newer, other = Recorder(store), Recorder(store)
    application(newer, keys=[*OTHER_KEYS, *KEYS])
    application(other, keys=OTHER_KEYS)
    assert len(newer.all()) == 1
    assert other.all() == []
    assert "can't be decrypted" in caplog.messages[-1]


class BrokenStore(MemoryStore):
    """A store that hangs, or is unavailable."""

    def __init__(self, hangs):
        super().__init__()
        self.hangs = hangs
        self.goes_on = threading.Event()

    def change(self, *args, **options):
        if self.hangs:
            self.goes_on.wait(30)
        raise StoreUnavailable("It is gone.")


class RacedStore(MemoryStore):
    """A store to which others write after each call that reads an entry."""

    def __init__(self):
        super().__init__()
        self.others = iter(())

    def load(self, key):
        return self._raced(super().load(key))

    def change(self, key, updates, **options):
        return self._raced(super().change(key, updates, **options))

    def _raced(self, entry):
        for other in self.others:
            other()
            break
        return entry


def test_nothing_is_left_of_a_recorder_that_has_written_all(client_of):
    keep = Recorder(MemoryStore(), slower=0.01)
    client_of(keep).get("/slow")
    gone = ref(keep._writer)
    assert keep.flush()
    assert len(keep.all()) == 1
    del keep

    def is_gone():
        gc.collect()
        return gone() is None or None

    eventually(is_gone, "its thread goes on")


def test_two_processes_that_meet_a_new_cause_at_once_lose_no_request(client_of):
    store = RacedStore()
    keep, other = Recorder(store), Recorder(store)
    clients = [client_of(each) for each in (keep, other)]

    def fail_in_the_other():
        clients[1].get("/fail/key")
        other.flush()

    store.others = iter([fail_in_the_other])
    clients[0].get("/fail/key")
    keep.flush()
    [kept] = keep.all()
    assert kept.count == 2


def test_a_request_that_others_kept_from_being_written_is_in_the_log(client_of, caplog):
    store = RacedStore()
    keep = Recorder(store)
    client = client_of(keep)
    client.get("/fail/key")
    keep.flush()
    [owned] = keep.all()
    # MemoryStore.change as it is, since each change makes a new version.
    store.others = iter(lambda: lambda: MemoryStore.change(store, f"kept\n{owned.id}", {"id": owned.id}), None)
    client.get("/fail/key")
    keep.flush()
    assert any("requests are not kept: RuntimeError: other processes" in message for message in caplog.messages)


@rows("hangs", [True, False])
def test_no_response_waits_for_a_store(hangs, caplog, monkeypatch):
    monkeypatch.setattr("antiphon.features.recorder.shelf._MOST", 8)
    store = BrokenStore(hangs)
    keep = Recorder(store)
    app = application(keep)
    for number in range(12):
        exec(f"@app.get('/{number}')\ndef fail_{number}(request): raise ValueError", {"app": app})
    client = Client(app, raise_errors=False, timeout=20)
    assert {client.get(f"/{number}").status for number in range(12)} == {500}
    if hangs:
        assert not keep.flush(timeout=0.1)
        with pytest.raises(StoreUnavailable):
            keep.forget("ada")  # what waits may be hers
    else:
        assert keep.flush()
    assert sum("requests are not kept" in message for message in caplog.messages) == 1
    store.goes_on.set()
    keep.flush()


STORM = """
import sys
from antiphon import App
from antiphon.features import Recorder, SQLiteStore
from antiphon.testing import Client

app = App(secret_keys=["0123456789abcdef0123456789abcdef"])
keep = Recorder(SQLiteStore(sys.argv[1]))
app.use(keep)

@app.post("/")
def fail(request):
    raise ValueError(request.json)

client = Client(app, raise_errors=False)
for number in range(100_000):
    client.post("/", json={"number": number})
    keep.flush()
    print(number, flush=True)
"""


@pytest.mark.processes
def test_kill_9_while_keeping(tmp_path):
    path = tmp_path / "kept.db"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    storm = subprocess.Popen(
        [sys.executable, "-c", STORM, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    try:
        kept = [int(storm.stdout.readline()) for _ in range(20)]
    finally:
        os.kill(storm.pid, signal.SIGKILL)
        storm.communicate()
    keep = Recorder(SQLiteStore(path))
    application(keep)
    [cause] = keep.all()
    assert cause.count > kept[-1]
    assert json.loads(cause.first.body) == {"number": 0}
    assert json.loads(cause.last.body)["number"] >= kept[-1]
