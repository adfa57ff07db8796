"""SQLite, PostgreSQL and stores under the scheduler: each statement is a point, and waiting for a lock passes the turn.

The databases are real. SQLite's locks are tried again when another request has moved. PostgreSQL itself says whether a
statement waits for another transaction (``pg_blocking_pids``), so no guess of ours depends on real time.
"""

import re
import select
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Literal

from antiphon.testing.races import primitives
from antiphon.testing.races.scheduler import Scheduler

SLOW = 10.0
"""The virtual seconds that a slow store takes."""
_BUSY, _BUSY_SNAPSHOT = 5, 517  # sqlite.org/rescode.html


class Connections:
    """The connections of one run, and the fault that the next statement has."""

    def __init__(self) -> None:
        self.opened: list[Any] = []
        self.fault: str | None = None

    def point(self, refused: Callable[[], Exception]) -> Scheduler | None:
        """Pass a point before a statement, which may be slow or refused."""
        running = primitives.scheduler()
        if running is not None:
            running.step(running.of_thread[threading.get_ident()])
            fault, self.fault = self.fault, None
            if fault == "slow":
                running.block(lambda: False, running.now + SLOW)
            elif fault == "refuse":
                raise refused()
        return running

    def die(self) -> None:
        """End all connections as the death of their process does: what is not committed is lost."""
        for connection in self.opened:
            if isinstance(connection, sqlite3.Connection):
                with suppress(sqlite3.ProgrammingError):  # closed
                    sqlite3.Connection.rollback(connection)
                sqlite3.Connection.close(connection)
            else:
                connection.pgconn.finish()

    def close(self) -> None:
        """Close what the run has left open."""
        for connection in self.opened:
            if isinstance(connection, sqlite3.Connection):
                sqlite3.Connection.close(connection)

    def unfinished(self) -> list[str]:
        """Return the transactions that are neither committed nor rolled back."""
        open_ones = [each for each in self.opened if isinstance(each, sqlite3.Connection) and _is_open(each)]
        return [f"a transaction of {each!r} is neither committed nor rolled back" for each in open_ones]


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        return connection.in_transaction
    except sqlite3.ProgrammingError:
        return False


current = Connections()
"""The connections of the run that is under way."""


def replacements() -> list[tuple[Any, Any]]:
    """Return the functions that open connections, and those that open scheduled ones."""
    return [(sqlite3.connect, connect)]


# SQLite


def connect(database: Any, timeout: float = 5.0, *arguments: Any, **options: Any) -> Any:
    """Open a connection whose statements are points, if this thread belongs to a run."""
    names = ("detect_types", "isolation_level", "check_same_thread", "factory", "cached_statements", "uri")
    options |= dict(zip(names, arguments, strict=False))
    if primitives.run_of_thread() is None:
        return _connect(database, timeout=timeout, **options)
    factory = _scheduled(options.pop("factory", sqlite3.Connection))
    is_checked = options.pop("check_same_thread", True)
    connection: Any = _connect(database, timeout=0, factory=factory, check_same_thread=False, **options)
    with suppress(sqlite3.Error):
        sqlite3.Connection.execute(connection, "pragma synchronous = off")  # no power fails here
    connection.race_patience = timeout
    connection.race_thread = threading.get_ident() if is_checked else None
    current.opened.append(connection)
    return connection


_connect = sqlite3.connect
_factories: dict[type, type] = {}


def _scheduled(factory: Any) -> Any:
    if factory is sqlite3.Connection:
        return _Statements
    if factory not in _factories:
        _factories[factory] = type(factory.__name__, (factory, _Statements), {})
    return _factories[factory]


class _Statements(sqlite3.Connection):
    """A connection whose statements are points."""

    race_patience = 0.0
    race_thread: int | None = None
    race_count = 0

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        return super().cursor(_cursor(factory))

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        return self.cursor().executescript(*arguments)

    def commit(self) -> None:
        _run(self, super().commit, "commit")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> Literal[False]:
        (self.commit if kind is None else self.rollback)()
        return False


_cursors: dict[type, type] = {}


def _cursor(factory: Any) -> Any:
    if factory not in _cursors and isinstance(factory, type):
        names = ("execute", "executemany", "executescript")
        _cursors[factory] = type(factory.__name__, (factory,), {name: _method(factory, name) for name in names})
    return _cursors.get(factory, factory)


def _method(factory: type, name: str) -> Any:
    original = getattr(factory, name)

    def method(self: Any, sql: str, *arguments: Any) -> Any:
        return _run(self.connection, lambda: original(self, sql, *arguments), sql)

    return method


