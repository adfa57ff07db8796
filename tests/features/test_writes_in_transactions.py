"""Idempotent writes whose responses are rows in the handler's own transaction, with each library and database."""

import itertools
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from inspect import isawaitable
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from antiphon import App, Request, Response, abort
from antiphon.features import Bearer, IdempotentWrites, MemoryStore, Users
from antiphon.features.idempotency import table
from antiphon.testing import Client
from tests.helpers.databases import (
    CREATE,
    DATABASE,
    KINDS,
    LIBRARIES,
    LOSE,
    PAY,
    of_each,
    of_those_ended_by_handlers,
    once,
    rows_of,
)
from tests.helpers.free_threading import frees_at_once
from tests.helpers.garbage import garbage_of
from tests.helpers.postgres import execute_as_another, plant_functions, set_default

pytestmark = [pytest.mark.once, pytest.mark.processes]

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
CLAIMS = "select count(*) from antiphon_writes"


on_both = pytest.mark.parametrize(
    ("library", "url"), [("sqlite3", "sqlite"), ("psycopg", "postgres")], indirect=["url"], ids=["SQLite", "PostgreSQL"]
)
on_postgres = pytest.mark.parametrize(
    ("library", "url"), [(each, "postgres") for each in ("psycopg", "SQLAlchemy", "Django")], indirect=["url"]
)
on_sqlite = pytest.mark.parametrize(("library", "url"), [("sqlite3", "sqlite")], indirect=["url"])


class Shop:
    """An app that writes a payment with each request that is carried out, and then does what a test says."""

    def __init__(self, library, url, interface="wsgi", **options):
        self.url = url
        self.database = LIBRARIES[library](url)
        self.app = App()
        self.app.provide(DATABASE, self.database.source)
        self.feature = IdempotentWrites(inside=DATABASE, **options)
        self.app.use(self.feature)
        self.then = lambda request: ({"paid": request.body.decode()}, 201)
        self.clients = []
        self._interface = interface

        def pay(request):
            self.database.execute(request[DATABASE], PAY.format(item=request.body.decode()))
            return self.then(request)

        async def apay(request):
            await self.database.execute(request[DATABASE], PAY.format(item=request.body.decode()))
            result = self.then(request)
            return await result if hasattr(result, "__await__") else result

        self.app.post("/payments", idempotent=True)(apay if self.database.is_async else pay)

    def client(self, **options):
        self.clients.append(Client(self.app, self._interface, timeout=20.0, **options))
        return self.clients[-1]

    def pay(self, key=KEY, body=b"tea", client=None, **headers):
        fields = {"idempotency-key": f'"{key}"', **{name.replace("_", "-"): value for name, value in headers.items()}}
        return (client or self.client()).post("/payments", body=body, headers=fields)

    @property
    def paid(self):
        return [item for (item,) in rows_of(self.url, "select item from payments")]

    @property
    def claims(self):
        return rows_of(self.url, CLAIMS)[0][0]


@pytest.fixture
def opening():
    shops = []

    def opening(library, url, *arguments, **options):
        shops.append(Shop(library, url, *arguments, **options))
        return shops[-1]

    yield opening
    for shop in shops:
        for client in shop.clients:
            client.close()


@of_each
def test_a_retry_gets_the_first_response(opening, library, url, interface):
    shop = opening(library, url, interface)
    first, again, other = shop.pay(), shop.pay(), shop.pay("another", b"coffee")
    assert (first.status, first.body) == (again.status, again.body) == (201, b'{"paid":"tea"}')
    assert other.json == {"paid": "coffee"}
    assert (shop.paid, shop.claims) == (["tea", "coffee"], 2)


def _raise(request):
    abort(402, "There is no money.")


def _fail(request):
    raise ZeroDivisionError


OUTCOMES = {
    "a 4xx that is returned": (lambda request: ("No.", 409), 409, ["tea"], 1, False),
    "a 4xx that is raised": (_raise, 402, [], 1, False),
    "a 429": (lambda request: abort(429), 429, [], 0, True),
    "a 5xx that is returned": (lambda request: ("Later.", 503), 503, ["tea"], 0, True),
    "an error": (_fail, 500, [], 0, True),
    "a stream": (lambda request: iter(["a", "b"]), 500, [], 0, True),
    "too much": (lambda request: "x" * 2000, 500, [], 0, True),
}


