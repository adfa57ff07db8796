"""Durable work that fails: what may pass is tried again, and what has failed for good is told, kept, and carried out
when it is asked for.
"""

import itertools
import sqlite3
import time
from contextlib import closing

import httpx
import psycopg
import pytest

from antiphon import App, Dependency, Request, abort
from antiphon.features import Durable, Health, Metrics, StoreUnavailable
from antiphon.features.durable import engine
from antiphon.features.durable.flow import attempts_in, may_pass
from antiphon.http import BadGateway, TooManyRequests
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

DATABASE = Dependency("database")
EFFECTS = []
FAILURES = []
"""The errors that are still to come, each from the step that is called next."""
KEYS = itertools.count(1)
DURABLE = []


def effect(what):
    if FAILURES:
        raise FAILURES.pop()
    EFFECTS.append(what)
    return what


def raised(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error


def statement(text):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(
            f"pragma page_size = 512; create table items (item); pragma max_page_count = 3; {text}"
        )


def cause(error, of=None):
    try:
        raise error
    except Exception as error:
        raise RuntimeError("of a library") from of


def lost():
    return psycopg.OperationalError("the connection is lost")


def upstream(status):
    httpx.Response(status, request=httpx.Request("GET", "http://bank")).raise_for_status()


@rows(
    "error, passes",
        (lost(), True), (raised(statement, "select * from nothing"), False),
        (raised(statement, "insert into items values (zeroblob(9999))"), True), (TimeoutError(), True),
        (ConnectionRefusedError(111, "refused"), True), (OSError(28, "No space left on device"), True),
        (FileNotFoundError(2, "missing"), False),
        (raised(cause, TimeoutError()), False), (raised(cause, ValueError(), ConnectionResetError()), True),
        (StoreUnavailable.for_now(), True), (BadGateway(), True), (TooManyRequests(), True),
        (raised(upstream, 503), True), (raised(upstream, 429), True), (raised(upstream, 404), False),
        (httpx.ConnectTimeout("no"), False), (ValueError("a bug"), False), (None, False),
)  # fmt: skip
def test_errors_that_may_pass(error, passes):
    assert may_pass(error) is passes


@rows("time, attempts", (0, 0), (1, 1), (3, 2), (4, 3), (4095, 12), (4096, 13), (3 * 86_400, 83), (86_400_000, 24_011))
def test_a_time_is_a_number_of_attempts_so_that_no_clock_that_is_set_ends_them(time, attempts):
    assert attempts_in(time) == attempts


@pytest.fixture(scope="module")
def client(postgres_server):
    """A client of an application whose pauses are short, and whose handlers each take the same two steps."""
    app = App(secret_keys=["k" * 32])
    DURABLE[:] = [durable := Durable(postgres_server.database(), wait=30, retries=3)]
    for feature in durable, Health(), Metrics():
        app.use(feature)
    app.provide(DATABASE, lambda request: effect("connected"))

    def ship(request: Request):
        durable.step(effect, "charged")
        durable.step(effect, "shipped")
        return "Thank you.", 201

    def caught(request: Request):
        try:
            return ship(request)
        except Exception:
            abort(503, "Please try again.")

    async def aship(request: Request):
        await durable.astep(effect, "charged")
        await durable.astep(effect, "shipped")
        return "Thank you.", 201

    def connected(request: Request):
        _ = request[DATABASE]
        return ship(request)

    for handler in ship, caught, aship, connected:
        app.post(f"/{handler.__name__}", durable=True)(handler)
    app.post("/handled", durable=True)(ship)

    @app.errorhandler(psycopg.OperationalError)
    def unavailable(request, error):
        return "Later.", 503, {"retry-after": "2"}

    with pytest.MonkeyPatch.context() as patch, Client(app, raise_errors=False) as client:
        patch.setattr(engine, "LONGEST_PAUSE", 0.01)
        yield client


def after(failures):
    """Have the next steps fail, and forget what was done."""
    FAILURES[:] = failures
    EFFECTS.clear()


def sent(client, path, key):
    return client.post(path, headers={"idempotency-key": f'"{key}"'}).status


OUTAGES = {"a lost connection": lost, "a timeout": TimeoutError, "a store": StoreUnavailable.for_now}


@rows("path, outage", *itertools.product(("/ship", "/caught", "/aship", "/connected", "/handled"), OUTAGES))
def test_a_request_that_meets_an_outage_is_finished_without_the_client(client, path, outage):
    """Each step is carried out once."""
    key = next(KEYS)
    after([OUTAGES[outage]() for _ in range(3)])
    assert [sent(client, path, key) for _ in range(2)] == [201, 201]
    assert [each for each in EFFECTS if each != "connected"] == ["charged", "shipped"]


@rows(
    "path, failures, status",
    ("/ship", [ValueError("a bug")], 500),
    ("/ship", [TimeoutError() for _ in range(4)], 500),
    ("/handled", [lost() for _ in range(4)], 503),
)
def test_what_has_failed_for_good_is_told_and_carried_out_when_asked(client, caplog, path, failures, status):
    key, before = next(KEYS), client.get("/readyz").json["durable"]["failed"]
    after(failures)
    assert sent(client, path, key) == status
    assert EFFECTS == []
    id_ = DURABLE[0]._id_of(f"idempotent\n{key}")
    assert [each for each in caplog.messages if f"POST {path} has failed for good, id {id_}: {status}" in each]
    assert client.get("/readyz").json["durable"]["failed"] == before + 1
    assert f'antiphon_durable_failures_total{{kind="request",job=""}} {before + 1}' in client.get("/metrics").text
    where = f"/durable/{DURABLE[0]._addresses.sign(id_.encode(), time.time()).decode()}"
    assert client.get(where).status == status
    assert [sent(client, path, key) for _ in range(2)] == [201, 201]
    assert EFFECTS == ["charged", "shipped"]
    assert client.get(where).status == 201


def test_a_retry_of_another_request_does_not_carry_out_a_failed_one(client):
    key = next(KEYS)
    after([ValueError("a bug")])
    assert [sent(client, path, key) for path in ("/ship", "/aship")] == [500, 422]
    assert EFFECTS == []


def test_two_retries_at_once_carry_it_out_once(client):
    key = next(KEYS)
    after([ValueError("a bug")])
    sent(client, "/ship", key)
    with closing(DURABLE[0]._administration()) as administration:
        failed = administration.find(DURABLE[0]._id_of(f"idempotent\n{key}"))
        assert sent(client, "/ship", key) == 201
        assert not administration.retry(failed)
    assert EFFECTS == ["charged", "shipped"]
