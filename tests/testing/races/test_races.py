"""Worlds: requests of every kind beside each other, faults, what must hold after each run, and the report."""

import asyncio
import datetime
import gc
import os
import random
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
import weakref
from contextlib import closing
from functools import partial

import pytest

from antiphon import App, Request, Response, abort
from antiphon.features import MemoryStore, Recorder, SQLiteStore
from antiphon.testing import Client
from antiphon.testing.races import RaceFound, races, request
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

get, post = partial(request, "GET"), partial(request, "POST")


def explore(make_app, *steps, check=lambda sent: None, **options):
    """Send steps beside each other and return the race that is found, if any."""
    try:
        with races(make_app, **{"seeds": 20} | options) as world:
            sent = world.send(*steps)
            world.check(lambda: check(sent))
    except RaceFound as found:
        return found
    return None


# Requests of each kind


def test_report_shows_the_lines_beside_each_other_and_the_number():
    def make_app():
        app, stock = App(), {"lamp": 1}

        @app.post("/buy")
        def buy(request: Request):
            left = stock["lamp"]
            stock["lamp"] = left - 1
            return {"left": stock["lamp"]}

        return app

    found = explore(make_app, post("/buy"), post("/buy"), check=lambda sent: {s.json["left"] for s in sent} == {0, -1})
    first, reason, heading, *lines = str(found).splitlines()
    assert first.startswith(f"seed {found.seed}, ")
    assert first.endswith(f"again with seeds=[{found.seed}]")
    assert "request 1 at test_races.py:" in first
    assert reason == "AssertionError: check 1 is not true"
    assert heading.split() == ["request", "1", "request", "2"]
    assert any(line.strip().endswith('left = stock["lamp"]') for line in lines)


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_race_is_found_over_each_interface(interface):
    def make_app():
        app, seen = App(), []

        @app.get("/")
        def number(request: Request):
            count = len(seen)
            seen.append(count)
            return str(count)

        return app

    found = explore(make_app, get("/"), get("/"), check=lambda sent: sent[0].text != sent[1].text, interface=interface)
    assert found is not None


def test_websockets_and_streams_take_part():
    def make_app():
        app, listening = App(), []

        @app.websocket("/ws")
        async def socket(request: Request, socket):
            listening.append(socket)
            await socket.send("welcome")
            async for message in socket:
                await socket.send(message)

        @app.get("/events")
        async def events(request: Request):
            async def count():
                for number in range(3):
                    await asyncio.sleep(60)  # in virtual time
                    yield number

            return Response.events(count())

        return app

    async def chat(client):
        async with client.websocket("/ws") as socket:
            first = await socket.receive()
            await socket.send("hello")
            return first, await socket.receive()

    async def read(client):
        async with client.stream("GET", "/events") as response:
            return (await response.read()).count(b"data:")

    started = time.monotonic()
    check = lambda sent: [each.result for each in sent] == [("welcome", "hello"), ("welcome", "hello"), 3]  # noqa: E731
    assert explore(make_app, chat, chat, read, check=check) is None
    assert time.monotonic() - started < 20 * 180  # no minute was waited for


@rows("style", ["def", "async def"])
def test_work_after_the_response_takes_part(style):
    def make_app():
        app, log = App(), []

        @app.post("/")
        def write(request: Request):
            def save():
                count = len(log)
                log.append(count)

            async def save_later():
                count = len(log)
                await asyncio.sleep(0)
                log.append(count)

            request.after(save if style == "def" else save_later)
            return "accepted"

        app.log = log
        return app

    world = races(make_app, seeds=100)
    world.send(post("/"), post("/"))
    world.check(lambda: sorted(world.app.log) == [0, 1])
    with pytest.raises(RaceFound), world:
        pass


def test_two_apps_on_one_store_race_like_two_processes(tmp_path):
    def make_apps():
        path = tmp_path / "store"
        for file in tmp_path.iterdir():
            file.unlink()
        return [make_app(SQLiteStore(path)) for _ in range(2)]

    def make_app(store):
        app = App(store=store)

        @app.post("/")
        def count(request: Request):
            entry = app.store.load("count")
            number = 0 if entry is None else entry.data["n"]
            app.store.change("count", {"n": number + 1})
            return str(number + 1)

        return app

    assert explore(make_apps, post("/"), post("/"), check=lambda s: {s[0].text, s[1].text} == {"1", "2"}, seeds=60)


def test_function_runs_beside_requests_and_later_requests_follow():
    def make_app():
        app = App()
        app.rates = {"eur": 1.0}
        app.get("/")(lambda request: str(sum(1 for _ in app.rates)))
        return app

    with races(make_app, seeds=20) as world:
        first, _ = world.send(get("/"), lambda: world.app.rates.__setitem__("usd", 1.1))
        (second,) = world.send(get("/"))
        world.check(lambda: first.text in ("1", "2") and second.text == "2")


