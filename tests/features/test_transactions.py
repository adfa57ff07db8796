"""Who ends a transaction, and what that means for functions that wait for its commit, for jobs and for responses that
are written in it: with each library, the database has the last word.

A handler does what the words of a request say, in a source that commits after it ("source"), or only closes its
connection ("closing").
"""

import itertools
import re
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from io import BytesIO
from uuid import uuid4
from wsgiref.util import setup_testing_defaults

import psycopg
import pytest
from asgiref.sync import sync_to_async

from antiphon import App, Dependency
from antiphon.features import Durable, IdempotentWrites
from antiphon.testing import Client
from tests.helpers.databases import (
    CREATE,
    DATABASE,
    KINDS,
    LIBRARIES,
    PAY,
    of_each,
    rows_of,
    wait_for_closed_connections,
)
from tests.helpers.django_settings import settings_for_views
from tests.helpers.rows import rows
from tests.helpers.transactions import SENT, Shop, Undone, send
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

SOURCES = ["source", "closing"]
MARKED = "mark pay after mark pay after release pay after"
"""Two savepoints of one name, of which the inner one is released, so that the outer one is the last again."""
ENDED = {  # the status, the payments that are there, and those whose mail is sent
    "the source commits": ("source", "pay after", 201, ["1"], [1]),
    "the handler fails": ("source", "pay after fail", 500, [], []),
    "a savepoint is undone": ("source", "pay after savepoint pay after", 201, ["1", "3"], [1, 3]),
    "savepoints are released": ("source", f"{MARKED} release", 201, ["1", "2", "3"], [1, 2, 3]),
    "one is undone by a statement": ("source", f"pay after {MARKED} back pay after", 201, ["1", "5"], [1, 5]),
    "the connection is lost": ("source", "pay after lose", 500, [], []),
    "each statement is committed": ("autocommit", "pay after pay after", 201, ["1", "2"], [1, 2]),
    "each is, and the handler fails": ("autocommit", "pay after pay after fail", 500, ["1", "2"], [1, 2]),
    "the handler commits": ("closing", "pay after commit", 201, ["1"], [1]),
    "nothing is open then": ("closing", "pay commit after", 201, ["1"], [1]),
    "the handler commits twice": ("closing", "pay after commit pay after commit", 201, ["1", "2"], [1, 2]),
    "the handler commits, and fails": ("closing", "pay after commit fail", 500, ["1"], [1]),
    "the handler rolls back": ("closing", "pay after rollback", 201, [], []),
    "it rolls back, and commits then": ("closing", "pay after rollback pay after commit", 201, ["2"], [2]),
    "it commits, and rolls back then": ("closing", "pay after commit pay after rollback", 201, ["1"], [1]),
    "nobody commits": ("closing", "pay after", 500, [], []),
    "nobody commits the second": ("closing", "pay after commit pay after", 500, ["1"], [1]),
    "the handler commits, and closes": ("closing", "pay after commit close", 201, ["1"], [1]),
    "nothing has begun": ("closing", "after", 201, [], [0]),
}  # fmt: skip
RETRIED = {  # the statuses of three requests with one key, and the payments that are there
    "the source commits": ("source", "pay", [201, 201, 201], ["1"]),
    "the handler refuses": ("source", "pay refuse", [402, 402, 402], []),
    "a savepoint is undone": ("source", "pay savepoint", [201, 201, 201], ["1"]),
    "the connection is lost": ("source", "pay lose", [500, 500, 500], []),
    "the handler commits": ("closing", "pay commit", [201, 201, 201], ["1"]),
    "it commits, and something waits then": ("closing", "pay commit after", [201, 201, 201], ["1"]),
    "it commits before and after it pays": ("closing", "commit pay commit", [201, 201, 201], ["1"]),
    "it commits, and is to be asked later": ("closing", "pay commit later", [503, 503, 503], ["1", "1", "1"]),
    "it commits, and refuses": ("closing", "pay commit refuse", [402, 402, 402], ["1"]),
    "it commits, and fails": ("closing", "pay commit fail", [500, 409, 409], ["1"]),
    "it rolls back": ("closing", "pay rollback", [201, 201, 201], []),
    "it rolls back, and commits then": ("closing", "pay rollback pay commit", [201, 201, 201], ["2"]),
    "it does, and rolls back again": ("closing", "pay rollback pay rollback pay commit", [201, 201, 201], ["3"]),
    "it rolls back, commits, and fails": ("closing", "pay rollback pay commit fail", [500, 409, 409], ["2"]),
    "it commits, rolls back, and fails": ("closing", "pay commit pay rollback fail", [500, 409, 409], ["1"]),
    "it rolls back, and is to be asked later": ("closing", "pay rollback pay commit later", [503] * 3, ["2"] * 3),
    "it rolls back, and fails": ("closing", "pay rollback pay fail", [500, 500, 500], []),
    "it refuses": ("closing", "pay refuse", [402, 402, 402], []),
    "nobody commits": ("closing", "pay", [500, 500, 500], []),
}  # fmt: skip
ENQUEUED = {  # the status, the payments that are there, and the number of jobs that are done
    "the source commits": ("source", "pay enqueue", 201, ["1"], 1),
    "the handler fails": ("source", "pay enqueue fail", 500, [], 0),
    "the handler commits": ("closing", "pay enqueue commit", 201, ["1"], 1),
    "the handler commits, and fails": ("closing", "pay enqueue commit fail", 500, ["1"], 1),
    "it commits twice": ("closing", "pay commit enqueue commit", 201, ["1"], 1),
    "it rolls back": ("closing", "pay enqueue rollback", 201, [], 0),
    "it rolls back, and commits then": ("closing", "pay enqueue rollback pay commit", 201, ["2"], 0),
    "it does, and enqueues again": ("closing", "pay enqueue rollback pay enqueue commit", 201, ["2"], 1),
    "nobody commits": ("closing", "pay enqueue", 500, [], 0),
    "nobody commits the job": ("closing", "pay commit pay enqueue", 500, ["1"], 0),
}  # fmt: skip
NOT_AWAITED = {
    "the source commits": ("source", "pay post", 201, ["1"], 1),
    "the handler commits": ("closing", "pay post commit", 500, ["1"], 0),  # and the error says what to write
    "it rolls back": ("closing", "pay post rollback", 201, [], 0),
    "it rolls back, and commits then": ("closing", "pay post rollback pay commit", 201, ["2"], 0),
}


