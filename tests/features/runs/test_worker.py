"""A worker's looks at the store while its runs end and change."""

import threading
from base64 import b64encode
from collections.abc import Iterator

import pytest

from antiphon import App
from antiphon.features import Basic, MemoryStore, Runs, Sessions, StoreUnavailable, Users
from antiphon.features.runs.record import Record
from antiphon.testing import Client
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.once


class Held(MemoryStore):
    """A store that is away when the first run ends, until a look writes both ends, and the second run writes its own in
    the middle of that.
    """

    def __init__(self):
        super().__init__()
        self.first = self.second = None
        self.is_away, self.is_ending, self.is_looked = (threading.Event() for _ in range(3))

    def replace(self, key, data, **options):
        if data.get("state") == "done" and key.endswith(self.first):
            self.is_away.set()
            if not self.is_ending.is_set():
                raise StoreUnavailable("the store is away")
            self.is_looked.set()
            self.second.ended.result(DEADLINE)
        elif data.get("state") == "done" and not self.is_looked.is_set():
            self.is_ending.set()
            self.is_looked.wait(DEADLINE)
        return super().replace(key, data, **options)


def test_a_look_goes_on_after_an_end_that_another_thread_has_written(caplog):
    store, go = Held(), threading.Event()
    runs = Runs(store, lease=0.3)

    def source(event):
        yield event.wait(DEADLINE)

    second = runs.start(source(store.is_away))
    store.second = runs._own().worker.productions[second.id]
    first = runs.start(source(go))
    store.first = first.id
    go.set()
    for run in (first, second):
        eventually(lambda run=run: runs.find(run.id, owner=None).ended, "no end")
    assert "can't be watched" not in caplog.text


def test_a_run_that_can_t_be_started_again_holds_up_no_other(caplog):
    runs = Runs(MemoryStore(), lease=0.1)

    @runs.restartable
    def count(to: int) -> Iterator[int]:
        yield from range(to)

    record = Record("bad", None, "waiting", "", function=count(3).name, arguments=b'{"to":"three"}')
    ledger = runs._own().ledger
    for each in (record, record._replace(id="good", arguments=count(3).arguments)):
        ledger.add(each)
    with runs._own().worker.following("good"):
        eventually(lambda: ledger.load("good").state == "done" or None, "it was not started")
        eventually(lambda: ledger.load("bad").state == "interrupted" or None, "it was not given up")
    assert ("bad can't be started again" in caplog.text, "can't be watched" in caplog.text) == (True, False)


def test_runs_without_an_owner_are_counted_by_their_callers():
    """A client renews its session, and any credentials that nobody verifies, as often as it likes."""
    app, runs = App(store=MemoryStore()), Runs(max_runs_per_owner=2)
    for feature in (runs, Sessions(), Users(Basic(lambda name, password: name))):
        app.use(feature)
    goes_on = threading.Event()

    @app.post("/")
    def start(request):
        request.session["visit"] = request.user  # which is proven only then
        runs.start(goes_on.wait() for _ in range(1))
        return ""

    def status(number, headers):
        return Client(app, client=(f"192.0.2.{number}", 50000)).post("/", headers=headers).status

    def by(name):
        return {"authorization": f"Basic {b64encode(name).decode()}"}

    try:
        fields = [{"cookie": f"host-session={number}", "authorization": f"Bearer {number}"} for number in range(3)]
        assert [status(1, each) for each in fields] == [200, 200, 429]
        assert [status(1, by(b"ann:")) for _ in range(3)] == [200, 200, 429]
        assert [status(2, each) for each in (by(b"ann:"), {}, {}, {})] == [429, 200, 200, 429]
    finally:
        goes_on.set()
