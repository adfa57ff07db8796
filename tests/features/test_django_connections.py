"""Connections of Django's ORM: whatever an app beside Django runs, gives back those that it has used."""

import time
from contextlib import ExitStack

import psycopg
import pytest
from asgiref.sync import sync_to_async

from antiphon import App, Blueprint
from antiphon.features import DjangoLogin, Durable, Users
from antiphon.testing import Client
from tests.helpers.databases import CREATE, LOSE, rows_of
from tests.helpers.django_settings import without_settings
from tests.helpers.rows import rows
from tests.helpers.waiting import at_once, eventually

pytest.importorskip("psycopg_pool")
pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("django")]
ROUNDS = 2
MOST = 2
"""The number of connections in the pool."""


@pytest.fixture(params=["pool", "connections"])
def django(request, postgres):
    """Django with a database, whose pool has two connections, or which keeps connections for a minute."""
    given = psycopg.conninfo.conninfo_to_dict(postgres)
    pool = {"pool": {"min_size": 0, "max_size": MOST, "timeout": 2}}
    with without_settings():
        import django
        from django.conf import settings

        settings.configure(
            SECRET_KEY="x" * 50,
            DATABASES={"default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"], "USER": given["user"],
                "HOST": given["host"], "OPTIONS": pool if request.param == "pool" else {},
                "CONN_HEALTH_CHECKS": True,
            }},
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        )  # fmt: skip
        django.setup(set_prefix=False)
        from django.db import connection

        yield
        if request.param == "pool":
            connection.close_pool()


