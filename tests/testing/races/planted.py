"""Twenty races that applications really have, each beside its right twin."""

import asyncio
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import psycopg

from antiphon import App, Request, abort
from antiphon.testing.races import request

get, post = partial(request, "GET"), partial(request, "POST")

FOLDER = Path(tempfile.gettempdir())


class Plant(NamedTuple):
    """A race: ``make`` returns an application, right or wrong, with its state; ``play`` sends and checks."""

    name: str
    make: Callable[[bool, str], Callable[[], App]]
    play: Callable[[Any, Any], None]
    options: dict[str, Any]


PLANTS: list[Plant] = []


def plant(play, **options):
    """Register a race. Its maker gets an app, the state that ``play`` sees, True for the right twin, and a URL."""

    def register(fill):
        def make(is_right, url):
            state = SimpleNamespace(url=url)

            def make_app():
                vars(state).clear()
                state.url = url
                app = App()
                fill(app, state, is_right)
                return app

            make_app.state = state
            return make_app

        PLANTS.append(Plant(fill.__name__, make, play, options))
        return fill

    return register


def twice(url, ok=200):
    """Send the same POST twice, of which one may succeed."""

    def play(world, _):
        a, b = world.send(post(url), post(url))
        world.check(lambda: [a.status, b.status].count(ok) == 1)

    return play


# def


@plant(twice("/buy"))
def lost_update(app, state, is_right):
    state.stock, lock = 1, threading.Lock() if is_right else nullcontext()

    @app.post("/buy")
    def buy(request: Request):
        with lock:
            left = state.stock
            if left < 1:
                abort(409)
            state.stock = left - 1
        return "sold"


def shop_file(state):
    state.path = str(state.url) + ".sqlite"
    with closing(sqlite3.connect(state.path)) as database, database:
        database.execute("drop table if exists stock")
        database.execute("create table stock (item text, left_over int)")
        database.execute("insert into stock values ('lamp', 1)")


@plant(twice("/buy"))
def check_then_act_in_sqlite(app, state, is_right):
    shop_file(state)

    @app.post("/buy")
    def buy(request: Request):
        with closing(sqlite3.connect(state.path, isolation_level=None)) as database:
            if is_right:
                database.execute("begin immediate")
            (left,) = database.execute("select left_over from stock").fetchone()
            if left > 0:
                database.execute("update stock set left_over = left_over - 1")
            if is_right:
                database.execute("commit")
        return "sold" if left > 0 else abort(409)


@plant(twice("/buy"))
def check_then_act_in_postgres(app, state, is_right):
    with psycopg.connect(state.url, autocommit=True) as database:
        database.execute("create table if not exists stock (left_over int)")
        database.execute("truncate stock")
        database.execute("insert into stock values (1)")

    @app.post("/buy")
    def buy(request: Request):
        with psycopg.connect(state.url) as database:
            lock = " for update" if is_right else ""
            (left,) = database.execute(f"select left_over from stock{lock}").fetchone()
            if left > 0:
                database.execute("update stock set left_over = left_over - 1")
        return "sold" if left > 0 else abort(409)


def reads_same(world, _):
    a, b = world.send(get("/id"), get("/id"))
    world.check(lambda: a.text == b.text)


@plant(reads_same)
def lazily_made_singleton(app, state, is_right):
    state.made, lock = [], threading.Lock() if is_right else nullcontext()

    def make():
        if not state.made:
            client = object()
            state.made.append(client)
        return state.made[-1]

    @app.get("/id")
    def number(request: Request):
        with lock:
            made = make()
        return str(len(state.made)) + str(state.made.index(made))


@plant(twice("/refresh"))
def refresh_token_spent_twice(app, state, is_right):
    state.tokens = {"first"}

    @app.post("/refresh")
    def refresh(request: Request):
        if is_right:
            try:
                state.tokens.remove("first")
            except KeyError:
                abort(401)
        else:
            if "first" not in state.tokens:
                abort(401)
            new = "second"
            state.tokens.discard("first")
            state.tokens.add(new)
        return "new"


def counts_both(world, state):
    world.send(post("/visit"), post("/visit"))
    world.check(lambda: Path(state.path).read_text() == "2")


