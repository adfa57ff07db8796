"""Threads for what blocks, and the context variables that go there and come back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar, Token, copy_context
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from antiphon.concurrency.workers import Call, Threads, threads_of_task

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

_MISSING = object()

Tokens = dict[ContextVar[Any], Token[Any]]


def copy_variables(source: Context, tokens: Tokens) -> None:
    """Set each context variable here to what it is in ``source``.

    ``tokens`` keeps what is needed to unset here again the variables that ``source`` has no longer.
    """
    for variable, value in source.items():
        before = variable.get(_MISSING)
        if before is not value:
            token = variable.set(value)
            if before is _MISSING:
                tokens[variable] = token
    for variable in [variable for variable in tokens if variable not in source]:
        variable.reset(tokens.pop(variable))


class Crossing:
    """A task's way to threads and back. These are ``threads``, or those of the task.

    All calls of one crossing run in one context, its own or one that nobody else is in meanwhile, so that a token made
    in one of them can be reset in a later one. What they set is carried back to the task, and what the task has set
    since is carried there.
    """

    def __init__(self, context: Context | None = None, threads: Threads | None = None) -> None:
        self._context = Context() if context is None else context
        self._threads = threads
        self._tokens_here: Tokens = {}
        self._tokens_there: Tokens = {}
        self._held_back = False

    async def run(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function on a thread. Raises what it raises.

        A function that has begun is waited for. A cancellation that comes meanwhile is held back, and reaches the task
        where it next waits, at the latest before the next call. One that has not begun is given up, unless the task has
        been cancelled before: then it cleans up.
        """
        if self._held_back:
            self._held_back = False
            await asyncio.sleep(0)
        task = asyncio.current_task()
        return await self._call(partial(function, *arguments), gives_up=task is None or not task.cancelling())

    async def run_shielded(self, function: Callable[[], T]) -> T:
        """As ``run``, but whoever cancels, and when: for what cleans up."""
        return await self._call(function, gives_up=False)

    async def drop_withdrawn_cancellation(self, leaving: BaseException | None = None) -> None:
        """Take a cancellation that was held back out of the way, where whoever asked for it has taken it back, or where
        it is another one that leaves: two would outlive the scope that asks for them.
        """
        task = asyncio.current_task()
        if not self._held_back or task is None:
            return
        if isinstance(leaving, asyncio.CancelledError) or not task.cancelling():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    def copy_to_threads(self, source: Context) -> None:
        """Have the threads' context see what is in ``source``, when nobody is in it any more."""
        self._context.run(copy_variables, source, self._tokens_there)

    def copy_to_task(self) -> None:
        """Have the task's context, which is the current one, see what is in the threads'."""
        copy_variables(self._context, self._tokens_here)

    async def _call(self, function: Callable[[], T], gives_up: bool) -> T:
        self.copy_to_threads(copy_context())
        call = Call(partial(self._context.run, function))
        (self._threads or threads_of_task()).run(call)
        self._held_back = await _completed(call, gives_up)
        self.copy_to_task()
        error, call.error = call.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # or it would keep alive, through its traceback, itself and all that is on the stack
        return call.result


async def _completed(call: Call[Any], gives_up: bool) -> bool:
    """Wait until a call is done, whoever cancels meanwhile: whether anybody did, who is then heard later.

    If it ``gives_up``, a call that has not begun is not waited for.
    """
    cancelled = None
    while not call.is_done:
        try:
            await call.wait()
        except asyncio.CancelledError as error:
            if gives_up and call.claim():
                raise
            cancelled = error
    if cancelled is None or (task := asyncio.current_task()) is None:
        return False
    task.uncancel()
    task.cancel(*cancelled.args)
    return True