# Faults


def test_kept_requests_that_overlapped_are_sent_again():
    kept, both = MemoryStore(), threading.Barrier(2)

    def make_app():
        app, tickets = App(secret_keys=["x" * 32]), ["a"]
        app.recorder = Recorder(kept, errors=True, statuses=[404])
        app.use(app.recorder)

        @app.post("/take")
        def take(request: Request):
            if request.json["is"] == "live":
                both.wait(10)
                raise IndexError("pop from empty list")
            return tickets.pop() if tickets else "none"

        @app.get("/early")
        def early(request: Request):
            abort(404)

        @app.get("/live")
        def live(request: Request):
            both.wait(10)
            abort(404)

        return app

    app = make_app()
    client = Client(app, raise_errors=False)
    client.get("/early")
    other = threading.Thread(target=client.get, args=["/live"])
    other.start()
    client.post("/take", json={"is": "live"})
    other.join()
    eventually(lambda: True if len(app.recorder.all()) == 3 else None, "the requests are not kept")
    failed = next(each for each in app.recorder.all() if each.last.status == 500)
    overlapping = app.recorder.overlapping(failed.id)
    assert [each.path for each in overlapping] == ["/take", "/live"]
    overlapping[0].body = b'{"is": "again"}'
    with races(make_app, seeds=1) as world:
        taken, again, _ = world.send(overlapping[0], overlapping[0], post("/take", json={"is": "new"}))
        world.check(lambda: sorted([taken.text, again.text, _.text]) == ["a", "none", "none"])
    with pytest.raises(LookupError, match="'other'"):
        app.recorder.overlapping("other")


def test_death_forgets_what_was_not_committed_and_requests_go_to_the_restarted_app(tmp_path):
    path = tmp_path / "bank"

    def make_app():
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("create table log (line text)")
        return restart()

    def restart():
        app = App()

        @app.post("/")
        def write(request: Request):
            with closing(sqlite3.connect(path)) as database:
                database.execute("insert into log values ('a')")
                database.execute("insert into log values ('b')")
                database.commit()
            return "ok"

        @app.get("/")
        def read(request: Request):
            with closing(sqlite3.connect(path)) as database:
                return str(database.execute("select count(*) from log").fetchone()[0])

        return app

    counts = set()
    with races(make_app, seeds=30, faults=["die"], restart=restart) as world:
        world.send(post("/"))
        (after,) = world.send(get("/"))
        world.check(lambda: counts.add(after.text))
    assert counts - {None} == {"0", "2"}


def test_code_that_catches_its_death_again_and_again_is_abandoned():
    def make_app():
        app = App()

        @app.post("/")
        def stubborn(request: Request):
            while True:
                try:
                    time.sleep(1)
                    raise TimeoutError
                except BaseException:
                    continue

        @app.get("/")
        async def stubborn_task(request: Request):
            while True:
                try:
                    await asyncio.sleep(1)
                except BaseException:
                    continue

        return app

    assert explore(make_app, post("/"), seeds=[1, 2, 3, 4], faults=["die"]) is not None  # endless without a death
    assert explore(make_app, get("/"), seeds=[1, 2, 3, 4], faults=["die"]) is not None
    eventually(lambda: None if "antiphon-races" in {t.name for t in threading.enumerate()} else True, "it goes on")


@rows("kind, status", [("refuse", 503), ("slow", 200)])
def test_store_refuses_or_is_slow(kind, status):
    def make_app():
        app = App(store=MemoryStore())

        @app.get("/")
        def read(request: Request):
            begun = time.monotonic()
            app.store.load("key")
            return str(round(time.monotonic() - begun))

        return app

    seen = set()
    with races(make_app, seeds=40, faults=[kind]) as world:
        (read,) = world.send(get("/"))
        world.check(lambda: seen.add((read.status, read.text if read.status == 200 else "")))
    assert (status, "10" if kind == "slow" else "") in seen
    assert (200, "0") in seen


def test_client_leaves_a_stream_and_its_cleanup_runs():
    def make_app():
        app = App()
        app.open = 0

        @app.get("/")
        async def events(request: Request):
            async def forever():
                app.open += 1
                try:
                    for number in range(5):
                        await asyncio.sleep(1)
                        yield str(number)
                finally:
                    app.open -= 1

            return Response(forever())

        return app

    with races(make_app, seeds=30, faults=["leave"]) as world:
        sent = world.send(get("/"), get("/"))
        left = []
        world.check(lambda: left.extend(each.has_left for each in sent))
        world.check(lambda: world.app.open == 0)
    assert True in left