@plant(counts_both)
def counter_in_a_file(app, state, is_right):
    state.path = str(state.url) + ".count"
    lock = threading.Lock() if is_right else nullcontext()
    Path(state.path).write_text("0")

    @app.post("/visit")
    def visit(request: Request):
        with lock:
            number = int(Path(state.path).read_text())
            Path(state.path).write_text(str(number + 1))
        return "ok"


def keeps_sum(world, state):
    world.send(post("/move"))

    def total():
        with closing(sqlite3.connect(state.path)) as database:
            return database.execute("select sum(money) from accounts").fetchone()[0] == 100

    world.check(total)


@plant(keeps_sum, faults=["die"])
def death_between_two_commits(app, state, is_right):
    state.path = str(state.url) + ".bank"
    with closing(sqlite3.connect(state.path)) as database, database:
        database.execute("drop table if exists accounts")
        database.execute("create table accounts (name text, money int)")
        database.execute("insert into accounts values ('a', 100), ('b', 0)")

    @app.post("/move")
    def move(request: Request):
        with closing(sqlite3.connect(state.path)) as database:
            database.execute("update accounts set money = money - 10 where name = 'a'")
            if not is_right:
                database.commit()
            database.execute("update accounts set money = money + 10 where name = 'b'")
            database.commit()
        return "moved"


def one_name(world, state):
    world.send(post("/register", form={"name": "ann"}), post("/register", form={"name": "ann"}))
    world.check(lambda: len(state.names) == 1)


@plant(one_name)
def name_taken_twice(app, state, is_right):
    state.names = []
    taken = {}

    @app.post("/register")
    def register(request: Request):
        name = request.form["name"]
        if is_right:
            if taken.setdefault(name, request) is not request:
                abort(409)
        elif any(each == name for each in state.names):
            abort(409)
        state.names.append(name)
        return "welcome"


def both_succeed(world, _):
    a, b = world.send(post("/move/0/1"), post("/move/1/0"))
    world.check(lambda: a.status == b.status == 200)


@plant(both_succeed)
def two_locks_in_opposite_order(app, state, is_right):
    locks = [threading.Lock(), threading.Lock()]
    money = [50, 50]

    @app.post("/move/<int:source>/<int:target>")
    def move(request: Request, source: int, target: int):
        first, second = sorted((source, target)) if is_right else (source, target)
        with locks[first]:
            money[source] -= 1
            with locks[second]:
                money[target] += 1
        return "moved"


def told_and_stored(world, state):
    def listen():
        return bool(state.queue.get(timeout=5) and state.stored)

    _, told = world.send(post("/order"), listen)
    world.check(lambda: told.result)


@plant(told_and_stored)
def event_before_its_commit(app, state, is_right):
    import queue

    state.queue, state.stored = queue.Queue(), []

    @app.post("/order")
    def order(request: Request):
        if is_right:
            state.stored.append("order")
            state.queue.put("an order")
        else:
            state.queue.put("an order")
            state.stored.append("order")
        return "ordered"


# async def


@plant(twice("/withdraw"))
def async_overdraft(app, state, is_right):
    state.balance, lock = 100, asyncio.Lock() if is_right else nullcontext()

    @app.post("/withdraw")
    async def withdraw(request: Request):
        async with lock:
            have = state.balance
            await asyncio.sleep(0.01)
            if have < 80:
                abort(409)
            state.balance = have - 80
        return "here"


@plant(twice("/buy"))
def async_check_then_act_in_sqlite(app, state, is_right):
    shop_file(state)

    def query(sql):
        with closing(sqlite3.connect(state.path)) as database, database:
            cursor = database.execute(sql)
            return cursor.fetchone() if cursor.description else cursor.rowcount

    @app.post("/buy")
    async def buy(request: Request):
        if is_right:
            changed = await asyncio.to_thread(query, "update stock set left_over = left_over - 1 where left_over > 0")
            return "sold" if changed else abort(409)
        (left,) = await asyncio.to_thread(query, "select left_over from stock")
        if left < 1:
            abort(409)
        await asyncio.to_thread(query, "update stock set left_over = left_over - 1")
        return "sold"


