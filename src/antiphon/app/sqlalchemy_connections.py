"""Connections of SQLAlchemy's engines, and sessions, sync and async: their transactions, and the events that report how
these end.

A savepoint is seen by its event, and by its statement, which a handler may also send by itself.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from antiphon.app.commit_hooks import CommitHooks
from antiphon.app.connections import DatabaseConnection, awaited

_Listen: TypeAlias = Callable[[Any, str, Callable[..., object]], None]

_undoes = re.compile(r"\s*(?:save|release|rollback)", re.IGNORECASE).match


class SQLAlchemyConnection(DatabaseConnection):
    """An engine's connection, or a session."""

    reports_early = False

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
    def _connection(self) -> Any:
        return self._sync.connection() if hasattr(self._sync, "get_bind") else self._sync

    @property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    @property
    def is_failed(self) -> bool:
        try:
            return self.transaction is not None and (super().is_failed or self._is_refused())
        except Exception as error:  # or an async session that has not connected yet
            return type(error).__name__ == "PendingRollbackError"

    def _is_refused(self) -> bool:
        """Ask PostgreSQL, if the driver below doesn't know the state of its transaction."""
        if self.dialect != "postgresql" or hasattr(self._driver, "info"):
            return False
        try:
            self._connection.exec_driver_sql("select 1")
        except Exception as error:
            return self.is_of_failed_transaction(error)
        return False

    @property
    def transaction(self) -> object:
        return self._sync.get_nested_transaction() or self._sync.get_transaction()

    @property
    def commits_each(self) -> bool:
        try:
            pooled = None if self.transaction is None else self._connection.connection.dbapi_connection
            return pooled is not None and super().commits_each and bool(getattr(pooled, "autocommit", True))
        except Exception:  # an async session that has not connected yet
            return False

    async def run(self, statement: str, **values: Any) -> DatabaseConnection.Found:
        from sqlalchemy import text

        connection = self._given
        if hasattr(connection, "get_bind"):
            connection = await awaited(connection.connection())
        found = await awaited(connection.execute(text(statement), values))
        row = found.first() if found.returns_rows else None
        return self.Found(found.rowcount, None if row is None else tuple(row))

    def watch(self, hooks: CommitHooks) -> None:
        from sqlalchemy import event

        target = self._sync

        def listen(subject: Any, name: str, function: Callable[..., object]) -> None:
            event.listen(subject, name, function)
            hooks.at_end.append(partial(event.remove, subject, name, function))

        def executing(_connection: Any, _cursor: Any, statement: str, *_rest: object) -> None:
            self._write_again(hooks, statement)

        def executed(_connection: Any, _cursor: Any, statement: str, *_rest: object) -> None:
            if _undoes(statement):
                hooks.told(statement)

        def watch_statements(connection: Any) -> None:
            if not event.contains(connection, "after_cursor_execute", executed):
                listen(connection, "before_cursor_execute", executing)
                listen(connection, "after_cursor_execute", executed)

        if not hasattr(target, "get_bind"):
            self._watch_core(target, hooks, listen)
            watch_statements(target)
            return
        self._watch_session(target, hooks, listen)
        listen(target, "after_begin", lambda _session, _transaction, connection: watch_statements(connection))
        if self.transaction is not None:
            with suppress(Exception):  # an async session that has not connected yet
                watch_statements(self._connection)

    def _write_again(self, hooks: CommitHooks, statement: str = "commit") -> None:
        if hooks.is_due(statement):
            connection = self._connection
            hooks.write_again(lambda statement: int(connection.exec_driver_sql(statement).rowcount))

    def _watch_session(self, session: Any, hooks: CommitHooks, listen: _Listen) -> None:
        def begun(_session: Any, transaction: Any) -> None:
            if transaction.nested:
                hooks.in_savepoint(transaction)
            elif transaction.parent is None:
                hooks.begun()

        def committing(_session: Any) -> None:
            if session.get_nested_transaction() is None and self.is_failed:
                hooks.rolled_back(has_failed=True)
            elif session.get_nested_transaction() is None:
                self._write_again(hooks)

        def committed(_session: Any) -> None:
            if session.get_nested_transaction() is None:
                hooks.committed()

        def rolled_back(_session: Any, ended: Any) -> None:
            while ended is not None and not ended.nested:
                ended = ended.parent
            hooks.rolled_back(ended)

        listen(session, "after_transaction_create", begun)
        listen(session, "before_commit", committing)
        listen(session, "after_commit", committed)
        listen(session, "after_soft_rollback", rolled_back)

    def _watch_core(self, target: Any, hooks: CommitHooks, listen: _Listen) -> None:
        def committing(_connection: Any) -> None:  # there is no event after a commit, only one if it has failed
            if self.is_failed:
                hooks.rolled_back(has_failed=True)
                return
            self._write_again(hooks)
            hooks.committed()

        def failed(context: Any) -> None:
            if context.connection is target and hooks.commit_failed():
                hooks.rolled_back(has_failed=True)

        listen(target, "begin", lambda _connection: hooks.begun())
        listen(target, "commit", committing)
        listen(target, "rollback", lambda _connection: hooks.rolled_back())
        listen(target.engine, "handle_error", failed)