def _run(connection: Any, statement: Callable[[], Any], sql: str) -> Any:
    if connection.race_thread not in (None, threading.get_ident()):
        raise sqlite3.ProgrammingError("SQLite objects created in a thread can only be used in that same thread")
    if found := re.match(r"\s*pragma\s+busy_timeout\s*=\s*(\d+)", sql, re.IGNORECASE):
        connection.race_patience = int(found[1]) / 1000
        return connection.execute("select 1")
    running = current.point(lambda: sqlite3.OperationalError("disk I/O error"))
    # A transaction that has read can't wait for the lock to write: SQLite refuses it at once.
    waits = connection.race_patience and not (connection.in_transaction and connection.race_count and sql != "commit")
    end = running.now + connection.race_patience if running is not None else 0.0
    while True:
        try:
            result = statement()
            connection.race_count = connection.race_count + 1 if connection.in_transaction else 0
            return result
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0)
            if running is None or not waits or code & 0xFF != _BUSY or code == _BUSY_SNAPSHOT or running.now >= end:
                raise
        seen = running.point
        running.block(lambda: running.point > seen + 1, min(end, running.now + 0.01))  # noqa: B023


# PostgreSQL

_monitors: dict[str, Any] = {}


@contextmanager
def patched_psycopg() -> Iterator[None]:
    """Make the statements of psycopg points, if the application has imported it."""
    psycopg: Any = sys.modules.get("psycopg")
    if psycopg is None:
        yield
        return
    plain, awaited = psycopg.Connection.wait, psycopg.AsyncConnection.wait

    def wait(self: Any, generator: Any, *arguments: Any, **options: Any) -> Any:
        running = None if self in _monitors.values() else _psycopg_point(self)
        if running is None:
            return plain(self, generator, *arguments, **options)
        return _drive(self, generator, running.block)

    async def wait_async(self: Any, generator: Any, *arguments: Any, **options: Any) -> Any:
        running = _psycopg_point(self)
        if running is None:
            return await awaited(self, generator, *arguments, **options)
        from asyncio import sleep

        waits = _waits(self, generator)
        await sleep(0)  # other tasks may come first
        for is_ready in waits:
            while not is_ready():
                await sleep(0.001)
        return waits.value

    async def wait_connected(generator: Any, *arguments: Any, **options: Any) -> Any:
        return psycopg.waiting.wait_conn(generator, *arguments, **options)  # in real time, which is short

    connected = psycopg.waiting.wait_conn_async
    psycopg.Connection.wait, psycopg.AsyncConnection.wait = wait, wait_async
    psycopg.waiting.wait_conn_async = wait_connected
    try:
        yield
    finally:
        psycopg.Connection.wait, psycopg.AsyncConnection.wait = plain, awaited
        psycopg.waiting.wait_conn_async = connected
        while _monitors:
            _monitors.popitem()[1].close()


def _psycopg_point(connection: Any) -> Scheduler | None:
    import psycopg

    if primitives.run_of_thread() is None:
        return None
    if connection not in current.opened:
        current.opened.append(connection)
    return current.point(lambda: psycopg.OperationalError("the server closed the connection unexpectedly"))


class _waits:  # noqa: N801 - used as a generator with a value
    """The waits of a statement for its server: functions that return true as soon as there is a reply."""

    def __init__(self, connection: Any, generator: Any) -> None:
        self._connection = connection
        self._generator = generator
        self.value: Any = None

    def __iter__(self) -> Any:
        poll = select.poll()
        generator, descriptor = self._generator, self._connection.pgconn.socket
        try:
            wanted = next(generator)
            while True:
                poll.register(descriptor, (select.POLLIN if wanted & 1 else 0) | (select.POLLOUT if wanted & 2 else 0))
                ready = poll.poll(20)
                while not ready:
                    if _is_blocked(self._connection):
                        yield lambda: poll.poll(0) or not _is_blocked(self._connection)
                    ready = poll.poll(20)
                events = ready[0][1]
                wanted = generator.send((1 if events & ~select.POLLOUT else 0) | (2 if events & select.POLLOUT else 0))
        except StopIteration as end:
            self.value = end.value


def _drive(connection: Any, generator: Any, block: Callable[[Callable[[], object]], bool]) -> Any:
    waits = _waits(connection, generator)
    for is_ready in waits:
        block(is_ready)
    return waits.value


def _is_blocked(connection: Any) -> bool:
    """Ask PostgreSQL whether a connection's statement waits for another transaction."""
    import psycopg

    info = connection.info
    key = info.dsn
    if key not in _monitors:
        _monitors[key] = psycopg.Connection.connect(key, password=info.password or None, autocommit=True)
    found = _monitors[key].execute("select pg_blocking_pids(%s) <> '{}'", [info.backend_pid]).fetchone()
    return bool(found and found[0])


# Stores of the framework

_OPERATIONS = ("load", "change", "delete", "rotate", "add", "replace", "increment")


def watch(store: Any) -> None:
    """Make the calls of a store points that can be slow or refused."""
    from antiphon.app.store import StoreUnavailable

    for name in _OPERATIONS:
        original = getattr(store, name)

        def call(*arguments: Any, _original: Callable[..., Any] = original, **options: Any) -> Any:
            current.point(StoreUnavailable.for_now)
            return _original(*arguments, **options)

        setattr(store, name, call)
