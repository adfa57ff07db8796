"""Apps with a database connection in each request, of each library, on SQLite and PostgreSQL."""

import itertools
import sqlite3
import time
from collections.abc import Callable
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from inspect import isawaitable
from typing import NamedTuple

import aiosqlite
import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from antiphon import Dependency

_numbers = itertools.count(1)

DATABASE = Dependency("database")
CREATE = "create table if not exists payments (item text not null)"
LOSE = """select pg_terminate_backend(pid, 1000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()"""
"""End all connections, as a restart of the server does."""
PAY = "insert into payments values ('{item}')"


class Database(NamedTuple):
    """A library's way to a database: the source of its connections, and how a handler uses one.

    ``closing`` is a source that only closes its connection, as handlers that commit by themselves have it.
    """

    source: Callable
    execute: Callable
    roll_back: Callable
    commit: Callable
    is_async: bool = False
    closing: Callable | None = None
    savepoint: Callable | None = None


def _sqlite3(url, **options):
    def connect(request):
        with closing(sqlite3.connect(url, timeout=10)) as connection, connection:
            yield connection

    def close(request):
        with closing(sqlite3.connect(url, timeout=10, **options)) as connection:
            yield connection

    @contextmanager
    def savepoint(connection):
        connection.execute("savepoint one")
        try:
            yield
        except BaseException:
            connection.execute("rollback to one")
            raise

    kind = sqlite3.Connection
    return Database(connect, kind.execute, kind.rollback, kind.commit, closing=close, savepoint=savepoint)


def _aiosqlite(url, **options):
    async def connect(request):
        async with aiosqlite.connect(url, timeout=10) as connection:
            yield connection
            await connection.commit()

    async def close(request):
        async with aiosqlite.connect(url, timeout=10, **options) as connection:
            yield connection

    @asynccontextmanager
    async def savepoint(connection):
        await connection.execute("savepoint one")
        try:
            yield
        except BaseException:
            await connection.execute("rollback to one")
            raise

    kind = aiosqlite.Connection
    return Database(connect, kind.execute, kind.rollback, kind.commit, True, close, savepoint)


def _psycopg(url, **options):
    def connect(request):
        with closing(psycopg.connect(url)) as connection, connection:
            yield connection

    def close(request):
        with closing(psycopg.connect(url, **options)) as connection:
            yield connection

    kind = psycopg.Connection
    return Database(
        connect, kind.execute, kind.rollback, kind.commit, closing=close, savepoint=kind.transaction
    )  # fmt: skip


@asynccontextmanager
async def aclosing(connection):
    """Close a connection of psycopg at the end of a block, also if its own block is cancelled at the commit."""
    try:
        yield connection
    finally:
        await connection.close()


def _async_psycopg(url, **options):
    async def connect(request):
        async with aclosing(await psycopg.AsyncConnection.connect(url)) as connection, connection:
            yield connection

    async def close(request):
        async with aclosing(await psycopg.AsyncConnection.connect(url, **options)) as connection:
            yield connection

    kind = psycopg.AsyncConnection
    return Database(connect, kind.execute, kind.rollback, kind.commit, True, close, kind.transaction)


def _asyncpg(url):
    async def connect(request):
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                yield connection
        finally:
            await connection.close()

    async def close(request):
        connection = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()

    async def execute(connection, query):
        if not connection.is_in_transaction():
            await connection.execute("begin")
        await connection.execute(query)

    return Database(
        connect, execute, lambda connection: connection.execute("rollback"),
        lambda connection: connection.execute("commit"), True, close, asyncpg.Connection.transaction,
    )  # fmt: skip


def _sqlalchemy(url, **options):
    engine = create_engine(_of_sqlalchemy(url), poolclass=NullPool, **options)

    def connect(request):
        with Session(engine) as session, session.begin():
            yield session

    def close(request):
        with Session(engine) as session:
            yield session

    return Database(
        connect, lambda session, query: session.execute(text(query)), Session.rollback, Session.commit,
        closing=close, savepoint=Session.begin_nested,
    )  # fmt: skip


def _sqlalchemy_core(url, **options):
    engine = create_engine(_of_sqlalchemy(url), poolclass=NullPool, **options)

    def connect(request):
        with engine.connect() as connection:
            yield connection
            connection.commit()

    def close(request):
        with engine.connect() as connection:
            yield connection

    return Database(
        connect, lambda connection, query: connection.execute(text(query)), lambda connection: connection.rollback(),
        lambda connection: connection.commit(), closing=close, savepoint=lambda connection: connection.begin_nested(),
    )  # fmt: skip


def _async_sqlalchemy(url, driver="psycopg", kind=AsyncSession, **options):
    engine = create_async_engine(_of_sqlalchemy(url, "+aiosqlite", driver), poolclass=NullPool, **options)
    opening = partial(AsyncSession, engine) if kind is AsyncSession else engine.connect

    async def connect(request):
        async with opening() as session:
            yield session
            await session.commit()

    async def close(request):
        async with opening() as session:
            yield session

    async def execute(session, query):
        await session.execute(text(query))

    return Database(connect, execute, kind.rollback, kind.commit, True, close, kind.begin_nested)