@of_each
@pytest.mark.parametrize(("then", "status", "paid", "claims", "is_retried"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_is_kept_of(opening, library, url, then, status, paid, claims, is_retried):
    shop = opening(library, url, max_body=1000)
    calls = []
    shop.then = lambda request: calls.append(1) or then(request)
    first = shop.pay()
    assert (first.status, shop.paid) == (status, paid)
    assert (shop.claims if _has_table(url) else 0) == claims
    again = shop.pay()
    assert again.status == status
    assert len(calls) == (2 if is_retried else 1)
    if not is_retried:
        assert (again.body, again.headers["content-type"]) == (first.body, first.headers["content-type"])


def _has_table(url):
    try:
        return rows_of(url, CLAIMS) is not None
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return False


@of_those_ended_by_handlers
def test_a_handler_that_rolls_back_and_responds_has_its_response_kept(opening, library, url):
    shop = opening(library, url)
    shop.then = lambda request: once(shop.database.roll_back(request[DATABASE]), ("There was one.", 409))
    assert [shop.pay().status, shop.pay().text, shop.paid] == [409, "There was one.", []]


@on_both
def test_a_handler_that_commits_and_is_interrupted_leaves_an_unknown_outcome(opening, library, url):
    shop = opening(library, url)

    def then(request):
        shop.database.commit(request[DATABASE])
        raise KeyError

    shop.then = then
    assert [shop.pay().status, shop.pay().status, shop.paid] == [500, 409, ["tea"]]


@on_both
def test_of_many_at_once_one_is_carried_out(opening, library, url):
    shop = opening(library, url)
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: shop.pay(), range(40))]
    assert {response.status for response in found} <= {201, 409}
    assert {response.headers["retry-after"] for response in found if response.status == 409} <= {"2"}
    assert (shop.pay().status, shop.paid) == (201, ["tea"])


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
@on_postgres
def test_a_write_that_began_before_the_first_was_committed_is_a_conflict(opening, library, url, isolation):
    set_default(url, f"default_transaction_isolation = '{isolation}'")
    shop, other = opening(library, url), opening("psycopg", url)
    other.pay("creates the table")

    def begin(request):
        shop.database.execute(request[DATABASE], "select 1")
        assert other.pay().status == 201

    shop.app.before_request(begin)
    late = shop.pay()
    assert (late.status, late.headers["retry-after"], shop.paid) == (409, "2", ["tea", "tea"])


@pytest.fixture
def of_tenants(opening, monkeypatch):
    """Make an app that sets the search path of its connection by a field of the request."""

    def open_(url, then):
        def connect(request):
            with psycopg.connect(url) as connection:
                connection.execute(f"set search_path = {request.headers['x-tenant']}, public")
                yield connection

        monkeypatch.setitem(LIBRARIES, "of tenants", lambda url: LIBRARIES["psycopg"](url)._replace(source=connect))
        shop = opening("of tenants", url)
        shop.then = then
        return shop

    return open_


@pytest.mark.parametrize("then", [lambda request: "Paid.", _raise], ids=["in one transaction", "rolled back"])
def test_each_schema_of_a_tenant_has_a_table(of_tenants, postgres, then):
    tenants = "shop_a", '"Shop B"', '"order"'
    for tenant in tenants:
        rows_of(postgres, f"create schema {tenant} create table payments (item text)")
    shop = of_tenants(postgres, then)
    found = [shop.pay(x_tenant=tenant) for tenant in tenants for _ in range(3)]
    assert {response.status for response in found} == {402 if then is _raise else 200}
    counted = [rows_of(postgres, f"select count(*) from {each}.antiphon_writes") for each in tenants]
    assert counted == [[(1,)]] * 3


def test_a_handler_that_sets_another_search_path_keeps_its_response(of_tenants, postgres):
    rows_of(postgres, "create schema a create table payments (item text); create schema b")
    shop = of_tenants(postgres, lambda request: request[DATABASE].execute("set search_path = b") and "Paid.")
    assert [shop.pay(x_tenant="a").text, shop.pay(x_tenant="a").text] == ["Paid.", "Paid."]
    assert rows_of(postgres, "select count(*) from a.antiphon_writes") == [(1,)]


