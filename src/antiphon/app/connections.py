"""An application's own database connections, of SQLAlchemy, psycopg, asyncpg, sqlite3, aiosqlite and Django: statements
in the transaction of a request, and how it ends.

A connection is known by its class's name, so that no library is imported. Methods are ``async`` for both kinds of
connections: ``at_once`` runs them on those that don't wait.
"""

import re
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from functools import partial
from pkgutil import resolve_name
from typing import Any, NamedTuple, TypeVar

from antiphon.app.commit_hooks import Awaited, CommitHooks
from antiphon.concurrency.iterables import resume
from antiphon.handler.callables import is_pending
from antiphon.lazy import class_if_imported
from antiphon.request.dependencies import check_dependency

T = TypeVar("T")

NAME = re.compile(r":(\w+)")
IDLE, _FAILED = 0, 3
"""Values of libpq's ``PGTransactionStatusType``: no transaction, and one that can only be rolled back."""


class DatabaseConnection:
    """A connection, or a session, that a request uses. Values are named in statements: ``:id``."""

    class Found(NamedTuple):
        """The result of a statement: the number of rows that it has changed, and the first row that it returns."""

        rows: int
        row: tuple[Any, ...] | None

    @staticmethod
    def check_source(given: object, feature: str) -> None:
        """Raise TypeError, with the name of the feature, for anything but the dependency of a database."""
        check_dependency(given, f"{feature}(inside=...)", "pass the database's, inside=DATABASE")

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

    reports_early = True
    """True if a commit is reported when it begins, and may still fail."""

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
    def open_driver(self) -> object:
        """The driver's connection, if a transaction is open on it, otherwise None."""
        with suppress(Exception):  # it is closed, or an async session that has not connected yet
            return None if self.transaction is None else self._driver
        return None

    @property
    def commits_each(self) -> bool:
        """True if each statement is committed by itself, because nothing has begun a transaction."""
        return _commits_each(self._driver)

    @property
    def is_default(self) -> bool:
        """False if the library's models write by another connection."""
        return True

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

    async def commit(self) -> None:
        """Commit the open transaction. Raises the library's errors, such as that only a block of its own may end it."""
        await awaited(self._given.commit())

    def watch(self, hooks: CommitHooks) -> None:
        """Report each begin, commit and rollback to ``hooks``, until they end."""

        def told(statement: str) -> None:
            if self._given.in_transaction:
                hooks.commit_failed()  # which the statement before was
            if hooks.is_due(statement):
                self._write_again(hooks)
            hooks.told(statement)

        self._trace(told)
        hooks.at_end.append(partial(self._trace, None))

    def _write_again(self, hooks: CommitHooks) -> None:
        """Write rows again inside of a statement that begins, or make that fail: its own errors are not heard there."""
        driver = getattr(self._given, "_conn", self._given)  # that of aiosqlite, on whose thread this is

        def run(statement: str) -> int:
            if statement.startswith("create") and not driver.in_transaction:
                driver.interrupt()  # SQLite would begin the outer statement again, without what is inside
            return int(driver.execute(statement).rowcount)

        try:
            hooks.write_again(run)
        except Exception:
            if driver.in_transaction:
                driver.execute("rollback")
                hooks.rolled_back()
            driver.interrupt()

    def _trace(self, function: Callable[[str], None] | None) -> None:
        with suppress(Exception):  # it is closed
            self._given.set_trace_callback(function)

    def watched(self) -> tuple[Awaited, list[Callable[[], object]]]:
        """Watch a transaction that code around the request holds. Return what knows whether it is committed, and the
        functions to call at the end.
        """
        hooks = CommitHooks(self)
        return hooks.add(None, must_commit=False), hooks.at_end

    def note(self, hooks: CommitHooks, awaited: Awaited) -> None:
        """Note that something waits for the commit, in a library that reports it for each."""

    def has_dropped(self, awaited: Awaited) -> bool:  # noqa: ARG002
        """Return True if the library won't report a commit, since a savepoint was rolled back."""
        return False

    @property
    def is_surrounded(self) -> bool:
        """True if a transaction goes on after the dependency's end, whose commit the library reports later."""
        return False

    async def catch_up(self) -> None:
        """Wait until the library has reported all that has happened."""

    def literal(self, statement: str, **values: Any) -> str:
        """Return a statement with its values, which are bytes and numbers."""
        return NAME.sub(lambda found: self._literal(values[found[1]]), statement)

    def _literal(self, value: Any) -> str:
        if not isinstance(value, bytes):
            return repr(value)
        return f"x'{value.hex()}'" if self.dialect == "sqlite" else f"pg_catalog.decode('{value.hex()}', 'hex')"

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
    def is_outage(error: BaseException) -> bool:
        """Return True if a database does not respond, is full or is locked; asyncpg has no one class for that."""
        if any(getattr(each, "sqlite_errorcode", 0) == 1 for each in _causes_of(error)):
            return False  # the statement is wrong, as its table
        names = {each.__name__ for each in type(error).__mro__}
        states = {state[:3] if state.startswith("57P") else state[:2] for state in _states_of(error)}
        is_of_system = (
            isinstance(error, ConnectionError | TimeoutError) or type(error) is OSError
        )  # as asyncio raises it
        return is_of_system or bool(names & {"OperationalError", "InterfaceError"} or states & {"08", "53", "57P"})

    @staticmethod
    def is_conflict(error: Exception) -> bool:
        """Return True if PostgreSQL has undone a transaction because of another one, so that a retry may succeed."""
        return bool(_states_of(error) & {"40001", "40P01"})

    @staticmethod
    def is_rolled_back(error: BaseException) -> bool:
        """Return True if a database said with an error, or with its cause, that it has committed nothing.

        After any other error, such as a lost connection, it is unknown whether a commit has succeeded.
        """
        states = _states_of(error, depth=3)  # a deeper one may be of an earlier statement
        if any(state[:2] in ("23", "40") and state != "40003" for state in states):
            return True
        return any(isinstance(each, class_if_imported("sqlite3", "Error") or ()) for each in _causes_of(error)[:3])

    @staticmethod
    def is_of_failed_transaction(error: Exception) -> bool:
        """Return True if PostgreSQL refuses a statement because an earlier one has failed."""
        return "25P02" in _states_of(error)


