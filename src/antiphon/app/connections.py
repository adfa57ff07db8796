"""An application's own database connections, of SQLAlchemy, psycopg, asyncpg, sqlite3, aiosqlite and Django: statements
in the transaction of a request, and how it ends.

A connection is known by its class's name, so that no library is imported. Methods are ``async`` for both kinds of
connections: ``at_once`` runs them on those that don't wait.
"""

import re
from collections.abc import Callable, Coroutine, Generator
from contextlib import closing, suppress
from functools import cache, partial
from pkgutil import resolve_name
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from antiphon.app.commit_hooks import Awaited, CommitHooks
from antiphon.concurrency.iterables import resume
from antiphon.concurrency.loop import yield_to_loop
from antiphon.handler.callables import is_pending
from antiphon.lazy import class_if_imported
from antiphon.request.dependencies import check_dependency

T = TypeVar("T")

_NAME = re.compile(r":(\w+)")
_IDLE, _FAILED = 0, 3
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
                raise RuntimeError  # SQLite would begin the outer statement again, without what is inside
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
        return _NAME.sub(lambda found: self._literal(values[found[1]]), statement)

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


class _Psycopg(DatabaseConnection):
    reports_early = False

    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def transaction(self) -> object:
        return self._driver.info.transaction_status != _IDLE or None

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        from psycopg.rows import tuple_row

        cursor = self._given.cursor(row_factory=tuple_row)
        await awaited(cursor.execute(_pyformat(statement), values))
        row = await awaited(cursor.fetchone()) if cursor.description else None
        return self.Found(cursor.rowcount, row)

    def watch(self, hooks: CommitHooks) -> None:
        connection, own = self._given, vars(self._given)
        send, kind = connection._exec_command, connection.cursor_factory  # noqa: SLF001 - no public name reports an end

        def text_of(query: Any) -> str:
            text = query.as_bytes(connection) if hasattr(query, "as_bytes") else query
            return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)

        def tell(query: Any, result: Any) -> None:
            if result is not None:  # or it has only been queued, in a pipeline
                hooks.told(text_of(query), is_undone=result.command_status == b"ROLLBACK")

        def write_again(query: Any) -> Generator[Any, Any, None]:
            if not hooks.is_due(text_of(query)):
                return
            for statement, note in hooks.again():
                result = yield from send(statement)
                note(-1 if result is None else result.command_tuples or 0)

        def send_and_tell(command: Any, *rest: Any, **options: Any) -> Generator[Any, Any, Any]:
            yield from write_again(command)
            result = yield from send(command, *rest, **options)
            tell(command, result)
            yield from write_again("")  # if each statement is now committed
            return result

        own.update(_exec_command=send_and_tell, cursor_factory=_telling(kind), _tell=tell, _write_again=write_again)
        unheard = {"cursor_factory": kind, "_tell": bool, "_write_again": lambda _: ()}
        hooks.at_end += [partial(own.pop, "_exec_command", None), partial(own.update, unheard)]


@cache
def _telling(kind: Any) -> Any:
    """Return a class of psycopg's cursors that tells a connection of the statements that are carried out."""

    class Telling(kind):  # type: ignore[misc]
        def _execute_gen(self, query: Any, *rest: Any, **options: Any) -> Generator[Any, Any, None]:
            yield from self.connection._write_again(query)  # noqa: SLF001
            yield from super()._execute_gen(query, *rest, **options)
            self.connection._tell(query, self.pgresult)  # noqa: SLF001

    return Telling