def test_each_file_of_a_tenant_has_a_table(opening, tmp_path, monkeypatch):
    def connect(request):
        with closing(sqlite3.connect(tmp_path / request.headers["x-tenant"])) as connection, connection:
            connection.execute(CREATE)
            yield connection

    monkeypatch.setitem(LIBRARIES, "of tenants", lambda url: LIBRARIES["sqlite3"](url)._replace(source=connect))
    shop = opening("of tenants", "unused")
    assert [shop.pay(x_tenant=tenant).status for tenant in "aabb"] == [201] * 4


@pytest.mark.parametrize(("library", "url"), [("psycopg", "postgres"), ("async psycopg", "postgres")], indirect=["url"])
def test_the_code_of_another_role_is_not_called(opening, library, url, monkeypatch):
    monkeypatch.setattr(table, "CLEAN_EVERY", 1)
    plant_functions(url)
    shop = opening(library, url)
    assert [shop.pay().status, shop.pay().status, shop.paid] == [201, 201, ["tea"]]
    shop.then = _raise
    assert [shop.pay("fails").status, shop.pay("fails").status] == [402, 402]


def test_a_table_of_another_role_is_not_used(opening, postgres):
    rows_of(postgres, CREATE)
    columns = "id bytea primary key, data bytea, version bigint, changed float8, expires float8"
    execute_as_another(postgres, f"create table public.antiphon_writes ({columns})")
    shop = opening("psycopg", postgres)
    with pytest.raises(RuntimeError, match=r"table public.antiphon_writes .* belongs to the role 'mallory'.* owner to"):
        shop.pay(client=shop.client(raise_errors=True))
    assert (shop.paid, shop.claims) == ([], 0)
    rows_of(postgres, "alter table antiphon_writes owner to antiphon")
    assert shop.pay().status == 201


@pytest.mark.parametrize(("library", "url"), [("psycopg", "postgres")], indirect=["url"])
def test_a_write_in_progress_is_a_conflict(opening, library, url):
    shop = opening(library, url)
    shop.pay("creates the table")
    begun, go = threading.Event(), threading.Event()

    def then(request):
        begun.set()
        assert go.wait(30)
        return "Paid."

    shop.then = then
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(shop.pay)
        assert begun.wait(30)
        meanwhile = shop.pay()
        assert (meanwhile.status, meanwhile.headers["retry-after"]) == (409, "2")
        assert meanwhile.json["type"].endswith("in-use")
        go.set()
        assert first.result().text == shop.pay().text == "Paid."


@on_both
def test_checks_are_those_of_the_feature_with_a_store(opening, library, url):
    inside, beside = opening(library, url), opening(library, url)
    for shop, feature in (inside, IdempotentWrites(inside=DATABASE)), (beside, IdempotentWrites(MemoryStore())):
        shop.app = App()
        shop.app.provide(DATABASE, shop.database.source)
        shop.app.use(feature)
    tokens = {"ada's": "ada", "bob's": "bob"}
    for shop in inside, beside:
        shop.app.use(Users(Bearer(tokens.get)))

        @shop.app.post("/payments", idempotent=True)
        def pay(request, shop=shop):
            return f"{request.user}, {request.headers.get('x-tenant')}"

    ada, key = ("authorization", "Bearer ada's"), ("idempotency-key", f'"{KEY}"')
    requests = [
        (b"tea", [key, ada, ("x-tenant", "a")]),
        (b"tea", [key, ada, ("x-tenant", "a")]),
        (b"tea", [key, ada, ("x-tenant", "b")]),
        (b"tea", [key, ("authorization", "Bearer bob's")]),
        (b"tea", [key]),
        (b"coffee", [key, ada, ("x-tenant", "a")]),
        (b"tea", [key, key]),
        (b"tea", [("idempotency-key", '""')]),
        (b"tea", []),
    ]
    found = [[shop.client().post("/payments", body=body, headers=fields) for body, fields in requests]
             for shop in (inside, beside)]  # fmt: skip
    assert [response.status for response in found[0]] == [200, 200, 422, 422, 422, 422, 400, 400, 400]
    assert [response.status for response in found[1]] == [response.status for response in found[0]]
    assert found[0][0].text == found[0][1].text == "ada, a"


@pytest.fixture
def now(clock, monkeypatch):
    """The clock by which rows expire."""
    monkeypatch.setattr(table, "time", SimpleNamespace(time=clock))
    return clock


