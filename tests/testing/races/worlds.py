"""A world for each part of the framework that keeps state: ``python -m tests.testing.races.worlds --seconds 600``.

Each line of the part's own files is a point. The command tries new numbers in turn until the time is over, and prints
each race that it finds.
"""

import argparse
import itertools
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from functools import cache, partial
from pathlib import Path

import antiphon
from antiphon import App, Dependency, Request, Response
from antiphon.concurrency.admission import AdmissionQueue, Ticket
from antiphon.concurrency.background import background_loop
from antiphon.concurrency.workers import workers
from antiphon.features import (
    Cache,
    Channel,
    IdempotentWrites,
    MemoryStore,
    PostgresStore,
    RateLimit,
    RefreshTokens,
    Runs,
    Sessions,
    SQLiteStore,
)
from antiphon.testing.races import RaceFound, races, request
from tests.helpers.postgres import PostgresServer
from tests.helpers.system_programs import PLACES

get, post = partial(request, "GET"), partial(request, "POST")

SOURCE = Path(antiphon.__file__).parent
WORLDS = {}
SERVERS = ExitStack()
"""The servers that worlds have started, which end with it."""


def world(*files, **options):
    """Register a world, which gets a folder and returns its app's maker and a function that sends and checks."""

    def register(function):
        name = function.__name__
        WORLDS[name] = function, {"files": [SOURCE / file for file in files]} | options
        return function

    return register


def stores(folder):
    """Return functions that make new stores."""

    def sqlite():
        shutil.rmtree(folder / "store", ignore_errors=True)
        (folder / "store").mkdir()
        return SQLiteStore(folder / "store" / "db")

    return MemoryStore, sqlite


def sessions(make_store):
    """Two requests of one visitor set two names of one session."""

    def make_app():
        app = App(store=make_store(), secret_keys=["k" * 32])
        app.use(Sessions())

        @app.post("/set/<name>")
        def put(request: Request, name: str):
            request.session[name] = 1
            return "ok"

        app.get("/all")(lambda request: sorted(request.session))
        return app

    def play(world):
        world.send(post("/set/zero"))
        world.send(post("/set/a"), post("/set/b"))
        (read,) = world.send(get("/all"))
        world.check(lambda: read.json == ["a", "b", "zero"])

    return make_app, play


@world("features/sessions.py", "features/tracked_session.py", "features/stores/memory.py", "features/stores/rows.py")
def sessions_in_memory(folder):
    return sessions(stores(folder)[0])


@world("features/sessions.py", "features/stores/sqlite.py", "features/stores/sqlite_connections.py")
def sessions_in_sqlite(folder):
    return sessions(stores(folder)[1])


def count(make_store):
    numbers = itertools.count()

    def make_app():
        app, name = App(store=make_store()), f"count {next(numbers)}"
        app.post("/")(lambda request: str(app.store.increment(name).value))
        return app

    def play(world):
        sent = world.send(post("/"), post("/"), post("/"))
        world.check(lambda: sorted(each.text for each in sent) == ["1", "2", "3"])

    return make_app, play


@world("features/stores/sqlite.py", "features/stores/sqlite_connections.py", "features/stores/rows.py")
def counters_in_sqlite(folder):
    return count(stores(folder)[1])


@world("features/stores/memory.py", "features/stores/rows.py")
def counters_in_memory(folder):
    return count(MemoryStore)


def counters_in_postgres(folder):
    url, before = postgres().database(), []

    def make_store():
        while before:
            before.pop().close()
        before.append(PostgresStore(url, max_connections=2))
        return before[0]

    return count(make_store)


if PROGRAM := shutil.which("postgres", path=PLACES):
    files = ["postgres.py", "postgres_connections.py", "circuit_breaker.py"]
    world(*[f"features/stores/{file}" for file in files])(counters_in_postgres)


@cache
def postgres():
    """Start a PostgreSQL server."""
    return SERVERS.enter_context(PostgresServer(PROGRAM))


def idempotency(make_store):
    def make_app():
        app = App(store=make_store())
        app.use(IdempotentWrites())
        app.ran = []

        @app.post("/pay", idempotent=True)
        def pay(request: Request):
            app.ran.append(1)
            return {"n": len(app.ran)}, 201

        return app

    def play(world):
        pay = post("/pay", headers={"idempotency-key": '"a"'})
        a, b = world.send(pay, pay)
        world.check(lambda: len(world.app.ran) == 1)
        world.check(lambda: {a.status, b.status} <= {201, 409} and 201 in (a.status, b.status))

    return make_app, play


@world("features/idempotency", "features/stores/memory.py")
def idempotency_in_memory(folder):
    return idempotency(MemoryStore)


