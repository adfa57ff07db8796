"""Options, routes, schedules and calls of a durable feature that are refused before any database is needed."""

import sqlite3
from datetime import timedelta

import pytest

from antiphon import App, Blueprint
from antiphon.embedding import RequestState
from antiphon.features import Durable, IdempotentWrites, MemoryStore
from antiphon.features.durable.jobs import Schedule
from antiphon.features.durable.stored import schema_of
from antiphon.testing import Client
from tests.helpers.rows import rows

KEY = "k" * 32
NOW = 1_800_000_000.0  # a Friday, at 8 o'clock
URL = "postgresql:///none"


@rows(
    "text, last, next",
        ("1 hour", 0, 3600), ("hour", 0, 3600), ("15 minutes", 0, 900), ("2 days", 28_800 + 86_400, None),
        ("week", 28_800 + 86_400, 5 * 86_400 + 57_600),
        ("0 3 * * *", 5 * 3600, 19 * 3600), ("*/5 * * * *", 0, 300),
)  # fmt: skip
def test_schedules(text, last, next):
    found = Schedule.parse(text)
    assert NOW - found.last(NOW) == last
    assert next is None or found.next(NOW) - NOW == next


@rows("url, schema", ("sqlite:////srv/shop.db", ""), ("postgresql+psycopg://db/shop", "dbos."))
def test_tables_are_where_those_of_dbos_are(url, schema):
    assert schema_of(url) == schema


@rows("text", ["", "1 fortnight", "0 hours", "-1 hour", "* * *", "61 * * * *", "@hourly", "1 hour "])
def test_schedules_that_are_not(text):
    with pytest.raises(ValueError, match="a schedule must be such as"):
        Schedule.parse(text)


@rows(
    "options, message",
        ({"url": "mysql://"}, "needs PostgreSQL or SQLite"), ({"wait": 0}, "above 0"),
        ({"name": "SHOP"}, "a-z, 0-9, - and _"), ({"name": "no"}, "3 to 256"),
        ({"lease": -1}, "above 0"), ({"retries": -1}, "above 0"),
        ({"retries": timedelta(seconds=-1)}, "above 0"),
)  # fmt: skip
def test_options_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Durable(**{"url": URL, **options})


def test_an_old_sqlite_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    with pytest.raises(RuntimeError, match=r"SQLite 3.42 or newer.*use PostgreSQL"):
        Durable("sqlite:///shop.db")


@rows(
    "options, message",
    ({"idempotent": True}, "leave out idempotent=True"),
    ({"resumable": True}, "let it store the upload, and enqueue what is to be done with it"),
    ({"receive": "stream"}, "streams its body"),
    ({"unguarded": True}, "is unguarded"),
)
def test_routes_that_are_refused(options, message):
    app = App(secret_keys=[KEY])
    app.use(Durable(URL))
    app.use(IdempotentWrites(MemoryStore()))
    app.post("/", durable=True, **options)(lambda request: "")
    with pytest.raises(ValueError, match=message):
        app._freeze()


def test_what_needs_the_feature_a_key_or_a_start():
    app = App()
    app.post("/", durable=True)(lambda request: "")
    with pytest.raises(RuntimeError, match=r"needs app.use\(Durable"):
        app._freeze()
    app = App()
    app.use(Durable(URL))
    with pytest.raises(RuntimeError, match="secret_keys"), Client(app):
        pass
    with pytest.raises(TypeError, match="belongs to the application"):
        Blueprint("shop").use(Durable(URL))
    with pytest.raises(RuntimeError, match="belongs in a handler"):
        Durable(URL).step(str, "a")
    with pytest.raises(ValueError, match="at the top of its module"):
        Durable(URL).enqueue(lambda: None)
    with pytest.raises(RuntimeError, match="while its app is started"):
        Durable(URL).enqueue(str, "a")


def test_a_job_outside_of_the_transaction_is_an_effect():
    app = App()

    @app.post("/")
    def order(request):
        with RequestState(request).refusing_effects(ValueError), pytest.raises(ValueError, match="job") as refused:
            Durable(URL).enqueue(str, "a")
        return str(refused.value)

    assert Client(app).post("/").text == "a job that is enqueued outside of the transaction"


def test_effects_are_refused_until_the_outermost_block_ends():
    app = App()

    @app.post("/")
    def order(request):
        refusing = RequestState(request).refusing_effects
        with refusing(KeyError):
            with refusing(ValueError), pytest.raises(ValueError, match="after_response"):
                request.after_response(print)
            with pytest.raises(KeyError, match="after_response"):
                request.after_response(print)
        request.after_response(list)
        return "ordered"

    assert Client(app).post("/").text == "ordered"
