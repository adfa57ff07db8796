"""What workers of a program on PostgreSQL use: connections, effects as rows, and calls that fail in their turn."""

import json
import os
from contextlib import closing

import psycopg

from antiphon import Dependency
from antiphon.http import ServiceUnavailable
from tests.pairs.shared import SharedList, field, folder

URL = "PAIRS_DATABASE"
"""The environment variable with the URL of the database of served programs."""
DATABASE = Dependency("database")
CREATE = "create table if not exists effects (number serial, program text not null, value text not null)"
INSERT = "insert into effects (program, value) values (%s, %s)"
_EXECUTE, _COMMIT = psycopg.Cursor.execute, psycopg.Connection.commit


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
        _own(INSERT, folder().name, json.dumps(value))

    def add(self, connection: psycopg.Connection, value: object) -> None:
        """Add a value in the transaction of a connection."""
        connection.execute(INSERT, (folder().name, json.dumps(value)))

    def __iter__(self):
        select = "select value from effects where program = %s order by number"
        return (tuple(json.loads(value)) for (value,) in _own(select, self._path.parent.name))


def _own(statement, *values):
    """Carry out a statement that never fails, on a connection of its own."""
    with closing(psycopg.connect(os.environ[URL], autocommit=True)) as connection:
        found = _EXECUTE(connection.cursor(), statement, values)
        return found.fetchall() if found.description else []


def connect(_request):
    """Give a connection with a transaction."""
    try:
        with closing(psycopg.connect(os.environ[URL])) as connection, connection:
            yield connection
    except psycopg.OperationalError as error:
        raise ServiceUnavailable from error


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


def _failing(function, connection_of):
    def call(self, *given, **named):
        Turn.left -= 1
        if Turn.left != 0:
            return function(self, *given, **named)
        connection = connection_of(self)
        if FAULTS[Turn.what]:
            _EXECUTE(connection.cursor(), FAULTS[Turn.what])
        else:
            function(self, *given, **named)
        connection.close()
        raise psycopg.OperationalError("planted: the reply is lost")

    return call


psycopg.Cursor.execute = _failing(_EXECUTE, lambda cursor: cursor.connection)
psycopg.Connection.commit = _failing(_COMMIT, lambda connection: connection)