@on_both
def test_a_key_expires(opening, library, url, now):
    shop = opening(library, url, ttl=60)
    shop.pay()
    now.now += 61
    shop.pay()
    assert (shop.paid, shop.claims) == (["tea", "tea"], 1)


@on_both
def test_expired_rows_are_deleted(opening, library, url, now):
    shop = opening(library, url, ttl=60)
    client = shop.client()
    for number in range(70):
        shop.pay(str(number), client=client)
    now.now += 61
    for number in range(70, 140):
        shop.pay(str(number), client=client)
    assert shop.claims < 100


@on_both
def test_the_documented_table_is_the_one_that_is_created(opening, library, url):
    page = Path("docs/how-to/idempotency.md").read_text()
    [statements] = re.findall(r"```sql\n(create table antiphon_writes.*?)```", page, re.DOTALL)
    if library == "sqlite3":
        statements = statements.replace("bytea", "blob")
    for statement in statements.split(";"):
        if statement.strip():
            rows_of(url, statement)
    documented = _columns(url)
    assert opening(library, url).pay().status == 201
    rows_of(url, "drop table antiphon_writes")
    assert opening(library, url).pay("other").status == 201
    assert _columns(url) == documented


def _columns(url):
    if "://" in url:
        columns = "select column_name, data_type, is_nullable from information_schema.columns"
        indexes = "select indexdef from pg_indexes"
        return rows_of(url, f"{columns} where table_name = 'antiphon_writes' order by 1"), rows_of(
            url, f"{indexes} where tablename = 'antiphon_writes' order by 1"
        )
    return rows_of(url, "select * from pragma_table_info('antiphon_writes')"), rows_of(
        url, "select * from pragma_index_list('antiphon_writes')"
    )


@pytest.mark.parametrize(("library", "url"), [("psycopg", "postgres")], indirect=["url"])
def test_many_create_the_table_at_once(opening, library, url):
    shops = [opening(library, url) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda pair: pair[1].pay(str(pair[0])).status, enumerate(shops))]
    assert (found, shops[0].claims) == ([201] * 8, 8)


@pytest.mark.parametrize(("library", "url"), [("psycopg", "postgres")], indirect=["url"])
def test_a_failed_transaction_whose_error_is_caught_keeps_the_4xx(opening, library, url):
    rows_of(url, "create unique index payments_item on payments (item)")
    shop = opening(library, url)
    shop.pay("first")

    def pay(request: Request):
        try:
            request[DATABASE].execute(PAY.format(item="tea"))
        except psycopg.errors.UniqueViolation:
            return "It is paid.", 409
        return "Paid."

    shop.app = App()
    shop.app.provide(DATABASE, shop.database.source)
    shop.app.use(IdempotentWrites(inside=DATABASE))
    shop.app.post("/payments", idempotent=True)(pay)
    assert [shop.pay().status, shop.claims] == [409, 2]
    rows_of(url, "delete from payments")
    assert shop.pay().status == 409


def test_a_commit_that_fails_keeps_nothing(opening, postgres):
    rows_of(postgres, "create table payments (item text not null unique deferrable initially deferred)")
    rows_of(postgres, PAY.format(item="tea"))
    shop = opening("psycopg", postgres)
    assert shop.pay().status == 500  # and the table that it has created is gone with it
    rows_of(postgres, "delete from payments where item = 'tea'")
    assert [shop.pay().status, shop.claims] == [201, 1]


def test_a_4xx_is_sent_only_if_it_can_be_kept(opening, postgres):
    """Otherwise a retry, which is carried out, could get another response."""
    rows_of(postgres, CREATE)
    shop = opening("psycopg", postgres)
    shop.pay("creates the table")

    def then(request):
        rows_of(postgres, "alter table antiphon_writes rename data to gone")
        abort(402, "There is no money.")

    shop.then = lambda request: request[DATABASE].rollback() or then(request)
    assert shop.pay().status == 500
    rows_of(postgres, "alter table antiphon_writes rename gone to data")
    shop.then = lambda request: "Paid."
    assert [shop.pay().text, shop.pay().text] == ["Paid.", "Paid."]


