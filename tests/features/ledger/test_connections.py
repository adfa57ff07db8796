"""Connections of psycopg, SQLAlchemy and Django, sync and async, over each interface."""

from contextlib import closing

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from antiphon_ledger import Ledgered, is_guarded
from tests.features.ledger.shop import DATABASE, preview
from tests.helpers.django_settings import settings_for_views, without_settings
from tests.helpers.postgres import PgBouncer, execute
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]

UP = "update t set n = n + 1 where id = 1"
READ_ONLY = "-c default_transaction_read_only=on"


def options_of(request):
    return READ_ONLY if is_guarded(request) else ""


def of_psycopg(url):
    async def source(request):
        connection = await psycopg.AsyncConnection.connect(url, options=options_of(request))
        try:
            async with connection:
                if is_guarded(request):
                    await connection.execute("set transaction read write")
                yield connection
        finally:
            await connection.close()

    return source


def of_sync_psycopg(url):
    def source(request):
        with closing(psycopg.connect(url, options=options_of(request))) as connection, connection:
            if is_guarded(request):
                connection.execute("set transaction read write")
            yield connection

    return source


def of_sqlalchemy(url):
    def source(request):
        engine = create_engine(url, poolclass=NullPool, connect_args={"options": options_of(request)})
        with Session(engine) as session, session.begin():
            if is_guarded(request):
                session.execute(text("set transaction read write"))
            yield session

    return source


def of_core(url):
    def source(request):
        engine = create_engine(url, poolclass=NullPool, connect_args={"options": options_of(request)})
        with engine.begin() as connection:
            if is_guarded(request):
                connection.execute(text("set transaction read write"))
            yield connection

    return source


def of_django(url):
    from django.db import connection, connections, transaction

    given = psycopg.conninfo.conninfo_to_dict(url)
    own = {"ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"], "USER": given["user"],
           "HOST": given["host"]}  # fmt: skip
    guarded = {**own, "OPTIONS": {"options": READ_ONLY}}
    connections.settings = connections.configure_settings({"default": own, "guarded": guarded})

    def source(request):  # that of docs/reference/ledger.md
        default = connections["default"]
        if is_guarded(request):
            connections["default"] = connections["guarded"]
        try:
            with transaction.atomic():
                if is_guarded(request):
                    connection.cursor().execute("set transaction read write")
                yield connection
        finally:
            connection.close()
            connections["default"] = default

    return source


def of_async_sqlalchemy(url):
    async def source(request):
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"options": options_of(request)})
        async with AsyncSession(engine) as session, session.begin():
            if is_guarded(request):
                await session.execute(text("set transaction read write"))
            yield session

    return source


def of_pool(url):
    """One that leaves the transaction as it is."""

    def source(request):
        with closing(psycopg.connect(url)) as connection, connection:
            yield connection

    return source


async def awrite(request):
    await request[DATABASE].execute(UP if "psycopg" in type(request[DATABASE]).__module__ else text(UP))
    return {"done": True}


def write(request):
    request[DATABASE].execute(text(UP))
    return {"done": True}


def by_django(request):
    from django.db import connection
    from django.db.transaction import atomic

    request[DATABASE]
    with atomic():  # a savepoint
        connection.cursor().execute(UP)
    return {"done": True}


def by_cursor(request):
    request[DATABASE].cursor().execute(UP)
    return {"done": True}


KINDS = [
    ("psycopg", of_sync_psycopg, by_cursor),
    ("psycopg, async", of_psycopg, awrite),
    ("SQLAlchemy", of_sqlalchemy, write),
    ("SQLAlchemy Core", of_core, write),
    ("SQLAlchemy, async", of_async_sqlalchemy, awrite),
    ("Django", of_django, by_django),
]


@pytest.fixture
def no_django_settings():
    with without_settings(), settings_for_views():
        yield


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("name, source, handler", KINDS)
def test_each_library_previews_and_binds(name, source, handler, interface, shop, postgres, no_django_settings):
    scheme = "postgresql+psycopg" if "SQL" in name else "postgresql"
    shop = shop(source=source(postgres.replace("antiphon@", "shop@").replace("postgresql", scheme)))
    shop.write(handler, ledgered=Ledgered(preview=True, budget=3))
    shop.write(handler, path="/agreed", name="agreed", ledgered=Ledgered(preview=True, agree=True), idempotent=True)
    client, before = shop.client(interface), shop.look()
    seen = preview(client)
    assert seen.status == 200, seen.text
    assert [each["new"] for each in seen.json["changes"]] == [{"n": "1"}]
    assert shop.look() == before
    digest = {"if-changes": seen.json["if-changes"]}
    assert [client.post("/w", headers=digest).status for _ in range(2)] == [200, 412]
    assert shop.look("select n from t where id = 1") == [(1,)]
    seen = preview(client, "/agreed").json
    digest = {"if-changes": seen["if-changes"]}
    assert client.post("/agreed", headers=digest).status == 428
    assert client.post(seen["agreement"], headers={"x-person": "yes"}).status == 200
    assert [client.post("/agreed", headers=digest).status for _ in range(2)] == [200, 412]
    assert shop.look("select n from t where id = 1") == [(2,)]


