"""Connections of psycopg and asyncpg: their transactions, and how these libraries report that they end."""

from collections.abc import Generator
from functools import cache, partial
from typing import Any
from weakref import WeakKeyDictionary

from antiphon.app.commit_hooks import CommitHooks
from antiphon.app.connections import IDLE, NAME, DatabaseConnection, awaited, pyformat
from antiphon.concurrency.loop import yield_to_loop


class Psycopg(DatabaseConnection):
    """A connection of psycopg, sync or async."""

    reports_early = False

    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def transaction(self) -> object:
        return self._driver.info.transaction_status != IDLE or None

    async def run(self, statement: str, **values: Any) -> DatabaseConnection.Found:
        from psycopg.rows import tuple_row

        cursor = self._given.cursor(row_factory=tuple_row)
        await awaited(cursor.execute(pyformat(statement), values))
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


class Asyncpg(DatabaseConnection):
    """A connection of asyncpg, or what its pool gives for one."""

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

    async def run(self, statement: str, **values: Any) -> DatabaseConnection.Found:
        names = [*dict.fromkeys(NAME.findall(statement))]
        numbered = NAME.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
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


def _changed_by(status: str) -> int:
    """Return the number of rows that a statement of asyncpg has changed, from "INSERT 0 1"."""
    changed = status.rpartition(" ")[2]
    return int(changed) if changed.isdecimal() else -1