@on_sqlite
def test_a_locked_database_is_a_503(opening, library, url):
    shop = opening(library, url)
    shop.app = App()

    def connect(request):
        with closing(sqlite3.connect(url, timeout=0)) as connection, connection:
            yield connection

    shop.app.provide(DATABASE, connect)
    shop.app.use(IdempotentWrites(inside=DATABASE))
    shop.app.post("/payments", idempotent=True)(lambda request: "Paid.")
    assert shop.pay("creates the table").status == 200
    with closing(sqlite3.connect(url, isolation_level=None)) as other:
        other.execute("begin immediate")
        refused = shop.pay()
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        other.execute("rollback")
    assert shop.pay().status == 200


def test_a_database_that_is_away_is_a_503(opening):
    shop = opening("psycopg", "postgresql://antiphon@127.0.0.1:1/none")
    refused = shop.pay()
    assert (refused.status, refused.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    ("library", "url"),
    [kind for kind in KINDS if kind[1] == "postgres" and kind[0] not in ("Django", "asyncpg")],
    indirect=["url"],
)
def test_a_connection_that_is_lost_before_the_handler_is_a_503(opening, library, url):
    shop = opening(library, url, "asgi")

    @shop.app.before_request
    async def lose(request):
        if isawaitable(found := shop.database.execute(request[DATABASE], "select 1")):
            await found
        rows_of(url, LOSE)

    refused = shop.pay()
    assert (refused.status, refused.headers["retry-after"]) == (503, "2")


@on_sqlite
def test_a_handler_that_takes_a_response_from_elsewhere_keeps_its_fields(opening, library, url):
    shop = opening(library, url)
    shop.then = lambda request: Response(b"\x00\xff", 202, [("x-own", "a"), ("x-own", "b"), ("set-cookie", "c=d")])
    shop.pay()
    again = shop.pay()
    assert (again.status, again.body, again.headers.getall("x-own")) == (202, b"\x00\xff", ["a", "b"])
    assert "set-cookie" not in again.headers


def _without_transaction(request):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


class TestAnErrorThatTeaches:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (lambda request: iter([object()]), "must give a database connection"),
            (_without_transaction, "commits each statement"),
        ],
        ids=["no connection", "no transaction"],
    )
    def test_is_raised_for(self, source, message):
        app = App()
        app.provide(DATABASE, source)
        app.use(IdempotentWrites(inside=DATABASE))
        app.post("/", idempotent=True)(lambda request: "")
        with pytest.raises(RuntimeError, match=message), Client(app, raise_errors=True) as client:
            client.post("/", headers={"idempotency-key": '"a"'})

    def test_is_raised_for_an_async_connection_in_a_def_handler(self, tmp_path):
        app = App()
        app.provide(DATABASE, LIBRARIES["async SQLAlchemy"](str(tmp_path / "shop.db")).source)
        app.use(IdempotentWrites(inside=DATABASE))
        app.post("/", idempotent=True)(lambda request: "")
        with pytest.raises(RuntimeError, match="async def"), Client(app, raise_errors=True) as client:
            client.post("/", headers={"idempotency-key": '"a"'})

    def test_is_raised_for_a_store_besides(self):
        with pytest.raises(ValueError, match="leave out one"):
            IdempotentWrites(MemoryStore(), inside=DATABASE)

    def test_is_raised_for_what_is_no_dependency(self):
        with pytest.raises(TypeError, match="needs a dependency"):
            IdempotentWrites(inside=object())


@on_sqlite
def test_an_app_with_a_store_does_not_use_it(opening, library, url):
    shop = opening(library, url)
    store = MemoryStore()
    shop.app = App(store=store)
    shop.app.provide(DATABASE, shop.database.source)
    shop.app.use(IdempotentWrites(inside=DATABASE))
    shop.app.post("/payments", idempotent=True)(lambda request: "Paid.")
    assert [shop.pay().text, shop.claims, store.load(f"idempotent\n{KEY}")] == ["Paid.", 1, None]


@frees_at_once
@pytest.mark.parametrize("options", [{"inside": DATABASE}, {"store": MemoryStore()}], ids=["inside", "store"])
@on_sqlite
def test_a_4xx_leaves_nothing_to_the_garbage_collector(opening, library, url, options):
    shop = opening(library, url)
    shop.app = App()
    shop.app.provide(DATABASE, shop.database.source)
    shop.app.use(IdempotentWrites(**options))
    shop.app.post("/payments", idempotent=True)(_raise)
    client, keys = shop.client(), itertools.count()
    assert garbage_of(lambda: shop.pay(str(next(keys)), client=client)) == {}