def test_endless_stream_ends_at_sigterm():
    def make_app():
        app = App()

        @app.get("/")
        async def events(request: Request):
            async def forever():
                for number in range(60):
                    await asyncio.sleep(10)
                    yield number

            return Response.events(forever())

        return app

    lengths = set()
    with races(make_app, seeds=10, faults=["terminate"]) as world:
        (read,) = world.send(get("/"))
        world.check(lambda: lengths.add(read.text.count("data:") if read.result else -1))
    assert 60 in lengths
    assert len(lengths) > 1


# What must hold after each run


def thread_left(request):
    threading.Thread(target=lambda: time.sleep(100)).start()
    return "ok"


async def task_left(request):
    request.app.task = asyncio.create_task(asyncio.sleep(100))
    return "ok"


def lock_held(request):
    request.app.lock = threading.Lock()
    request.app.lock.acquire()
    return "ok"


def transaction_open(request):
    request.app.database = sqlite3.connect(":memory:")
    request.app.database.execute("create table log (line text)")
    request.app.database.execute("insert into log values ('a')")
    return "ok"


def error(request):
    return {}["missing"]


def deadlock(request):
    lock = threading.Lock()
    with lock:
        lock.acquire()


def spin(request):
    while True:
        time.monotonic()


LEFT = [
    (thread_left, "a thread of request 1 has not ended"),
    (task_left, "a task of request 1 has not ended"),
    (lock_held, "a lock is still held"),
    (transaction_open, "is neither committed nor rolled back"),
    (error, "KeyError: 'missing'"),
    (deadlock, "all wait, and nothing will wake them"),
    (spin, "has not ended after"),
]


@rows("handler, told", LEFT)
def test_leftover_is_found(handler, told):
    def make_app():
        app = App()
        app.get("/")(handler)
        return app

    assert told in str(explore(make_app, get("/"), seeds=1))


# The seed


def test_time_and_randomness_come_from_the_seed(seen):
    def make_app():
        app = App()

        @app.get("/")
        def read(request: Request):
            time.sleep(3600)
            return {
                "time": [time.time() // 3600, str(datetime.datetime.now(datetime.UTC))[:13], time.monotonic() // 3600],
                "random": [random.random(), str(uuid.uuid4()), secrets.token_hex(8), os.urandom(2).hex()],
            }

        return app

    for seeds in ([1, 2], [1, 2]):
        with races(make_app, seeds=seeds) as world:
            (read,) = world.send(get("/"))
            world.check(lambda read=read: seen.append(read.json))
    zero, _, one, two, *again = seen
    assert again == [zero, zero, one, two]
    assert {*one["random"]}.isdisjoint(two["random"])
    assert one["time"][1] == "2030-01-01 01"
    assert time.time() < datetime.datetime(2030, 1, 1).timestamp() or time.time() > 1.9e9 + 3600  # ours is not theirs
    assert len({datetime.datetime.now().microsecond, time.time()}) == 2


def test_replacements_are_undone():
    before = time.time, time.sleep, threading.Lock, os.urandom, threading.Thread.start, datetime.datetime.now.__name__
    threads = {*threading.enumerate()}
    explore(App, get("/"), seeds=2)
    after = time.time, time.sleep, threading.Lock, os.urandom, threading.Thread.start, datetime.datetime.now.__name__
    assert after == before
    assert {*threading.enumerate()} <= threads


def test_nothing_of_a_run_is_kept():
    made = []

    def make_app():
        app = App()
        app.get("/")(lambda request: "ok")
        made.append(weakref.ref(app))
        return app

    explore(make_app, get("/"), seeds=2)
    gc.collect()
    assert [each for each in made if each() is not None] == []


def test_connections_of_other_threads_are_left_alone():
    """A thread that an earlier test has left behind may use its connection when a run closes its own: a crash."""
    asked, opened, found = threading.Event(), threading.Event(), []

    def stranger():
        asked.wait(30)
        found.append(sqlite3.connect(":memory:", check_same_thread=False))
        opened.set()

    def make_app():
        asked.set()
        assert opened.wait(30)
        return App()

    thread = threading.Thread(target=stranger)
    thread.start()
    explore(make_app, get("/"), seeds=2)
    thread.join()
    with closing(found[0]) as connection:
        assert type(connection) is sqlite3.Connection
        assert connection.execute("select 1").fetchone() == (1,)


# Mistakes


def test_outcome_outside_of_a_check_explains_itself():
    (sent,) = races(App).send(get("/"))
    with pytest.raises(RuntimeError, match="known only in a check"):
        _ = sent.status


def test_error_of_the_block_is_raised_without_a_run():
    with pytest.raises(ZeroDivisionError), races(lambda: 1 / 0) as world:
        world.send(1 / 0)


def test_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="must be some of die, leave, refuse, slow, terminate, not 'fire'"):
        races(App, faults=["fire"])


@pytest.mark.processes
def test_other_tests_pay_nothing():
    program = "import antiphon.testing, antiphon, sys; print([m for m in sys.modules if 'races' in m])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