@plant(twice("/buy"))
def async_check_then_act_in_postgres(app, state, is_right):
    check_then_act_in_postgres(App(), state, is_right)

    @app.post("/buy")
    async def buy(request: Request):
        async with await psycopg.AsyncConnection.connect(state.url) as database:
            lock = " for update" if is_right else ""
            (left,) = await (await database.execute(f"select left_over from stock{lock}")).fetchone()
            if left > 0:
                await database.execute("update stock set left_over = left_over - 1")
        return "sold" if left > 0 else abort(409)


def reads_own_write(world, _):
    async def save_and_read(client):
        await client.post("/note")
        return (await client.get("/note")).text

    (read,) = world.send(save_and_read)
    world.check(lambda: read.result == "note")


@plant(reads_own_write)
def lost_await(app, state, is_right):
    state.note = ""

    async def save():
        await asyncio.sleep(0.01)
        state.note = "note"

    @app.post("/note")
    async def write(request: Request):
        if is_right:
            await save()
        else:
            state.task = asyncio.create_task(save())
        return "saved"

    @app.get("/note")
    async def read(request: Request):
        return state.note


@plant(twice("/refresh"))
def async_refresh_token_spent_twice(app, state, is_right):
    state.tokens = {"first": "ann"}

    async def user_of(token):
        user = state.tokens.get(token)
        await asyncio.sleep(0)
        return user

    @app.post("/refresh")
    async def refresh(request: Request):
        if is_right:
            if state.tokens.pop("first", None) is None:
                abort(401)
            return "new"
        if await user_of("first") is None:
            abort(401)
        state.tokens.pop("first", None)
        return "new"


@plant(reads_same)
def async_lazily_made_pool(app, state, is_right):
    state.pools, lock = [], asyncio.Lock() if is_right else nullcontext()

    @app.get("/id")
    async def number(request: Request):
        async with lock:
            if not state.pools:
                await asyncio.sleep(0.01)
                state.pools.append(object())
            return str(len(state.pools))


def event_after_commit(world, state):
    async def listen(client):
        async with client.websocket("/orders") as socket:
            await socket.receive()
            return (await client.get("/order")).text

    read, _ = world.send(listen, post("/order"))
    world.check(lambda: read.result == "stored")


@plant(event_after_commit)
def async_event_before_its_commit(app, state, is_right):
    state.order, happened = "", asyncio.Event()

    @app.websocket("/orders")
    async def orders(request: Request, socket):
        await happened.wait()
        await socket.send("an order")

    @app.post("/order")
    async def order(request: Request):
        if not is_right:
            happened.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        state.order = "stored"
        happened.set()
        return "ordered"

    @app.get("/order")
    async def read(request: Request):
        return state.order


def gives_back(world, state):
    world.send(post("/seat"), post("/seat"))
    world.check(lambda: state.free == 5)


@plant(gives_back, faults=["leave"])
def async_cancelled_cleanup(app, state, is_right):
    state.free = 5

    async def give_back():
        await asyncio.sleep(0.5)
        state.free += 1

    @app.post("/seat", cancel_on_disconnect=True)
    async def seat(request: Request):
        state.free -= 1
        if is_right:
            try:
                await asyncio.sleep(1)
            finally:
                state.free += 1
        else:
            try:
                await asyncio.sleep(1)
            finally:
                await give_back()
        return "thanks"


def is_fresh(world, state):
    world.send(get("/price"), post("/price"))
    after = world.send(get("/price"))
    world.check(lambda: after[0].text == "2")


@plant(is_fresh)
def async_stale_fill_of_a_cache(app, state, is_right):
    state.price, state.cached, state.version = 1, None, 0

    @app.get("/price")
    async def read(request: Request):
        if state.cached is not None:
            return str(state.cached)
        version, price = state.version, state.price
        await asyncio.sleep(0.01)
        if not is_right or version == state.version:
            state.cached = price
        return str(price)

    @app.post("/price")
    async def write(request: Request):
        state.price = 2
        state.version += 1
        state.cached = None
        return "set"


def own_names(world, _):
    a, b = world.send(get("/me/ann"), get("/me/bob"))
    world.check(lambda: (a.text, b.text) == ("ann", "bob"))


@plant(own_names)
def async_user_in_a_global(app, state, is_right):
    state.user = None

    @app.get("/me/<name>")
    async def me(request: Request, name: str):
        state.user = name
        await asyncio.sleep(0.01)
        return name if is_right else state.user
