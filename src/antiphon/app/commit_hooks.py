"""The functions to call once a request's transaction is committed, and what its library reports.

| the library reports | what waits for the commit |
|---|---|
| a commit | is called once the dependency is closed, even if the request fails later |
| a rollback, or one to a savepoint | is left out, as far as it has been given since the savepoint |
| no transaction at all | is called: nothing can have been undone |
| nothing, although there was a transaction | is an error: closing a connection undoes what is not committed |

Rows that a handler's rollback has undone, although they belong to whatever the request commits, are written again
before anything is committed.

Of a connection that isn't known, a source that has ended without an error has committed.
"""

import re
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

from antiphon.explanations import explained
from antiphon.handler.callables import describe, is_async, is_pending
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch, switch_shielded
from antiphon.handler.failures import log_failure
from antiphon.request.request import Request

_ending = re.compile(
    r"\s*(?:(?P<begin>begin|start)\b|(?P<commit>commit|end)\b(?!\s+prepared)"
    r"|save(?:point|\s+transaction)\s+[\"'`]?(?P<into>\w+)|release\s+(?:savepoint\s+)?[\"'`]?(?P<out_of>\w+)"
    r"|(?:rollback|abort)\b(?!\s+prepared)(?:\s+(?:work|transaction)\b)?"
    r"(?:\s+(?:to\s+)?(?:savepoint\s+)?[\"'`]?(?!and\b)(?P<to>\w+))?)",
    re.IGNORECASE,
).match


class Awaited:
    """Something that waits for a commit: a function, or only ``is_committed``, which is None until the library reports.

    If it ``must_commit``, silence is an error; otherwise, the function is called all the same. ``again`` are statements
    that write its row once more if it was rolled back, each with what is told the number of rows that it has changed.
    """

    __slots__ = ("again", "function", "is_committed", "must_commit")

    def __init__(self, function: Callable[[], object] | None, must_commit: bool) -> None:
        self.function = function
        self.must_commit = must_commit
        self.is_committed: bool | None = None
        self.again: list[tuple[str, Callable[[int], object]]] = []