class _Aiosqlite(DatabaseConnection):
    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self.is_async = True

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        async with self._given.execute(statement, values) as cursor:
            row = await cursor.fetchone()
            return self.Found(cursor.rowcount, None if row is None else tuple(row))

    async def catch_up(self) -> None:
        with suppress(Exception):  # it is closed
            await self._given.cursor()  # after all that is queued, which a newer SQLite would have the loop wait for

    def _trace(self, function: Callable[[str], None] | None) -> None:
        with suppress(Exception):
            tracing = self._given.set_trace_callback(function)
            tracing.send(None)  # it is in the queue of the connection's thread, before all that follows
            tracing.close()


class _Django(DatabaseConnection):
    reports_early = False

    @property
    def dialect(self) -> str:
        return str(self._given.vendor)

    @property
    def is_failed(self) -> bool:
        given = self._given
        return bool(given.in_atomic_block and (given.needs_rollback or _is_failed(given.connection)))

    @property
    def transaction(self) -> object:
        return self._given.in_atomic_block or None

    @property
    def commits_each(self) -> bool:
        return not self._given.in_atomic_block or _commits_each(self._given.connection)

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        with self._given.cursor() as cursor:
            cursor.execute(pyformat(statement), values)
            return self.Found(cursor.rowcount, cursor.fetchone() if cursor.description else None)

    def watch(self, hooks: CommitHooks) -> None:
        """Report savepoints, and what ``note`` has noted."""

        def run(statement: str) -> int:
            with closing(self._given.connection.cursor()) as cursor:
                cursor.execute(statement)
                return int(cursor.rowcount)

        def executed(execute: Callable[..., Any], statement: Any, *rest: Any) -> Any:
            if hooks.is_due(str(statement)):
                hooks.write_again(run)
            result = execute(statement, *rest)
            hooks.told(str(statement))
            return result

        self._given.execute_wrappers.insert(0, executed)
        hooks.at_end.append(partial(self._given.execute_wrappers.remove, executed))

    def note(self, hooks: CommitHooks, awaited: Awaited) -> None:
        self._given.on_commit(partial(hooks.committed, awaited))

    @property
    def is_default(self) -> bool:
        connections: Any = class_if_imported("django.db", "connections")
        return connections["default"].connection is self._given.connection

    def has_dropped(self, awaited: Awaited) -> bool:
        waiting = [getattr(function, "args", None) for _, function, *_ in self._given.run_on_commit]
        return (awaited,) not in waiting

    @property
    def is_surrounded(self) -> bool:
        return bool(self._given.in_atomic_block)