@pytest.fixture
def views():
    """Django's settings."""
    with settings_for_views():
        yield


def cases(table, library, source, url):
    """Return the cases of a table that a library and a database have, by the words of each."""
    if library == "Django" and source == "closing":  # which commits each statement by itself, outside of its own blocks
        return {}
    return {words: outcome for kind, words, *outcome in table.values()
            if kind == source and ("lose" not in words.split() or "://" in url)}  # fmt: skip


@pytest.mark.parametrize("source", [*SOURCES, "autocommit"])
@of_each
def test_what_waits_for_a_commit_follows_the_database(library, url, source, caplog):
    rows_of(url, CREATE)
    shop, expected, found = Shop(library, url, source), cases(ENDED, library, source, url), {}
    with Client(shop.app) as client:
        for words in expected:
            shop.clear()
            found[words] = [shop.send(client, words), shop.payments, [*shop.called]]
    assert found == expected
    errors = [str(record.exc_info) for record in caplog.records if "has ended without a commit" in str(record.exc_info)]
    assert len(errors) == (2 if expected and source == "closing" else 0)


@pytest.mark.parametrize("source", SOURCES)
@of_each
def test_a_retry_finds_what_the_database_has(library, url, source, caplog):
    rows_of(url, CREATE)
    shop = Shop(library, url, source, IdempotentWrites(inside=DATABASE), idempotent=True)
    expected, found = cases(RETRIED, library, source, url), {}
    if source == "closing" and library in ("asyncpg", "Django"):  # in whose sources a transaction has to begin
        expected = {"pay": [[500, 500, 500], []]}
    with Client(shop.app) as client:
        for words in expected:
            shop.clear()
            key = {"idempotency-key": words.replace(" ", "-")}
            found[words] = [[shop.send(client, words, headers=key) for _ in range(3)], shop.payments]
    assert found == expected
    told = [
        re.search("has ended without a commit|commits each statement", str(each.exc_info)) for each in caplog.records
    ]
    assert len([each for each in told if each]) == (3 if source == "closing" else 0)