class CommitHooks:
    """All that waits for the commit of a dependency, in order. ``connection`` is its DatabaseConnection, or None."""

    def __init__(self, connection: Any) -> None:
        self.at_end: list[Callable[[], object]] = []
        """The functions with which the library is no longer listened to."""
        self._connection: Any = connection
        self._waiting: list[Awaited] = []
        self._latest: list[Awaited] = []
        """What the latest statement has committed, unless that fails."""
        self._given: list[Awaited] = []
        self._silent: list[Awaited] = []
        self._savepoints: list[tuple[object, int]] = []
        """The names of the open savepoints, and how many waited when each was made."""
        self._is_left = self._is_ending = self._is_over = False
        self._is_open = self._connection is not None and self._connection.transaction is not None
        if self._connection is not None:
            self._connection.watch(self)

    def add(self, function: Callable[[], object] | None, *, must_commit: bool = True) -> Awaited:
        """Call a function after the commit, if any, and return an object that knows whether there was one."""
        awaited, connection = Awaited(function, must_commit), self._connection
        self._given.append(awaited)
        self._waiting.append(awaited)
        if connection is None:
            return awaited
        if connection.commits_each:
            self.committed(awaited)
            return awaited
        self._is_open = self._is_open or connection.transaction is not None
        connection.note(self, awaited)
        return awaited

    # Rows that were rolled back

    def is_due(self, statement: str) -> bool:
        """Return True if rows must be written again before a statement, which ends a transaction or is committed by
        itself.
        """
        if self._connection is None or not any(each.again and each.is_committed is False for each in self._given):
            return False
        if found := _ending(statement):
            return bool((found["commit"] or found["out_of"]) and not self._connection.is_failed)
        return bool(self._connection.commits_each and not self._is_left)

    def again(self) -> Iterator[tuple[str, Callable[[int], object]]]:
        """Yield the statements that write the rows again, each with what to call with the number of changed rows. That
        raises an error if another request has written them in the meantime.
        """
        for each in [each for each in self._given if each.again and each.is_committed is False]:
            each.is_committed = None  # so that nothing is due before these statements
            try:
                yield from each.again
            except GeneratorExit:
                each.is_committed = False
                raise
            self._waiting.append(each)

    def write_again(self, run: Callable[[str], int]) -> None:
        """Write the rows again with a function that doesn't wait, and returns the number of changed rows."""
        for statement, note in self.again():
            note(run(statement))

    # Told by the library

    def told(self, statement: str, *, is_undone: bool = False) -> None:
        """Note the end or the beginning of a transaction, if a statement is one. A commit ``is_undone`` after an
        error.
        """
        self._latest = []
        found = _ending(statement)
        if found is None:
            return
        if found["begin"]:
            self.begun()
        elif found["into"]:
            self.in_savepoint(found["into"].lower())
        elif found["out_of"]:
            self.since(found["out_of"].lower())
            if self._connection.reports_early:  # SQLite, where it is a commit if it has begun the transaction
                self.committed()
        elif found["commit"] and not is_undone:
            self.committed()
        else:
            self.rolled_back(found["to"] and found["to"].lower(), has_failed=bool(found["commit"]))

    def in_savepoint(self, savepoint: object) -> None:
        """Note that what follows may be rolled back to a savepoint."""
        self._savepoints.append((savepoint, len(self._waiting)))

    def since(self, savepoint: object) -> int:
        """Forget the savepoints since one, and return how many waited when it was made: none if it isn't known."""
        while self._savepoints:
            name, number = self._savepoints.pop()
            if name == savepoint:
                return number
        return 0

    def begun(self) -> None:
        """Note that a transaction has begun. Of one before it that has ended unheard, nobody knows how."""
        if self._is_open:
            self._silent += self._waiting
            self._waiting = []
        self._is_open, self._latest, self._savepoints = True, [], []

    def rolled_back(self, savepoint: object = None, *, has_failed: bool = False) -> None:
        """Leave out what has been given since a savepoint, or in the transaction. One that was begun before all of this
        isn't known. A rollback by the source, although nothing ``has_failed``, was not asked for.
        """
        start = self.since(savepoint)
        undone, self._waiting = self._waiting[start:], self._waiting[:start]
        if self._is_ending and savepoint is None and not has_failed:
            self._silent += undone
        else:
            for each in undone:
                each.is_committed = False
        if savepoint is None:
            self._is_open = False
        else:
            self.in_savepoint(savepoint)

    def committed(self, only: Awaited | None = None) -> None:
        """Note that a transaction has been committed, with all that waits for it, or ``only`` that."""
        self._latest = self._waiting if only is None else [each for each in self._waiting if each is only]
        self._waiting = [] if only is None else [each for each in self._waiting if each is not only]
        self._is_open = self._is_open and only is not None
        for each in self._latest:
            each.is_committed = True
            if self._is_over and only is not None:
                _call_on_thread(only)

    def commit_failed(self) -> bool:
        """Note that the commit that was reported last has failed. Return True if there was one."""
        failed, self._latest = self._latest, []
        for each in failed:
            each.is_committed = None
        self._waiting = [*failed, *self._waiting]
        self._is_open = self._is_open or bool(failed)
        return bool(failed)

    # Told by the dependency

    async def before_end(self, *, is_error: bool) -> None:
        """Note what can be seen before the dependency's source goes on."""
        connection, self._is_left = self._connection, True
        if connection is None:
            return
        await connection.catch_up()
        try:
            is_failed, transaction, commits_each = connection.is_failed, connection.transaction, connection.commits_each
        except Exception:  # the handler has closed it
            is_failed, transaction, commits_each = False, None, False
        if transaction is None:
            self._latest = []
        elif commits_each:
            self.committed()
        if is_error:
            return
        self._waiting = [each for each in self._waiting if not connection.has_dropped(each)]
        self._is_ending = True
        if is_failed:
            self.rolled_back(has_failed=True)
        elif transaction is not None:
            if connection.reports_early:
                self.commit_failed()
            self._is_open = True

    async def end(self, request: Request, place: Switch, source: Callable[..., Any], *, is_error: bool) -> None:
        """Call what was committed, each function where it runs, although they may fail or be cancelled; then return to
        ``place``.

        Raises RuntimeError if the source has ended without an error, and the library has reported no commit.
        """
        connection = self._connection
        if connection is not None:
            await connection.catch_up()
        while self.at_end:
            self.at_end.pop()()
        if is_error and connection is not None and connection.reports_early:
            self.commit_failed()
        is_surrounded, self._is_over = connection is not None and connection.is_surrounded, True
        if not is_error and (connection is None or not self._is_open):
            self.committed()
        silent = [] if is_surrounded else [*self._silent, *self._waiting]
        unheard = [each for each in silent if not each.must_commit]
        await self._call(request, place, [each for each in self._given if each.is_committed or each in unheard])
        self._connection = None  # which may refer to this object
        if not is_error and any(each.must_commit for each in silent):
            raise explained(
                "no-transaction",
                f"{describe(source)} has ended without a commit, and closing a connection rolls back, so what"
                f" {request.route.handled_by} gave to after_commit, or enqueued, is not done: commit in the source"
                " after its yield, or in the handler, by the library's own functions",
                RuntimeError,
            )

    async def _call(self, request: Request, place: Switch, all_awaited: list[Awaited]) -> None:
        fatal: BaseException | None = None
        for each in all_awaited:
            if each.function is None:
                continue
            try:
                await _call(each.function, place)
            except GeneratorExit:
                raise
            except Exception as error:
                what = f": {describe(each.function)}"
                log_failure(request, error, what, fault="was committed, but a function given to after_commit failed")
            except BaseException as error:
                fatal = error
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


def _call_on_thread(awaited: Awaited) -> None:
    """Call a function of a request that is over, as the transaction around it is committed."""
    from antiphon.concurrency.background import run_on, serving_loop

    result = None if awaited.function is None else awaited.function()
    if is_pending(result):
        run_on(serving_loop(), result, copy_context())  # type: ignore[arg-type]