def query():
    """Use the connection of this thread, as each query of the ORM does."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select 'row'")
        return cursor.fetchone()[0]


aquery = sync_to_async(query)


def opened(url):
    """Return how many connections are open that nobody is about to close, which takes a moment on another thread."""
    deadline = time.monotonic() + 0.5
    while (count := _used(url)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return count


def _used(url):
    from django.db import connection

    if connection.settings_dict["OPTIONS"]:
        stats = connection.pool.get_stats()
        return stats["pool_size"] - stats["pool_available"]
    [(count,)] = rows_of(url, "select count(*) from pg_stat_activity where datname = current_database()")
    return count - 1  # that which counts


def shop(*, loads_users=False):
    app = App(secret_keys=["x" * 32])
    app.use(Users(DjangoLogin(), blocking=loads_users))

    @app.get("/def")
    def index(request):
        return query()

    @app.get("/async")
    async def aindex(request):
        return await aquery()

    @app.get("/after/<kind>")
    def after(request, kind):
        request.after_response(query if kind == "def" else aquery)
        return query()

    @app.get("/async-after/<kind>")
    async def aafter(request, kind):
        request.after_response(query if kind == "def" else aquery)
        return await aquery()

    @app.get("/stream")
    def stream(request):
        query()

        def chunks():
            yield query()
            yield query()

        return chunks()

    @app.get("/async-stream")
    async def astream(request):
        async def chunks():
            yield await aquery()
            yield await aquery()

        return chunks()

    @app.websocket("/socket")
    def socket(request, socket):
        for _ in socket:
            socket.send(query())

    @app.websocket("/async-socket")
    async def asocket(request, socket):
        async for _ in socket:
            await socket.send(await aquery())

    return app


def talk(client, path):
    with client.websocket(path) as socket:
        socket.send("Hello")
        return socket.receive()


def get(client, path):
    response = client.get(path)
    assert response.status == 200, response.text
    return response.text


WORK = [
    (get, "/def", "row"), (get, "/async", "row"), (get, "/after/def", "row"), (get, "/after/async", "row"),
    (get, "/async-after/def", "row"), (get, "/async-after/async", "row"), (get, "/stream", "rowrow"),
    (get, "/async-stream", "rowrow"), (talk, "/socket", "row"), (talk, "/async-socket", "row"),
]  # fmt: skip
OVER = [*(("asgi", *work) for work in WORK), *(("wsgi", *work) for work in WORK if work[0] is get), ("rsgi", *WORK[3])]


@rows("interface, ask, path, sent", OVER)
def test_connections_are_given_back(interface, ask, path, sent, postgres):
    with Client(shop(), interface) as client:
        for _ in range(ROUNDS):
            assert ask(client, path) == sent
            assert opened(postgres) == 0


@rows("interface, ask, path, sent", [("asgi", *work) for work in WORK])
def test_a_restart_of_the_database_is_survived(interface, ask, path, sent, postgres):
    with Client(shop(), interface, raise_errors=False) as client:
        for _ in range(ROUNDS):
            assert ask(client, path) == sent
            with psycopg.connect(postgres, autocommit=True) as connection:
                connection.execute(LOSE)


SESSIONS = "create table if not exists django_session (session_key text, session_data text, expire_date timestamptz)"


@rows("path", [path for ask, path, _ in WORK if ask is get])
def test_nobody_waits_for_a_connection_and_holds_another(path, postgres):
    from django.db import connection

    rows_of(postgres, SESSIONS)
    cookie = {"cookie": f"sessionid={'x' * 32}"}
    with Client(shop(loads_users=True), raise_errors=False) as client:
        responses = at_once(lambda _: client.get(path, headers=cookie), range(3 * MOST))
        assert {response.status for response in responses} == {200}
        assert opened(postgres) == 0
    if pool := connection.pool:
        assert pool.get_stats().get("requests_errors", 0) == 0


@rows("path", ["/socket", "/async-socket"])
def test_open_sockets_hold_no_connections(path, postgres):
    with Client(shop()) as client, ExitStack() as stack:
        sockets = [stack.enter_context(client.websocket(path)) for _ in range(2 * MOST)]
        for _ in range(ROUNDS):
            for socket in sockets:
                socket.send("Hello")
                assert socket.receive() == "row"
            assert opened(postgres) == 0


def atomic(request):
    from django.db import transaction

    with transaction.atomic():
        yield


def insert():
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("insert into payments values ('tea')")
        raise LookupError


def payments(on_thread):
    """An app with handlers of both kinds, whose pages are in a transaction each."""
    app, pages = App(), Blueprint("pages", prefix="/pages")
    app.use(Users(DjangoLogin()))
    pages.middleware(errors_at_yield=True, blocking=on_thread)(atomic)
    pages.get("/")(lambda request: query())

    @pages.get("/both")
    def both(request):
        return query()

    @pages.post("/both")
    async def aboth(request):
        await sync_to_async(insert)()

    @app.post("/outside")
    async def outside(request):
        await sync_to_async(insert)()

    app.register(pages)
    return app


ASKED = [
    ("GET", "/pages/", 200), ("POST", "/pages/", 405), ("OPTIONS", "/pages/", 204), ("GET", "/pages/none", 404),
    ("DELETE", "/pages/both", 405), ("OPTIONS", "/pages/both", 204), ("DELETE", "/outside", 405),
    ("POST", "/pages/both", 500), ("POST", "/outside", 500),
]  # fmt: skip


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("on_thread", [False, True])
def test_refusals_pass_through_a_transaction(interface, on_thread, postgres):
    rows_of(postgres, CREATE)
    with Client(payments(on_thread), interface, raise_errors=False) as client:
        assert [(method, path, client.request(method, path).status) for method, path, _ in ASKED] == ASKED
    assert rows_of(postgres, "select * from payments") == []


DONE = []


def job():
    DONE.append(query())


async def ajob():
    DONE.append(await aquery())


def test_jobs_give_back_their_connections(postgres, postgres_server, request):
    app, durable = shop(), Durable(postgres_server.lend(request))
    app.use(durable)
    DONE.clear()
    with Client(app):
        for _ in range(ROUNDS):
            for each in job, ajob:
                durable.enqueue(each)
        eventually(lambda: len(DONE) == 2 * ROUNDS or None, "the jobs have not ended")
        assert DONE == ["row"] * 2 * ROUNDS
        assert opened(postgres) == 0