HELD = {
    "pay": ("source", [201, 201, 201], ["1"]),
    "pay fail": ("source", [500, 500, 500], []),
    "pay commit": ("closing", [201, 201, 201], ["1"]),
    "pay commit fail": ("closing", [500, 409, 409], ["1"]),
    "pay rollback": ("closing", [201, 201, 201], []),
    "pay rollback pay commit": ("closing", [201, 201, 201], ["2"]),
    "pay rollback pay commit fail": ("closing", [500, 409, 409], ["2"]),
}


@pytest.mark.parametrize(("library", "url"), [
    ("sqlite3", "sqlite"), ("aiosqlite", "sqlite"), ("psycopg", "postgres"), ("async SQLAlchemy", "postgres"),
], indirect=["url"])  # fmt: skip
def test_a_retry_finds_what_the_database_has_whose_transaction_middleware_holds(library, url):
    rows_of(url, CREATE)
    found = {}
    for words, (source, *_) in HELD.items():
        shop = Shop(library, url, source, IdempotentWrites(inside=DATABASE), idempotent=True)
        shop.app = App()
        shop.app.use(IdempotentWrites(inside=DATABASE))
        shop.app.middleware(errors_at_yield=True)(_holding(getattr(shop.database, source), shop.database.is_async))
        shop.app.post("/async" if shop.database.is_async else "/", idempotent=True)(shop.handle)
        shop.clear()
        with Client(shop.app) as client:
            key = {"idempotency-key": words.replace(" ", "-")}
            sent = []
            for _ in range(3):
                sent.append(shop.send(client, words, headers=key))
                wait_for_closed_connections(url)
            found[words] = (source, sent, shop.payments)
    assert found == HELD


def _holding(source, is_async):
    def hold(request):
        with contextmanager(source)(request) as request[DATABASE]:
            yield

    async def ahold(request):
        async with asynccontextmanager(source)(request) as request[DATABASE]:
            yield

    return ahold if is_async else hold


def test_a_job_follows_the_database(views, postgres):
    rows_of(postgres, CREATE)
    durable, expected, found = Durable(postgres, inside=DATABASE), {}, {}
    shop = Shop("psycopg", postgres, "source", durable)
    with Client(shop.app) as client:
        for library, source in itertools.product([name for name, kind in KINDS if kind == "postgres"], SOURCES):
            table = ENQUEUED | (NOT_AWAITED if LIBRARIES[library](postgres).is_async else {})
            for words, outcome in cases(table, library, source, postgres).items():
                shop.clear()
                with shop.app.override(DATABASE, source=shop.use(library, source)):
                    shop.job = f"{library}, {source}: {words}"
                    found[shop.job] = [shop.send(client, words), shop.payments]
                expected[shop.job] = outcome
        last = durable.enqueue(send, "last")
        done = [job for job, (*_, jobs) in expected.items() if jobs]
        assert found == {job: outcome[:2] for job, outcome in expected.items()}
        eventually(lambda: {*done, "last"} <= {*SENT} or None, "a job is not done", 5)
        assert rows_of(postgres, "select * from dbos.antiphon_outbox") == []
        jobs = rows_of(postgres, "select count(*) from dbos.workflow_status")
    assert (sorted(SENT), jobs) == (sorted([*done, "last"]), [(len(done) + 1,)])
    assert last


