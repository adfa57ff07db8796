"""What workers of a program on PostgreSQL use: what handlers do, effects as rows, and calls that fail in their turn."""

import json
import os
import time
from collections import Counter
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from inspect import isasyncgenfunction, isawaitable

import asyncpg
import psycopg
import sqlalchemy

from antiphon import Dependency
from antiphon.http import ServiceUnavailable
from tests.helpers.databases import DATABASE, LIBRARIES
from tests.helpers.transactions import Undone
from tests.pairs.shared import SharedList, field

URL = "PAIRS_DATABASE"
"""The environment variable with the URL of the database of served programs."""
OTHER = Dependency("other")
TABLES = "effects", "jobs", "notes"
CREATE = "; ".join([f"create table {each} (number serial, value text not null)" for each in TABLES])
_EXECUTE = psycopg.Cursor.execute


def _raised(code):
    return f"do $$ begin raise exception 'planted' using errcode = '{code}'; end $$"


FAULTS = {
    "the connection ends": "select pg_terminate_backend(pg_backend_pid())",
    "all connections end": "select pg_terminate_backend(pid, 1000) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
    " union all select pg_terminate_backend(pg_backend_pid())",
    "it can't be serialized": _raised("40001"),
    "a deadlock": _raised("40P01"),
    "the reply is lost": "",
}
"""What is carried out in place of a call, by what happens; a call whose reply is lost is carried out itself."""


class Rows(SharedList):
    """Effects as rows."""

    def append(self, value: object) -> None:
        """Add a value that JSON has."""
        _own(insert("effects", value))

    def __iter__(self):
        return iter(rows_of("effects"))


def insert(table, value):
    """Return a statement that adds a value that JSON has, without characters that libraries read as their own."""
    text = json.dumps(value).encode().hex()
    return f"insert into {table} (value) values (convert_from(decode('{text}', 'hex'), 'UTF8'))"


def rows_of(table):
    """Return the values in a table."""
    return [tuple(json.loads(value)) for (value,) in _own(f"select value from {table} order by number")]


def _own(statement):
    """Carry out a statement that never fails, on a connection of its own."""
    with closing(psycopg.connect(os.environ[URL], autocommit=True)) as connection:
        found = _EXECUTE(connection.cursor(), statement)
        return found.fetchall() if found.description else []


def deliver(value):
    """Carry out a job."""
    _own(insert("jobs", value))


def wait_for_jobs(names):
    """Wait until there is a job for each effect of some routes, for 15 seconds."""
    end = time.monotonic() + 15
    while counted(each for each in rows_of("effects") if each[0] in names) - counted(rows_of("jobs")):
        if time.monotonic() > end:
            return "late"
        time.sleep(0.05)
    return "done"


def counted(values):
    """Return how often each value is there, as JSON."""
    return Counter(map(json.dumps, values))


class Bank:
    """A library's way to the database, and what handlers do with their transaction, word by word."""

    durable = None
    """The feature that carries out jobs."""

    def __init__(self, library, source):
        self._database = LIBRARIES[library](os.environ[URL])
        self.source = _available(getattr(self._database, source))

    def pay(self, request, words, value):
        """Do what the words say, in a ``def`` handler."""
        for _ in self._doing(request, words, value):
            pass

    async def apay(self, request, words, value):
        """Do what the words say, in an ``async def`` handler."""
        for doing in self._doing(request, words, value):
            if isawaitable(doing):
                await doing

    def _doing(self, request, words, value):
        for word in words.split():
            if word == "dropped":  # and begins again
                yield from self._doing(request, "effect job mail rollback", (*value[:2], "dropped"))
            else:
                yield getattr(self, f"_{word}")(request, value)

    def _effect(self, request, value):
        return self._database.execute(request[DATABASE], insert("effects", value))

    def _inner(self, request, value):
        """Add the effect in a savepoint."""
        return self._in_savepoint(request, "effect", value)

    def _undone(self, request, value):
        """Add another effect with all that hangs on it in a savepoint, which is undone."""
        return self._in_savepoint(request, "effect mail job undo", (*value[:2], "undone"))

    def _in_savepoint(self, request, words, value):
        block = self._database.savepoint(request[DATABASE])

        async def wait():
            with suppress(Undone):
                async with block:
                    await self.apay(request, words, value)

        if hasattr(block, "__aenter__"):
            return wait()
        with suppress(Undone), block:
            self.pay(request, words, value)
        return None

    def _undo(self, request, value):
        raise Undone

    def _mail(self, request, value):
        request.after_commit(SharedList("mails").append, value)

    def _job(self, request, value):
        return self.durable.enqueue(deliver, value)

    def _note(self, request, value):
        """Add a row by another connection, whose transaction is its own."""
        return self._database.execute(request[OTHER], insert("notes", value))

    def _commit(self, request, value):
        return self._database.commit(request[DATABASE])

    def _commit_note(self, request, value):
        return self._database.commit(request[OTHER])

    def _rollback(self, request, value):
        return self._database.roll_back(request[DATABASE])


_AWAY = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, asyncpg.PostgresConnectionError,
         asyncpg.InterfaceError)  # fmt: skip


def _available(source):
    """Return a source of connections whose failures are a 503, with the same way to wait."""
    if isasyncgenfunction(source):

        async def connect(request):
            try:
                async with asynccontextmanager(source)(request) as connection:
                    yield connection
            except _AWAY as error:
                raise ServiceUnavailable from error

        return connect

    def connect(request):
        try:
            with contextmanager(source)(request) as connection:
                yield connection
        except _AWAY as error:
            raise ServiceUnavailable from error

    return connect


class Turn:
    """The calls that are left until one fails, and how it does: those of the process while it handles a request."""

    left = 0
    what = ""


def fail_in_turn() -> None:
    """Let the nth call from now on fail, for the first request with this X-Fault: the number, and what happens."""
    Turn.left, turns = 0, SharedList("faults")
    if (fault := field("x-fault")) and fault not in turns:
        turns.append(fault)
        left, _, rest = fault.partition(" ")
        Turn.left, Turn.what = int(left), rest.partition(":")[0]


def _failing(function, execute):
    def call(self, *given, **named):
        Turn.left -= 1
        if Turn.left != 0:
            return function(self, *given, **named)
        if FAULTS[Turn.what]:
            return execute(self.cursor() if hasattr(self, "cursor") else self, FAULTS[Turn.what])
        return _lose(getattr(self, "connection", self), function(self, *given, **named))

    return call


def _lose(connection, reply):
    lost = psycopg.OperationalError("planted: the reply is lost")

    async def wait():
        await reply
        await connection.close()
        raise lost

    if isawaitable(reply):
        return wait()
    connection.close()
    raise lost


for _cursor, _connection in (psycopg.Cursor, psycopg.Connection), (psycopg.AsyncCursor, psycopg.AsyncConnection):
    _execute = _cursor.execute
    _cursor.execute = _failing(_execute, _execute)
    _connection.commit = _failing(_connection.commit, _execute)