def test_a_connection_that_could_write_after_a_rollback_is_refused(shop, postgres):
    shop = shop(source=of_pool(postgres.replace("antiphon@", "shop@")))
    shop.does(UP)
    before = shop.look()
    assert preview(shop.client()).status == 500
    assert shop.client().post("/w", headers={"if-changes": '"x"'}).status == 500
    assert shop.look() == before
    assert shop.client().post("/w").status == 200


def test_a_connection_that_commits_each_statement_is_refused(shop, postgres):
    def source(request):
        with psycopg.connect(
            postgres.replace("antiphon@", "shop@"), autocommit=True, options=options_of(request)
        ) as own:
            yield own

    shop = shop(source=source)
    shop.does(UP)
    before = shop.look()
    assert (preview(shop.client()).status, shop.client().post("/w").status) == (500, 500)
    assert shop.look() == before


def test_a_source_that_commits_after_an_error_commits_no_preview(shop, postgres):
    def source(request):
        with closing(psycopg.connect(postgres.replace("antiphon@", "shop@"), options=options_of(request))) as own:
            if is_guarded(request):
                own.execute("set transaction read write")
            try:
                yield own
            finally:
                own.commit()

    shop = shop(source=source)
    shop.does(UP)
    before, client = shop.look(), shop.client()
    assert (preview(client).status, client.post("/w", headers={"if-changes": '"x"'}).status) == (500, 500)
    assert shop.look() == before


def test_a_connection_beside_that_of_djangos_models_is_refused(shop, postgres, no_django_settings):
    def source(request):
        with closing(connections["guarded"]) as own, atomic("guarded"):
            own.cursor().execute("set transaction read write")
            yield own

    of_django(postgres.replace("antiphon@", "shop@"))
    from django.db import connection, connections
    from django.db.transaction import atomic

    shop = shop(source=source)
    shop.write(by_django, ledgered=Ledgered(preview=True))
    before = shop.look()
    assert preview(shop.client()).status == 500
    connection.close()
    assert shop.look() == before


def test_what_a_pooled_connection_has_written_before_does_not_count(shop, postgres):
    def source(request):
        with pooled[0].transaction():
            pooled[0].execute("set transaction read write")
            yield pooled[0]

    pooled = []
    shop = shop(source=source)
    shop.does(UP)
    with closing(psycopg.connect(postgres.replace("antiphon@", "shop@"), options=READ_ONLY)) as own:
        pooled.append(own)
        with own.transaction():
            own.execute("set transaction read write")
            own.execute("delete from u")
        client = shop.client()
        seen = preview(client)
        assert seen.status == 200
        assert client.post("/w", headers={"if-changes": seen.json["if-changes"]}).status == 200


@rows("mode", ["transaction", "session"])
def test_behind_pgbouncer_guarded_writes_have_a_role_of_their_own(mode, shop, postgres, postgres_server, request):
    program = request.getfixturevalue("pgbouncer-server")
    pooler = PgBouncer(program, postgres_server, auth_type="trust", pool_mode=mode, default_pool_size=1)
    users, settings = pooler.folder / "users.txt", pooler.folder / "pgbouncer.ini"
    users.write_text('"antiphon" ""\n"shop" ""\n"guarded" ""\n')
    users.chmod(0o644)
    settings.write_text(f"{settings.read_text().replace(' user=antiphon', '')}\nauth_file = {users}\n")
    with pooler:
        url = pooler.url_of(postgres)

        def source(request):
            role = "guarded" if is_guarded(request) else "shop"
            with closing(psycopg.connect(url.replace("antiphon@", f"{role}@"))) as own, own:
                if is_guarded(request):
                    own.execute("set transaction read write")
                yield own

        shop = shop(source=source)
        execute(postgres, GUARDED)
        shop.does(UP)
        client, before = shop.client(), shop.look()
        seen = preview(client)
        assert (seen.status, shop.look()) == (200, before)
        digest = {"if-changes": seen.json["if-changes"]}
        assert [client.post("/w", headers=digest).status for _ in range(2)] == [200, 412]
        assert client.post("/w").status == 200


GUARDED = """do $$ begin create role guarded login; exception when duplicate_object then null; end $$;
grant shop to guarded; alter role guarded set default_transaction_read_only = on"""
