"""Crossing from a task to threads and back, with the context variables carried both ways."""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, Token, copy_context
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from antiphon.concurrency.calls import Call, Threads
from antiphon.concurrency.waiting import file_threads_of_task, leave_at_end, threads_of_task

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

_MISSING = object()

Tokens = dict[ContextVar[Any], Token[Any]]


async def run_on_file_thread(function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
    """Call a function that only waits for the disk and the processor. Raises what the function raises."""
    return await Crossing(threads=file_threads_of_task()).run(function, *arguments)


class Crossing:
    """A task's way to ``threads`` and back; by default to the thread of the task.

    ``ends`` is true of the results of calls after which the task is unlikely to make another one. All calls of one
    crossing run in one context, its own or one that is not otherwise in use. So a token made in one call can be reset
    in a later one. Variables that calls set are carried back to the task, and those that the task has set since are
    carried to the next call.
    """

    def __init__(
        self,
        context: Context | None = None,
        threads: Threads | None = None,
        ends: Callable[[Any], bool] | None = None,
    ) -> None:
        self._context = Context() if context is None else context
        self._threads = threads
        self._ends = ends
        self._task_tokens: Tokens = {}
        self._thread_tokens: Tokens = {}
        self._holds_cancellation = False

    async def run(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function on a thread. Raises what the function raises.

        A function that is already running is waited for. A cancellation during that time is held back, and reaches the
        task where it next waits, at the latest before its next call. A function that is not running yet is then
        dropped, unless the task was cancelled before the call: then it is cleaning up.
        """
        await self.drop_withdrawn_cancellation()
        if self._holds_cancellation:
            self._holds_cancellation = False
            await asyncio.sleep(0)
        task = asyncio.current_task()
        return await self._call(partial(function, *arguments), drops=task is None or not task.cancelling())

    async def run_shielded(self, function: Callable[[], T]) -> T:
        """Call a function on a thread even if the task is cancelled at any time: for cleaning up."""
        return await self._call(function, drops=False)

    async def drop_withdrawn_cancellation(self, leaving: BaseException | None = None) -> None:
        """Drop a cancellation that was held back if it was withdrawn since, or if another one is ``leaving``.

        Two cancellations would outlive the scope that has requested one. One that arrives during this is also held
        back, so that the response gets to the code that closes it.
        """
        task = asyncio.current_task()
        if not self._holds_cancellation or task is None:
            return
        is_leaving = isinstance(leaving, asyncio.CancelledError)
        if is_leaving or not task.cancelling():
            self._holds_cancellation = False
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError as error:
                if task.cancelling() and not is_leaving:
                    _hold_back(task, error.args)
                    self._holds_cancellation = True

    def copy_to_threads(self, source: Context) -> None:
        """Copy the variables of ``source`` to the threads' context, when that is no longer in use."""
        self._context.run(copy_variables, source, self._thread_tokens)

    def copy_to_task(self) -> None:
        """Copy the variables of the threads' context to the task's, which is the current one."""
        copy_variables(self._context, self._task_tokens)

    async def _call(self, function: Callable[[], T], drops: bool) -> T:
        self.copy_to_threads(copy_context())
        call = Call(partial(self._context.run, function), self._ends)
        (self._threads or threads_of_task()).run(call)
        self._holds_cancellation = await _wait_shielded(call, drops)
        if call.home is not None and call.home.will_return:
            leave_at_end(call.home)
        self.copy_to_task()
        error, call.error = call.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # or it would keep alive, through its traceback, itself and everything on the stack
        result: T = call.result
        del call.result  # the frames of an error on the thread keep the call
        return result


async def _wait_shielded(call: Call[Any], drops: bool) -> bool:
    """Wait until a call is done, even if the task is cancelled. Returns True if a cancellation was held back.

    With ``drops``, a cancellation drops a call that is not running yet, and is raised.
    """
    cancelled: tuple[object, ...] | None = None
    while not call.is_done:
        try:
            await call.wait()
        except asyncio.CancelledError as error:
            if drops and call.claim():
                raise
            cancelled = error.args  # the error has this frame
    if cancelled is None or (task := asyncio.current_task()) is None:
        return False
    _hold_back(task, cancelled)
    return True


def _hold_back(task: "asyncio.Task[Any]", arguments: tuple[object, ...]) -> None:
    """Let a cancellation that the current task has received reach it again where it next waits.

    ``arguments`` are those of its error.
    """
    task.uncancel()
    task.cancel(*arguments)


def copy_variables(source: Context, tokens: Tokens) -> None:
    """Set each context variable of ``source`` in the current context, and unset those that ``source`` no longer has.

    ``tokens`` keeps the tokens for that from call to call.
    """
    for variable, value in source.items():
        before = variable.get(_MISSING)
        if before is not value:
            token = variable.set(value)
            if before is _MISSING:
                tokens[variable] = token
    for variable in [variable for variable in tokens if variable not in source]:
        variable.reset(tokens.pop(variable))