def test_a_durable_request_follows_the_database(views, postgres):
    """Each library has a third of the cases. What a lost connection does, ``test_interrupted_transactions`` asks."""
    rows_of(postgres, CREATE)
    shop, expected, found = (
        Shop("psycopg", postgres, "source", Durable(postgres, inside=DATABASE), durable=True),
        {},
        {},
    )
    libraries = [name for name, kind in KINDS if kind == "postgres"]
    for number, (library, source) in enumerate(itertools.product(libraries, [*SOURCES, "autocommit"])):
        known = [(words, outcome) for words, outcome in cases(ENDED, library, source, postgres).items()
                 if "lose" not in words.split()]  # fmt: skip
        expected |= {(library, source, words): outcome for words, outcome in known[number % 3 :: 3]}
    with Client(shop.app) as client:
        for library, source, words in expected:
            shop.clear()
            with shop.app.override(DATABASE, source=shop.use(library, source)):
                status = shop.send(client, words, headers={"idempotency-key": uuid4().hex})
            found[library, source, words] = [status, shop.payments, [*shop.called]]
    assert found == expected


@pytest.mark.axes("interface")
@pytest.mark.parametrize("place", ["middleware", "source"])
def test_an_async_handler_is_not_left_outside_of_a_transaction_on_a_thread(views, tmp_path, interface, place, caplog):
    """Django's connections belong to threads, of which the handler has another one."""
    url = str(tmp_path / "shop.db")
    rows_of(url, CREATE)
    database, app = LIBRARIES["Django"](url), App()
    app.provide(DATABASE, getattr(database, "source" if place == "source" else "closing"), blocking=True)

    @app.middleware(errors_at_yield=True, blocking=True)
    def atomic(request):
        with nullcontext() if place == "source" else contextmanager(database.source)(request):
            yield

    @app.post("/")
    async def pay(request):
        await sync_to_async(database.execute)(request[DATABASE], PAY.format(item=1))
        raise ZeroDivisionError

    with Client(app, interface) as client:
        assert client.post("/").status == 500
    assert rows_of(url, "select * from payments") == []
    assert "write the handler as def" in str(caplog.records[-1].exc_info)


@pytest.mark.parametrize(("library", "url"), [kind for kind in KINDS if kind[1] == "postgres"], indirect=["url"])
def test_a_failed_transaction_is_not_committed_though_its_error_is_caught(library, url):
    rows_of(url, CREATE)
    shop = Shop(library, url, "source")
    with Client(shop.app) as client:
        assert shop.send(client, "pay after mistake") in (201, 500)
    assert (shop.payments, shop.called) == ([], [])


def test_a_commit_that_sqlite_refuses_is_none(tmp_path):
    """As while another connection reads: the library says so after it has reported the commit."""
    url = str(tmp_path / "shop.db")
    rows_of(url, CREATE)
    shop = Shop("sqlite3", url, "source")

    def connect(request):
        with closing(sqlite3.connect(url, timeout=0)) as connection:
            yield connection
            connection.commit()

    with shop.app.override(DATABASE, source=connect), Client(shop.app) as client:
        with closing(sqlite3.connect(url, isolation_level=None)) as reader:
            reader.execute("begin")
            reader.execute("select * from payments").fetchall()
            assert (shop.send(client, "pay after"), shop.called) == (500, [])
        assert shop.payments == []