class _Asyncpg(DatabaseConnection):
    reports_early = False

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self.is_async = True

    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def is_failed(self) -> bool:
        return False  # the library doesn't know: see ``is_of_failed_transaction``

    @property
    def transaction(self) -> object:
        return self._given.is_in_transaction() or None

    async def run(self, statement: str, **values: Any) -> "DatabaseConnection.Found":
        names = [*dict.fromkeys(_NAME.findall(statement))]
        numbered = _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
        prepared = await self._given.prepare(numbered)
        rows = await prepared.fetch(*[values[name] for name in names])
        return self.Found(_changed_by(prepared.get_statusmsg()), tuple(rows[0]) if rows else None)

    async def commit(self) -> None:
        await self._given.execute("commit")

    def watch(self, hooks: CommitHooks) -> None:
        connection = getattr(self._given, "_con", self._given)  # a pool takes its proxy back
        has_failed = False

        def told(record: Any) -> None:
            nonlocal has_failed
            if record.exception is None:
                hooks.told(record.query, is_undone=has_failed)
                has_failed = False
            elif getattr(record.exception, "severity", None) is not None:  # the server has refused the statement
                has_failed = True

        connection.add_query_logger(told)
        hooks.at_end.append(lambda: connection.remove_query_logger(told))
        kind: Any = type(connection)
        connection.__class__ = _writing_again(kind)
        _hooks_of[connection] = hooks
        hooks.at_end.append(partial(setattr, connection, "__class__", kind))

    async def catch_up(self) -> None:
        await yield_to_loop()  # on which the library calls its loggers


_hooks_of: "WeakKeyDictionary[Any, CommitHooks]" = WeakKeyDictionary()
"""The hooks of asyncpg's connections, which have no room for them."""


@cache
def _writing_again(kind: Any) -> Any:
    """Return a class of asyncpg's connections that write rows again after a rollback, when each statement is committed
    by itself.
    """

    class WritingAgain(kind):  # type: ignore[misc]
        __slots__ = ()

        async def execute(self, *given: Any, **named: Any) -> Any:
            status, hooks = await super().execute(*given, **named), _hooks_of[self]
            if status == "ROLLBACK":
                await yield_to_loop()  # on which the library calls its loggers
            if hooks.is_due(""):
                for statement, note in hooks.again():
                    note(_changed_by(await super().execute(statement)))
                hooks.committed()
            return status

    return WritingAgain


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
            cursor.execute(_pyformat(statement), values)
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

    def has_dropped(self, awaited: Awaited) -> bool:
        waiting = [getattr(function, "args", None) for _, function, *_ in self._given.run_on_commit]
        return (awaited,) not in waiting

    @property
    def is_surrounded(self) -> bool:
        return bool(self._given.in_atomic_block)


def _of_sqlalchemy(given: Any) -> DatabaseConnection:
    made: DatabaseConnection = resolve_name("antiphon.app.sqlalchemy_connections:SQLAlchemyConnection")(given)
    return made


_KINDS: dict[str, Callable[[Any], DatabaseConnection]] = {
    "sqlite3.Connection": DatabaseConnection,
    "pysqlite3.Connection": DatabaseConnection,  # a newer SQLite than Python's
    "psycopg.Connection": _Psycopg,
    "psycopg.AsyncConnection": _Psycopg,
    "asyncpg.Connection": _Asyncpg,
    "asyncpg.PoolConnectionProxy": _Asyncpg,
    "aiosqlite.Connection": _Aiosqlite,
    "django.BaseDatabaseWrapper": _Django,
    "django.ConnectionProxy": _Django,
    **dict.fromkeys(
        [f"sqlalchemy.{each}" for each in ("Session", "scoped_session", "Connection", "AsyncSession",
                                           "async_scoped_session", "AsyncConnection")],
        _of_sqlalchemy,
    ),
}  # fmt: skip


async def awaited(value: Any) -> Any:
    """Return a value, or what comes of it if it is awaitable."""
    return await value if is_pending(value) or hasattr(type(value), "__await__") else value


def _changed_by(status: str) -> int:
    """Return the number of rows that a statement of asyncpg has changed, from "INSERT 0 1"."""
    changed = status.rpartition(" ")[2]
    return int(changed) if changed.isdecimal() else -1


def _pyformat(statement: str) -> str:
    return _NAME.sub(r"%(\1)s", statement)


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
    return bool(getattr(driver, "autocommit", False) and getattr(info, "transaction_status", None) == _IDLE)