def _of_sqlalchemy(url, sqlite="", driver="psycopg"):
    return url.replace("postgresql:", f"postgresql+{driver}:") if "://" in url else f"sqlite{sqlite}:///{url}"


def _django(url):
    from django.db import connections, transaction
    from django.utils.connection import ConnectionProxy

    alias = f"test_{next(_numbers)}"  # a thread keeps the connection of a name
    connection = ConnectionProxy(connections, alias)
    if "://" in url:
        given = psycopg.conninfo.conninfo_to_dict(url)
        own = {"ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"], "USER": given["user"]}
        own["HOST"] = given["host"]
    else:
        own = {"ENGINE": "django.db.backends.sqlite3", "NAME": url, "OPTIONS": {"transaction_mode": "IMMEDIATE"}}
    connections.settings = connections.configure_settings({"default": {}, alias: own})

    def connect(request):
        try:
            with transaction.atomic(using=alias):
                yield connection
        finally:
            connection.close()

    def close(request):
        try:
            yield connection
        finally:
            connection.close()

    def execute(connection, query):
        with connection.cursor() as cursor:
            cursor.execute(query)

    def savepoint(connection):
        return transaction.atomic(using=alias)

    def rolling_back(connection):
        execute(connection, "rollback")
        if connection.vendor == "sqlite":  # where each statement would be committed by itself then
            execute(connection, "begin")

    def committing(connection):
        execute(connection, "commit")

    return Database(connect, execute, rolling_back, committing, closing=close, savepoint=savepoint)


LIBRARIES = {
    "sqlite3": _sqlite3, "psycopg": _psycopg, "async psycopg": _async_psycopg, "SQLAlchemy": _sqlalchemy,
    "SQLAlchemy Core": _sqlalchemy_core, "async SQLAlchemy": _async_sqlalchemy, "Django": _django,
    "aiosqlite": _aiosqlite, "asyncpg": _asyncpg, "SQLAlchemy on asyncpg": partial(_async_sqlalchemy, driver="asyncpg"),
    "async SQLAlchemy Core": partial(_async_sqlalchemy, kind=AsyncConnection),
}  # fmt: skip
KINDS = [
    ("sqlite3", "sqlite"), ("SQLAlchemy", "sqlite"), ("SQLAlchemy Core", "sqlite"), ("async SQLAlchemy", "sqlite"),
    ("Django", "sqlite"), ("psycopg", "postgres"), ("async psycopg", "postgres"), ("SQLAlchemy", "postgres"),
    ("SQLAlchemy Core", "postgres"), ("async SQLAlchemy", "postgres"), ("Django", "postgres"),
    ("aiosqlite", "sqlite"), ("asyncpg", "postgres"), ("SQLAlchemy on asyncpg", "postgres"),
]  # fmt: skip

ENDED_BY_HANDLERS = [kind for kind in KINDS if kind[0] not in ("SQLAlchemy", "Django", "asyncpg")]
"""Those whose handler may end the transaction itself. In the blocks of the others, that is an error."""


of_each = pytest.mark.parametrize(("library", "url"), KINDS, indirect=["url"], ids=[*map(" on ".join, KINDS)])
of_those_ended_by_handlers = pytest.mark.parametrize(
    ("library", "url"), ENDED_BY_HANDLERS, indirect=["url"], ids=[*map(" on ".join, ENDED_BY_HANDLERS)]
)


def in_autocommit(library, url):
    """Return a library's way to a database in which each statement is committed by itself."""
    options = {"isolation_level": "AUTOCOMMIT"} if "SQLAlchemy" in library else {}
    options |= {"isolation_level": None} if "sqlite" in library else {}
    options |= {"autocommit": True} if "psycopg" in library else {}
    made = LIBRARIES[library](url, **options)
    return made._replace(execute=asyncpg.Connection.execute) if library == "asyncpg" else made


def once(ending, result):
    """Return a result once a handler has ended its transaction, which the libraries of async handlers await."""

    async def wait():
        await ending
        return result

    return wait() if isawaitable(ending) else result


def wait_for_closed_connections(url):
    """Wait until PostgreSQL has noticed that connections were closed, whose locks it then releases."""
    held = """select from pg_locks join pg_database d on database = d.oid
        where locktype = 'advisory' and datname = current_database()"""
    for _ in range(500):
        if "://" not in url or not rows_of(url, held):
            return
        time.sleep(0.01)


def rows_of(url, query):
    if "://" in url:
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(query)
            return found.fetchall() if found.description else []
    with closing(sqlite3.connect(url, timeout=10)) as connection, connection:
        return connection.execute(query).fetchall()
