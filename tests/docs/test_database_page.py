"""The pages on databases and SQLAlchemy: its apps keep what they answer, also where two workers start with an empty database."""

import http.client
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.waiting import eventually

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGE = (HOW_TO / "database.md").read_text()
ORM = (HOW_TO / "sqlalchemy.md").read_text()
SYNC = re.findall(r"```python\n(.*?)```", ORM, re.DOTALL)[0]
ASYNC = SYNC.partition("@app.lifespan\n")[0]
ASYNC += re.findall(r"```py\n(.*?)```", ORM.partition("\n## Async sessions\n")[2], re.DOTALL)[0]
UNIQUE = re.findall(r"```py\n(.*?)```", ORM.partition("\n## Unique values\n")[2], re.DOTALL)[0]
ENGINE = re.findall(r"```python\n(.*?)```", ORM.partition("\n## SQLite with SQLAlchemy\n")[2], re.DOTALL)[0]
PLAIN = re.findall(r"```python\n(.*?)```", PAGE.partition("\n## SQLite\n")[2], re.DOTALL)[0]
OTHER_WORKER = """
import os, time
from pathlib import Path
from sqlalchemy import event

folder = Path("var")
(folder / f"loaded-{os.getpid()}").touch()


@event.listens_for(Order.__table__, "before_create")
def wait_for_the_other_worker(*_, **__):
    while len([*folder.glob("loaded-*")]) < 2:
        time.sleep(0.01)
    time.sleep(0.5)  # in which the other one looks for the tables, too, unless something holds it back


@app.on_startup
def say():
    (folder / f"started-{os.getpid()}").touch()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def both_read_first(read_and_write):
    """Call a function in two threads. Each waits after its read until the other has read, too, if that can happen."""
    have_read = Barrier(2)

    def wait():
        with suppress(BrokenBarrierError):
            have_read.wait(1)

    with ThreadPoolExecutor() as pool:
        return sorted(pool.map(lambda _: read_and_write(wait), range(2)))


def test_two_clients_do_not_spend_one_token_in_sqlalchemy():
    pytest.importorskip("sqlalchemy")
    page: dict = {"__name__": "shop"}
    exec(ENGINE, page)
    engine = page["engine"]
    with page["Session"](engine) as session, session.begin():
        session.add(page["RefreshToken"](id=2))

    def spend(wait):
        with page["Session"](engine) as session, session.begin():
            token = session.get(page["RefreshToken"], 2)
            was_spent = token.is_spent
            wait()
            token.is_spent = True
        return not was_spent

    assert both_read_first(spend) == [False, True]
    engine.dispose()


def test_two_clients_do_not_spend_one_token_in_sqlite3():
    page: dict = {"__name__": "shop"}
    exec(PLAIN.partition("\nwith Client")[0], page)
    app, database = page["app"], page["DATABASE"]

    @app.post("/spend")
    def spend(request):
        [[count]] = request[database].execute("select count(*) from orders")
        waits.pop()()
        request[database].execute("insert into orders values ('spent')")
        return f"{count}"

    waits = []
    with Client(app) as client:
        [before] = {len(client.get("/orders").json)}

        def read_and_write(wait):
            waits.append(wait)
            return int(client.post("/spend").text)

        assert both_read_first(read_and_write) == [before, before + 1]


def test_of_people_who_take_one_name_at_once_one_gets_it():
    pytest.importorskip("sqlalchemy")
    page: dict = {"__name__": "shop"}
    exec(SYNC.partition("\nwith Client")[0] + UNIQUE, page)
    with Client(page["app"]) as client, ThreadPoolExecutor() as pool:
        responses = pool.map(lambda name: client.post("/users", form={"name": name}), ["Ada"] * 6)
        assert sorted(response.status for response in responses) == [201, 409, 409, 409, 409, 409]


def test_more_streams_are_open_than_the_pool_has_connections():
    pytest.importorskip("sqlalchemy")
    page: dict = {"__name__": "shop"}
    few = SYNC.replace("create_engine(url)", "create_engine(url, pool_size=2, max_overflow=0, pool_timeout=1)")
    about = (HOW_TO / "streams.md").read_text().partition("\n## Give back the database connection\n")[2]
    exec(few.partition("\nwith Client")[0] + re.findall(r"```py\n(.*?)```", about, re.DOTALL)[0], page)
    with Client(page["app"]) as client, ExitStack() as streams:
        client.post("/orders", form={"name": "tea"})
        for _ in range(4):
            assert next(streams.enter_context(client.stream("GET", "/orders/1/ticks"))) == b"data: tea, tick 1\n\n"
        assert client.get("/orders/1").json == {"id": 1, "name": "tea"}


@pytest.mark.axes("interface")
def test_the_async_app_commits_and_rolls_back(interface, tmp_path):
    pytest.importorskip("aiosqlite")
    page: dict = {"__name__": "shop"}
    exec(ASYNC, page)
    page["url"] = f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
    with Client(page["app"], interface) as client:
        assert client.post("/orders", form={"name": "tea"}).json == {"id": 1}
        assert client.post("/orders", form={"name": "coffee"}).status == 409
        assert client.get("/orders").json == {"names": ["tea"]}


@pytest.mark.processes
@pytest.mark.parametrize("app", [SYNC, ASYNC], ids=["sync", "async"])
def test_two_workers_that_start_at_once_create_the_tables_once(app, tmp_path):
    program = app.partition("\nwith Client")[0]
    program = re.sub('url = "postgresql.asyncpg.*', 'url = "sqlite+aiosqlite:///shop.db"', program)
    (tmp_path / "shop.py").write_text(program + OTHER_WORKER)
    (tmp_path / "var").mkdir()
    with ServerProcess((*RUN, "--workers", "2"), "shop:app") as process:
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
        connection.request("POST", "/orders", "name=tea", {"content-type": "application/x-www-form-urlencoded"})
        assert connection.getresponse().read() == b'{"id":1}'
        connection.close()
        eventually(lambda: len([*Path("var").glob("started-*")]) == 2 or None, "one worker did not start")
        assert "already exists" not in process.stderr