def _of(name: str, given: Any) -> DatabaseConnection:
    made: DatabaseConnection = resolve_name(f"antiphon.app.{name}")(given)
    return made


_KINDS: dict[str, Callable[[Any], DatabaseConnection]] = {
    "sqlite3.Connection": DatabaseConnection,
    "pysqlite3.Connection": DatabaseConnection,  # a newer SQLite than Python's
    "psycopg.Connection": partial(_of, "postgres_connections:Psycopg"),
    "psycopg.AsyncConnection": partial(_of, "postgres_connections:Psycopg"),
    "asyncpg.Connection": partial(_of, "postgres_connections:Asyncpg"),
    "asyncpg.PoolConnectionProxy": partial(_of, "postgres_connections:Asyncpg"),
    "aiosqlite.Connection": _Aiosqlite,
    "django.BaseDatabaseWrapper": _Django,
    "django.ConnectionProxy": _Django,
    **dict.fromkeys(
        [f"sqlalchemy.{each}" for each in ("Session", "scoped_session", "Connection", "AsyncSession",
                                           "async_scoped_session", "AsyncConnection")],
        partial(_of, "sqlalchemy_connections:SQLAlchemyConnection"),
    ),
}  # fmt: skip


async def awaited(value: Any) -> Any:
    """Return a value, or what comes of it if it is awaitable."""
    return await value if is_pending(value) or hasattr(type(value), "__await__") else value


def pyformat(statement: str) -> str:
    """Return a statement with the placeholders of psycopg and Django."""
    return NAME.sub(r"%(\1)s", statement)


def _causes_of(error: BaseException) -> tuple[object, ...]:
    """Return an error and those that it was made from, also as SQLAlchemy and Django raise it."""
    return error, getattr(error, "orig", None), error.__cause__, getattr(error.__cause__, "__cause__", None)


def _states_of(error: BaseException, depth: int = 4) -> set[str]:
    return {str(getattr(each, "sqlstate", None)) for each in _causes_of(error)[:depth]}


def _is_failed(driver: Any) -> bool:
    return getattr(getattr(driver, "info", None), "transaction_status", None) == _FAILED


def _commits_each(driver: Any) -> bool:
    if hasattr(driver, "is_in_transaction"):  # asyncpg
        return not driver.is_in_transaction()
    if hasattr(driver, "in_transaction"):  # sqlite3, also inside aiosqlite
        autocommit = getattr(driver, "autocommit", -1)
        begins = autocommit is False or (autocommit == -1 and driver.isolation_level is not None)
        return not (begins or driver.in_transaction)
    info = getattr(driver, "info", None)  # of psycopg
    return bool(getattr(driver, "autocommit", False) and getattr(info, "transaction_status", None) == IDLE)