@world("features/idempotency", "features/stores/sqlite_connections.py")
def idempotency_in_sqlite(folder):
    return idempotency(stores(folder)[1])


@world("features/idempotency", faults=["leave", "refuse", "slow"])
def idempotency_with_faults(folder):
    make_app, _ = idempotency(MemoryStore)

    def play(world):
        pay = post("/pay", headers={"idempotency-key": '"a"'})
        world.send(pay, pay)
        world.check(lambda: len(world.app.ran) <= 1)

    return make_app, play


@world("features/idempotency", faults=["refuse"])
def idempotency_in_a_transaction(folder):
    """The table of claims is created by the first of three requests, whose transactions may fail."""
    connection = Dependency("connection")

    def make_app():
        (folder / "db").unlink(missing_ok=True)
        app = App()

        def connect(request: Request):
            with closing(sqlite3.connect(folder / "db", isolation_level=None)) as opened:
                opened.execute("begin immediate")
                try:
                    yield opened
                except BaseException:
                    opened.execute("rollback")
                    raise
                opened.execute("commit")

        app.provide(connection, connect)
        app.use(IdempotentWrites(inside=connection))

        @app.post("/pay", idempotent=True)
        def pay(request: Request):
            request[connection].execute("select 1")
            return "paid"

        return app

    def play(world):
        a, b = [post("/pay", headers={"idempotency-key": f'"{key}"'}) for key in "ab"]
        world.send(a, b)
        sent = world.send(a, b, post("/pay", headers={"idempotency-key": '"c"'}))
        world.check(lambda: sum(each.status == 200 for each in sent) >= 2)

    return make_app, play


@world("features/rate_limits.py", "features/stores/memory.py")
def rate_limits(folder):
    def make_app():
        app = App(store=MemoryStore())
        app.get("/", before=RateLimit("2/minute"))(lambda request: "x")
        return app

    def play(world):
        sent = world.send(get("/"), get("/"), get("/"))
        world.check(lambda: sorted(each.status for each in sent) == [200, 200, 429])

    return make_app, play


@world("features/cache")
def cache_and_its_filling(folder):
    def make_app():
        app = App()
        app.use(Cache())
        app.ran = []

        @app.get("/p/<int:number>")
        def page(request: Request, number: int):
            app.ran.append(number)
            return Response.text("x", headers={"cache-control": "public, max-age=60"})

        return app

    def play(world):
        world.send(get("/p/0"))  # others wait only for a route of which a response was stored
        sent = world.send(get("/p/1"), get("/p/1"), get("/p/1"))
        (after,) = world.send(get("/p/1"))
        world.check(lambda: [each.text for each in (*sent, after)] == ["x"] * 4)
        world.check(lambda: world.app.ran == [0, 1])

    return make_app, play


@world("features/cache", faults=["leave"])
def cache_whose_filler_leaves(folder):
    def make_app():
        app = App()
        app.use(Cache())

        @app.get("/p")
        async def page(request: Request):
            import asyncio

            await asyncio.sleep(0.1)
            return Response.text("x", headers={"cache-control": "public, max-age=60"})

        return app

    def play(world):
        sent = world.send(get("/p"), get("/p"))
        (after,) = world.send(get("/p"))
        world.check(lambda: all(each.has_left or each.text == "x" for each in (*sent, after)))

    return make_app, play


def channel(make_store):
    def make_app():
        app = App(store=make_store())
        news = Channel("news", app.store)
        app.news = news

        @app.get("/news")
        async def listen(request: Request):
            return Response.events(news.follow(app.since))

        @app.post("/news/<text>")
        def send(request: Request, text: str):
            return str(news.send(text))

        @app.post("/since")
        def since(request: Request):
            app.since = news.send("zero")
            return "ok"

        return app

    async def listen(client):
        data = b""
        async with client.stream("GET", "/news") as response:
            async for chunk in response:
                data += chunk
                if data.count(b"data: ") == 2:
                    break
        return [line[6:].decode() for line in data.splitlines() if line.startswith(b"data: ")]

    def play(world):
        world.send(post("/since"))
        heard, again, *_ = world.send(listen, listen, post("/news/a"), post("/news/b"))
        world.check(lambda: heard.result == again.result and sorted(heard.result) == ["a", "b"])

    return make_app, play


@world("features/channels")
def channels_in_memory(folder):
    return channel(MemoryStore)


@world("features/channels", "features/stores/sqlite_connections.py")
def channels_in_sqlite(folder):
    return channel(stores(folder)[1])


