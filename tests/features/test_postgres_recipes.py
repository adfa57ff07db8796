"""The recipes for PostgreSQL on the page on databases: what is checked and written at once, and restarts."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon.testing import Client
from tests.helpers.databases import rows_of
from tests.helpers.postgres import PostgresServer

pytestmark = [pytest.mark.once, pytest.mark.processes]

PAGE = Path(__file__).parents[2] / "docs/how-to/database.md"
[CODE] = re.findall(r"^## PostgreSQL\n.*?```py\n(.*?)```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
TABLES = """create table vouchers (code text primary key, left_over integer not null);
create table accounts (name text primary key, balance integer not null);
insert into vouchers values ('tea', 1); insert into accounts values ('ada', 10)"""


@pytest.fixture
def page(monkeypatch):
    def page(url):
        for statement in TABLES.split(";"):
            rows_of(url, statement)
        monkeypatch.setenv("DATABASE_URL", url)
        found = {"__name__": "shop"}
        exec(compile(CODE, str(PAGE), "exec"), found)
        return found["app"]

    return page


@pytest.mark.parametrize(
    ("path", "form", "times", "left"),
    [
        ("/vouchers/tea", {}, 1, "select left_over from vouchers"),
        ("/accounts/ada/payments", {"amount": "3"}, 3, "select balance % 3 from accounts"),
    ],
    ids=["a guarded update", "for update"],
)
def test_many_at_once_take_only_what_is_there(page, postgres, path, form, times, left):
    with Client(page(postgres)) as client, ThreadPoolExecutor(8) as threads:
        statuses = [*threads.map(lambda _: client.post(path, form=form).status, range(24))]
    assert (statuses.count(200), statuses.count(409)) == (times, 24 - times)
    assert rows_of(postgres, left) == [(0,) if times == 1 else (1,)]


def test_a_restart_is_a_503_and_then_over(page, request):
    with PostgresServer(request.getfixturevalue("postgres-server")) as server:
        app = page(server.database())
        with Client(app) as client:
            assert client.post("/vouchers/none").status == 409
            server.stop()
            away = client.post("/vouchers/tea")
            assert (away.status, away.headers["retry-after"]) == (503, "2")
            server.start()
            assert [client.post("/vouchers/tea").status for _ in range(2)] == [200, 409]


def test_a_connection_that_breaks_in_the_handler_is_a_503(page, postgres):
    app = page(postgres)

    @app.post("/broken")
    def broken(request):
        [dependency] = [each for each in request.route.dependencies.sources if each.provides.name == "database"]
        connection = request[dependency.provides]
        connection.execute("select pg_terminate_backend(pg_backend_pid())")
        return "Never."

    with Client(app) as client:
        assert client.post("/broken").status == 503
        assert client.post("/vouchers/tea").status == 200
