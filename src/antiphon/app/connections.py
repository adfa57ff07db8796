"""An application's own database connections, of SQLAlchemy, psycopg, sqlite3 and Django: statements in the transaction
of a request, and functions to call after its commit.

A connection is known by its class's name, so that no library is imported. Methods are ``async`` for both kinds of
connections: ``at_once`` runs them on those that don't wait.
"""

import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from antiphon.app.store import StoreUnavailable, unavailable
from antiphon.concurrency.iterables import resume
from antiphon.handler.callables import describe, is_async, is_pending
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch, switch_shielded
from antiphon.handler.failures import log_failure
from antiphon.request.request import Request

T = TypeVar("T")

_IDLE, _FAILED = 0, 3
"""Values of libpq's ``PGTransactionStatusType``: no transaction, and one that can only be rolled back."""


class DatabaseConnection:
    """A connection, or a session, that a request uses. Values are named in statements: ``:id``."""

    class Found(NamedTuple):
        """The result of a statement: the number of rows that it has changed, and the first row that it returns."""

        rows: int
        row: tuple[Any, ...] | None

    IS_FOREIGN = """not exists (select from pg_catalog.pg_roles as trusted
where trusted.oid operator(pg_catalog.=) {owner} and (trusted.rolsuper
or trusted.rolname operator(pg_catalog.=) any (array[current_user, 'pg_database_owner'])
or exists (select from pg_catalog.pg_database as d where d.datdba operator(pg_catalog.=) trusted.oid
    and d.datname operator(pg_catalog.=) pg_catalog.current_database())
or (pg_catalog.pg_has_role(trusted.oid, 'usage') and not exists (select from pg_catalog.pg_roles as own
    where own.rolname operator(pg_catalog.=) current_user and own.rolsuper))))"""
    """The condition in PostgreSQL that an owner is neither this user, a role whose rights the user has, the owner of
    the database, nor a superuser. The owner of a table can have functions called by those who write to it.
    """

    def __init__(self, given: Any) -> None:
        self._given = given
        self.is_async = "async" in type(given).__name__.lower()

    @property
    def dialect(self) -> str:
        """The kind of database: ``"sqlite"``, ``"postgresql"`` or any other name."""
        return "sqlite"

    @property
    def is_failed(self) -> bool:
        """True if the transaction can only be rolled back, which a commit then does without an error."""
        return _is_failed(self._driver)

    @property
    def transaction(self) -> object:
        """An object that identifies the open transaction, as far as the library has one; None if none is open."""
        return self._driver.in_transaction or None

    @property
    def commits_each(self) -> bool:
        """True if each statement is committed by itself, because nothing has begun a transaction."""
        return _commits_each(self._driver)

    @property
    def _driver(self) -> Any:
        return self._given

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        """Carry out a statement. Raises the library's errors."""
        cursor = self._given.cursor()
        cursor.row_factory = None
        cursor.execute(statement, values)
        found = self.Found(cursor.rowcount, cursor.fetchone())
        cursor.close()
        return found

    def on_rollback(self, function: Callable[[Callable[[Any], bool]], None]) -> None:
        """Call a function when a transaction is rolled back, if the library tells: with a function that returns True
        for the ``transaction`` in which something happened that has been undone.
        """

    @staticmethod
    def of(value: object) -> "DatabaseConnection | None":
        """Return a value as a connection, or None if it isn't a connection or session of a library that we know."""
        for each in type(value).__mro__:
            kind = _KINDS.get(f"{each.__module__.partition('.')[0]}.{each.__name__}")
            if kind is not None:
                return kind(value)
        return None

    @staticmethod
    def at_once(steps: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine that doesn't wait and return its result. Raises its errors."""
        stopped = resume(steps, None)
        return None if stopped is None else stopped[1]  # type: ignore[return-value]

    @staticmethod
    def outage_of(name: str, error: Exception) -> StoreUnavailable | None:
        """Return the error for clients (503) if a database does not respond or is locked; None for any other error."""
        is_outage = any(each.__name__ in ("OperationalError", "InterfaceError") for each in type(error).__mro__)
        return unavailable(name, error) if is_outage else None

    @staticmethod
    def is_conflict(error: Exception) -> bool:
        """Return True if PostgreSQL has undone a transaction because of another one, so that a retry may succeed."""
        causes = error, getattr(error, "orig", None), error.__cause__  # also as SQLAlchemy and Django raise it
        return any(getattr(each, "sqlstate", None) in ("40001", "40P01") for each in causes)


class _Psycopg(DatabaseConnection):
    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def transaction(self) -> object:
        return self._driver.info.transaction_status != _IDLE or None

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        from psycopg.rows import tuple_row

        cursor = self._given.cursor(row_factory=tuple_row)
        await _awaited(cursor.execute(_pyformat(statement), values))
        row = await _awaited(cursor.fetchone()) if cursor.description else None
        return self.Found(cursor.rowcount, row)


class _Django(DatabaseConnection):
    @property
    def dialect(self) -> str:
        return str(self._given.vendor)

    @property
    def is_failed(self) -> bool:
        return bool(self._given.in_atomic_block and self._given.needs_rollback)

    @property
    def transaction(self) -> object:
        return self._given.in_atomic_block or None

    @property
    def commits_each(self) -> bool:
        return not self._given.in_atomic_block

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        with self._given.cursor() as cursor:
            cursor.execute(_pyformat(statement), values)
            return self.Found(cursor.rowcount, cursor.fetchone() if cursor.description else None)


class _SQLAlchemy(DatabaseConnection):
    """An engine's connection, or a session."""

    @property
    def dialect(self) -> str:
        given = self._given
        return str((given.get_bind() if hasattr(given, "get_bind") else given).dialect.name)

    @property
    def _sync(self) -> Any:
        """The object for code that does not wait, on which the library has events."""
        given = self._given() if callable(self._given) else self._given  # a scoped session
        return getattr(given, "sync_session", None) or getattr(given, "sync_connection", given)

    @property
    def is_failed(self) -> bool:
        try:
            return self.transaction is not None and _is_failed(self._driver)
        except Exception as error:  # or an async session that has not connected yet
            return type(error).__name__ == "PendingRollbackError"

    @property
    def transaction(self) -> object:
        return self._sync.get_nested_transaction() or self._sync.get_transaction()

    @property
    def _driver(self) -> Any:
        connection = self._sync.connection() if hasattr(self._sync, "get_bind") else self._sync
        return connection.connection.driver_connection

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        from sqlalchemy import text

        connection = self._given
        if hasattr(connection, "get_bind"):
            connection = await _awaited(connection.connection())
        found = await _awaited(connection.execute(text(statement), values))
        row = found.first() if found.returns_rows else None
        return self.Found(found.rowcount, None if row is None else tuple(row))

    def on_rollback(self, function: Callable[[Callable[[Any], bool]], None]) -> None:
        from sqlalchemy import event

        if not hasattr(self._sync, "get_bind"):
            event.listen(self._sync, "rollback", lambda _connection: function(lambda _transaction: True))
            return

        def rolled_back(_session: Any, ended: Any) -> None:
            function(lambda transaction: not ended.nested or _is_in(transaction, ended))

        event.listen(self._sync, "after_soft_rollback", rolled_back)


def _is_in(transaction: Any, outer: Any) -> bool:
    while transaction is not None and transaction is not outer:
        transaction = transaction.parent
    return transaction is outer


_KINDS: dict[str, type[DatabaseConnection]] = {
    "sqlite3.Connection": DatabaseConnection,
    "pysqlite3.Connection": DatabaseConnection,  # a newer SQLite than Python's
    "psycopg.Connection": _Psycopg,
    "psycopg.AsyncConnection": _Psycopg,
    "django.BaseDatabaseWrapper": _Django,
    "django.ConnectionProxy": _Django,
    **dict.fromkeys(
        (
            f"sqlalchemy.{name}"
            for name in ("Session", "scoped_session", "Connection", "AsyncSession", "async_scoped_session")
        ),
        _SQLAlchemy,
    ),
    "sqlalchemy.AsyncConnection": _SQLAlchemy,
}


async def _awaited(value: Any) -> Any:
    return await value if is_pending(value) or hasattr(type(value), "__await__") else value


def _pyformat(statement: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", statement)


def _is_failed(driver: Any) -> bool:
    return getattr(getattr(driver, "info", None), "transaction_status", None) == _FAILED


def _commits_each(driver: Any) -> bool:
    if hasattr(driver, "in_transaction"):  # sqlite3, also inside aiosqlite
        autocommit = getattr(driver, "autocommit", -1)
        begins = autocommit is False or (autocommit == -1 and driver.isolation_level is not None)
        return not (begins or driver.in_transaction)
    info = getattr(driver, "info", None)  # of psycopg
    return bool(getattr(driver, "autocommit", False) and getattr(info, "transaction_status", None) == _IDLE)


class CommitHooks:
    """The functions to call once a request's dependency has committed, in order; none after a rollback."""

    def __init__(self, value: object) -> None:
        self._connection = DatabaseConnection.of(value)
        self._functions: list[tuple[Callable[[], object], object]] = []
        if self._connection is not None:
            self._connection.on_rollback(self._drop)

    def add(self, function: Callable[[], object]) -> None:
        """Call a function after the commit."""
        self._functions.append((function, self._connection and self._connection.transaction))

    def _drop(self, is_undone: Callable[[Any], bool]) -> None:
        self._functions = [each for each in self._functions if not is_undone(each[1])]

    def leave_out_undone(self, request: Request) -> None:
        """Leave out the functions of a transaction that has failed, or that the handler has ended by itself, so that it
        is unknown whether it was committed. Called before the dependency's source commits.
        """
        connection, self._connection = self._connection, None  # which may refer to this object
        if connection is None:
            return
        if connection.is_failed:
            self._functions = []
        elif type(connection) is _SQLAlchemy:  # it has told
            return
        elif connection.transaction is None and any(transaction is not None for _, transaction in self._functions):
            self._drop(lambda transaction: transaction is not None)
            logging.getLogger("antiphon").error(
                "%s has ended its transaction itself, so the functions that it gave to request.after_commit before are"
                " not called, request %s: let the dependency's source commit, raise an error to roll back, or call"
                " after_commit after your own commit",
                request.route.handled_by,
                request._id,
            )

    async def call(self, request: Request, place: Switch) -> None:
        """Call the functions, each where it runs, although they may fail or be cancelled; then return to ``place``."""
        fatal: BaseException | None = None
        for function, _ in self._functions:  # a function may add another
            try:
                await _call(function, place)
            except GeneratorExit:
                raise
            except Exception as error:
                what = f": {describe(function)}"
                log_failure(request, error, what, fault="was committed, but a function given to after_commit failed")
            except BaseException as error:
                fatal = error
        self._functions = []
        if fatal is not None:
            raise fatal


async def _call(function: Callable[[], object], place: Switch) -> None:
    if place is ON_THREAD:
        result = None if is_async(function) else function()
        if is_async(function) or is_pending(result):
            await switch_shielded(ON_LOOP)
            try:
                await (function() if result is None else result)  # type: ignore[misc]
            finally:
                await switch_shielded(ON_THREAD)
        return
    if is_async(function):
        await function()  # type: ignore[misc]
        return
    from antiphon.concurrency.crossing import Crossing

    result = await Crossing().run_shielded(function)
    if is_pending(result):
        await result  # type: ignore[misc]