@world("features/runs")
def runs(folder):
    def make_app():
        app = App(store=MemoryStore())
        runs = Runs(app.store)
        app.use(runs)

        async def values():
            for number in range(3):
                yield number

        @app.post("/runs")
        async def start(request: Request):
            return (await runs.astart(values(), owner="ann", key="one")).id

        @app.get("/runs/<id>")
        async def follow(request: Request, id: str):
            return Response.events((await runs.afind(id, owner="ann")).follow())

        return app

    async def start_and_follow(client):
        started = await client.post("/runs")
        return (await client.get(f"/runs/{started.text}")).text.count("data: ")

    def play(world):
        a, b = world.send(start_and_follow, start_and_follow)
        world.check(lambda: a.result == b.result and a.result >= 3)

    return make_app, play


@world("features/refresh_tokens.py", "features/stores/memory.py")
def refresh_tokens(folder):
    def make_app():
        app = App(store=MemoryStore())
        tokens = RefreshTokens(grace=0)
        app.use(tokens)
        app.first = tokens.issue("ann")

        @app.post("/refresh")
        def refresh(request: Request):
            return tokens.rotate(app.first).token

        return app

    def play(world):
        a, b = world.send(post("/refresh"), post("/refresh"))
        world.check(lambda: [a.status, b.status].count(200) <= 1)

    return make_app, play


@world("app", "routing", "adapters")
def freezing_of_the_router(folder):
    def make_app():
        app = App()
        app.get("/a/<int:number>")(lambda request, number: str(number))
        app.get("/b")(lambda request: "b")
        return app

    def play(world):
        a, b, c = world.send(get("/a/1"), get("/b"), get("/c"))
        world.check(lambda: (a.text, b.text, c.status) == ("1", "b", 404))

    return make_app, play


@world("app", "routing", "adapters", interface="wsgi")
def freezing_of_the_router_on_threads(folder):
    return freezing_of_the_router(folder)


@world("uploads", "body")
def spools(folder):
    def make_app():
        app = App()

        @app.post("/")
        def save(request: Request):
            with request.files["file"] as file:
                return str(len(file.read()))

        return app

    def play(world):
        upload = post("/", files={"file": ("a.bin", b"x" * 700_000)})
        a, b = world.send(upload, upload)
        world.check(lambda: a.text == b.text == "700000")

    return make_app, play


@world("concurrency")
def lazily_made_pools(folder):
    def play(world):
        made = world.send(workers, workers, background_loop, background_loop)
        world.check(lambda: made[0].result is made[1].result and made[2].result is made[3].result)

    return App, play


@world("concurrency", interface="wsgi")
def crossings_between_threads_and_loop(folder):
    def make_app():
        app = App()

        @app.get("/")
        async def read(request: Request):
            import asyncio

            return await asyncio.to_thread(lambda: "x")

        return app

    def play(world):
        a, b = world.send(get("/"), get("/"))
        world.check(lambda: a.text == b.text == "x")

    return make_app, play


@world("concurrency/admission.py")
def admission_queue(folder):
    import threading

    def make_app():
        app = App()
        app.decided, app.lock = [], threading.Lock()
        app.queue = AdmissionQueue(1.0, 3, time.monotonic)
        return app

    def play(world):
        def join():
            with world.app.lock:
                world.app.queue.join(Ticket("a", False, world.app.decided.append))

        def begin():
            with world.app.lock:
                world.app.queue.begin()

        world.send(join, join, begin, join, begin)
        world.send(begin, begin)
        world.check(lambda: len(world.app.decided) == 3 and len(world.app.queue) == 0)

    return make_app, play


def explore(name, seeds):
    """Explore a world and return the race that is found, if any."""
    make_world, options = WORLDS[name]
    with tempfile.TemporaryDirectory() as folder:
        make_app, play = make_world(Path(folder))
        try:
            with races(make_app, seeds=seeds, **options) as opened:
                play(opened)
        except RaceFound as found:
            return found
    return None


def main():
    """Explore all worlds with new numbers until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.testing.races.worlds", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--first", type=int, help="the first number, by default one of today's", default=None)
    parser.add_argument("names", nargs="*", default=[*WORLDS])
    options = parser.parse_args()
    number = int(time.time()) // 86400 * 100_000 if options.first is None else options.first
    end, races_found = time.monotonic() + options.seconds, 0
    left = [*options.names]
    while left and time.monotonic() < end:
        for name in [*left]:
            if time.monotonic() > end:
                break
            if (found := explore(name, range(number, number + 20))) is not None:
                races_found += 1
                left.remove(name)
                print(f"{name}: {found}\n", flush=True)
        number += 20
    print(f"{races_found} races, numbers up to {number}")
    sys.exit(races_found > 0)


if __name__ == "__main__":
    with SERVERS:
        main()
