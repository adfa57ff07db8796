"""Work: a request, a message to a WebSocket, or a job. Functions are around each, wherever its code runs.

| work | what surrounds it, on the thread of ``def`` code and in the task of ``async def`` code |
|---|---|
| request | middleware, up to the end of the stream; then each function given to ``after_response`` is work of its own |
| WebSocket | the same, of its handshake, and ``app.work()`` on the thread of a ``def`` handler, except while it waits |
| job, or other work of a feature | ``app.work()`` |
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from functools import partial, update_wrapper
from threading import get_ident
from typing import Any, Self, TypeAlias, TypeVar

from antiphon.app.dispatch.middleware import Middleware
from antiphon.handler.callables import is_async, is_pending
from antiphon.request.request import Request
from antiphon.response.response import Response

T = TypeVar("T")
OnThread: TypeAlias = Callable[[], Iterator[None]]
"""A function that yields once: before that it opens what work on a thread needs, after that it closes this."""
InTask: TypeAlias = Callable[[], AsyncGenerator[None]]
"""Such a function for work in a task."""


class Work:
    """What surrounds a piece of work: open it with ``with`` on a thread, or with ``async with`` on a loop."""

    def __init__(self, on_threads: list[OnThread], in_tasks: list[InTask]) -> None:
        self._on_threads, self._in_tasks = on_threads, in_tasks
        self._stack, self._async_stack = ExitStack(), AsyncExitStack()
        self._owner: object = None
        """The thread or the task of the work."""

    def __enter__(self) -> Self:
        self._owner = get_ident()
        with self._stack:
            for each in self._on_threads:
                self._stack.enter_context(contextmanager(each)())
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    async def __aenter__(self) -> Self:
        from asyncio import current_task  # late: applications without a loop need none

        self._owner = current_task()
        async with self._async_stack:
            for each in self._in_tasks:
                await self._async_stack.enter_async_context(asynccontextmanager(each)())
            self._async_stack = self._async_stack.pop_all()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._async_stack.aclose()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Close on the work's own thread what surrounds it, while it waits, and open it again."""
        if get_ident() != self._owner:
            yield
            return
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    async def wait_for(self, steps: Coroutine[Any, Any, T]) -> T:
        """Await steps, while what surrounds the work in this task is closed."""
        from asyncio import current_task

        if current_task() is not self._owner:  # what surrounds the work may have set context variables
            return await steps
        with closing(steps):
            await self.__aexit__()
            try:
                return await steps
            finally:
                await self.__aenter__()

    def around(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """Return a function that is called once, as this work."""

        async def in_task(function: Callable[[], Any]) -> Any:
            async with self:
                return await function()

        def on_thread() -> Any:
            with self:
                result = function()
            return in_task(lambda: result) if is_pending(result) else result

        return update_wrapper(partial(in_task, function) if is_async(function) else on_thread, function)


def around_threads(work_of: Callable[[], Work]) -> Middleware:
    """Return the middleware around requests on the threads of ``def`` code."""

    def on_thread(request: Request) -> Generator[None, Response]:
        work = work_of()
        work.__enter__()
        end_when_sent(request, (yield), work.__exit__)

    return Middleware(on_thread, False, blocks=True)


def around_tasks(work_of: Callable[[], Work]) -> Middleware:
    """Return the middleware around requests in the tasks of ``async def`` handlers."""

    async def on_loop(request: Request) -> AsyncGenerator[None, Response]:
        request._work = work = work_of()
        await work.__aenter__()
        if (ended := end_when_sent(request, (yield), work.__aexit__)) is not None:
            await ended

    return Middleware(on_loop, True)


def end_when_sent(
    request: Request, response: Response, end: Callable[[], Awaitable[None] | None]
) -> Awaitable[None] | None:
    """End work now, or when the response has been sent."""
    if response.is_streamed:
        request._defer_end(end)
        return None
    return end()