def test_a_transaction_around_the_request_decides(views, tmp_path):
    """As in a test of Django's, or one of its views: the functions are called when it is committed."""
    url = str(tmp_path / "shop.db")
    rows_of(url, CREATE)
    shop = Shop("Django", url, "source")
    [connection] = shop.database.closing(None)

    def join(request):
        with shop.database.savepoint(connection):
            yield connection

    def send():
        body, sent = BytesIO(b"pay after"), []
        environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9", "wsgi.input": body}
        setup_testing_defaults(environ)
        assert [*shop.app(environ, lambda status, _headers: sent.append(status))] == [b"Thank you."]
        return sent

    with shop.app.override(DATABASE, source=join), closing(connection):
        for is_kept in (True, False):
            shop.clear()
            with suppress(Undone), shop.database.savepoint(connection):
                assert (send(), shop.called) == (["201 Created"], [])
                if not is_kept:
                    raise Undone
            assert (shop.payments, shop.called) == ((["1"], [1]) if is_kept else ([], []))


OF_TWO = {  # what handlers do with the first and the second connection, the status, the payments, and the mails
    "both commit": ("source", "source", "pay2 pay after", 201, 2, 1),
    "only the second is used": ("source", "source", "pay2 after", 201, 1, 1),
    "nobody commits the second": ("source", "closing", "pay pay2 after", 500, 0, 0),
    "nobody commits the first": ("closing", "source", "pay pay2 after", 500, 1, 0),
    "the second is rolled back": ("source", "closing", "pay pay2 after undo2", 201, 1, 0),
    "nobody commits the second, alone": ("source", "closing", "pay2 after", 500, 0, 0),
}


@rows("first, second, words, status, payments, mails", OF_TWO.values())
def test_of_two_connections_all_whose_transactions_are_open_decide(
    postgres, first, second, words, status, payments, mails
):
    rows_of(postgres, CREATE)
    shop, other = Shop("psycopg", postgres, first), Dependency("other")
    shop.clear()
    shop.app.provide(other, getattr(shop.database, second))
    shop.pay2 = lambda request, _: shop.pay(request, request[other])
    shop.undo2 = lambda request, _: request[other].rollback()
    with Client(shop.app) as client:
        assert shop.send(client, words) == status
    assert (len(shop.payments), len(shop.called)) == (payments, mails)


def test_a_dependency_that_gives_a_connection_on_decides_nothing(tmp_path):
    """As one that sets a tenant's schema on the connection of another."""
    url = str(tmp_path / "shop.db")
    rows_of(url, CREATE)
    shop, same = Shop("sqlite3", url, "source"), Dependency("same")

    def give_on(request):
        yield request[DATABASE]

    shop.app.provide(same, give_on)
    shop.same = lambda request, _: request[same].execute("select 1")
    with Client(shop.app) as client:
        assert shop.send(client, "pay same after") == 201
    assert (shop.payments, shop.called) == (["1"], [1])


@pytest.mark.parametrize(("library", "url"), [("sqlite3", "sqlite"), ("aiosqlite", "sqlite")], indirect=["url"])
def test_the_release_of_a_savepoint_that_has_begun_a_transaction_commits_it(library, url):
    shop = Shop(library, url, "closing")
    with Client(shop.app) as client:
        assert shop.send(client, "mark pay after release") == 201
        assert shop.send(client, "pay after mark pay after release") == 500
    assert (shop.payments, shop.called) == (["1"], [1])


def test_a_job_of_a_transaction_that_middleware_holds_is_written(postgres):
    rows_of(postgres, CREATE)
    durable, app = Durable(postgres, inside=DATABASE), App(secret_keys=["k" * 32])
    durable._engine._watches = list
    app.use(durable)

    @app.middleware(errors_at_yield=True)
    def transaction(request):
        with psycopg.connect(postgres) as request[DATABASE]:
            yield

    app.post("/")(lambda request: durable.enqueue(send, "held"))
    app.post("/fails")(lambda request: durable.enqueue(send, "held") and 1 / 0)
    with Client(app) as client:
        assert [client.post("/").status, client.post("/fails").status] == [200, 500]
        assert rows_of(postgres, "select count(*) from dbos.antiphon_outbox") == [(1,)]
