"""Worker threads for what blocks, and the context variables that go there and come back."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

WORKERS = 40
"""How many threads a process has for handlers that block."""

_MISSING = object()
_executor: ThreadPoolExecutor | None = None


def executor() -> ThreadPoolExecutor:
    """This process's worker threads, started as they are needed."""
    global _executor  # noqa: PLW0603 - one pool a process
    if _executor is None:
        _executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="antiphon")
    return _executor


def _forget() -> None:
    global _executor  # noqa: PLW0603 - a forked child has none of its parent's threads
    _executor = None


os.register_at_fork(after_in_child=_forget)


def carry(source: Context) -> None:
    """Set each context variable here to what it is in ``source``."""
    for variable, value in source.items():
        if variable.get(_MISSING) is not value:
            variable.set(value)


class Crossing:
    """A task's way to the worker threads and back.

    All calls of one crossing run in one context of their own, so that a token made in one of them can be reset in a
    later one; what they set is carried back to the task, and what the task has set since is carried there.
    """

    def __init__(self) -> None:
        self._context = copy_context()
        self._crossed = False

    async def run(
        self, function: Callable[[Unpack[Arguments]], T], *arguments: Unpack[Arguments]
    ) -> tuple[T, asyncio.CancelledError | None]:
        """Call a function on a worker thread: what it returned, and the cancellation that came meanwhile, if any.

        A function that has begun is waited for, whoever cancels. Raises what it raises.
        """
        context = self._context
        if self._crossed:
            context.run(carry, copy_context())
        self._crossed = True
        call = partial(context.run, function, *arguments)
        future: asyncio.Future[T] = asyncio.get_running_loop().run_in_executor(executor(), call)
        cancelled = await _completed(future)
        carry(context)
        return future.result(), cancelled


async def _completed(future: "asyncio.Future[Any]") -> asyncio.CancelledError | None:
    """Wait until a future is done, whoever cancels meanwhile: the last cancellation."""
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled
