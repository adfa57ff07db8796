"""Work: a request with all that follows it, a WebSocket or a job. Functions are around each, wherever its code runs.

| work | what surrounds it, on the thread of ``def`` code and in the task of ``async def`` code |
|---|---|
| request | middleware, up to the end of the stream and of functions given to ``after_response`` |
| WebSocket | the same, of its handshake; and ``app.work()`` on the thread of a ``def`` handler |
| job, or other work of a feature | ``app.work()`` |
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import update_wrapper
from typing import Any, TypeAlias

from antiphon.app.dispatch.middleware import Middleware
from antiphon.handler.callables import is_async
from antiphon.request.request import Request
from antiphon.response.response import Response

OnThread: TypeAlias = Callable[[], Iterator[None]]
"""A function that yields once: before that it opens what work on a thread needs, after that it closes this."""
InTask: TypeAlias = Callable[[], AsyncGenerator[None]]
"""Such a function for work in a task."""


class Work:
    """What surrounds a piece of work: open it with ``with`` on a thread, or with ``async with`` on a loop."""

    def __init__(self, on_threads: list[OnThread], in_tasks: list[InTask]) -> None:
        self._on_threads, self._in_tasks = on_threads, in_tasks
        self._stack, self._async_stack = ExitStack(), AsyncExitStack()

    def __enter__(self) -> None:
        with self._stack:
            for each in self._on_threads:
                self._stack.enter_context(contextmanager(each)())
            self._stack = self._stack.pop_all()

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    async def __aenter__(self) -> None:
        async with self._async_stack:
            for each in self._in_tasks:
                await self._async_stack.enter_async_context(asynccontextmanager(each)())
            self._async_stack = self._async_stack.pop_all()

    async def __aexit__(self, *raised: object) -> None:
        await self._async_stack.aclose()


def around_threads(work_of: Callable[[], Work]) -> Middleware:
    """Return the middleware around requests on the threads of ``def`` code."""

    def within(function: Callable[[], Any]) -> Callable[[], Awaitable[object]]:
        async def call() -> object:
            async with work_of():
                return await function()

        return update_wrapper(call, function)

    def on_thread(request: Request) -> Generator[None, Response]:
        work = work_of()
        work.__enter__()
        response = yield
        handler = request.route.handler
        if handler is None or not is_async(handler):  # otherwise they are within that of the handler
            request._deferred = tuple(within(each) if is_async(each) else each for each in request._deferred)
        end_when_sent(request, response, work.__exit__)

    return Middleware(on_thread, False, blocks=True)


def around_tasks(work_of: Callable[[], Work]) -> Middleware:
    """Return the middleware around requests in the tasks of ``async def`` handlers."""

    async def on_loop(request: Request) -> AsyncGenerator[None, Response]:
        work = work_of()
        await work.__aenter__()
        if (ended := end_when_sent(request, (yield), work.__aexit__)) is not None:
            await ended

    return Middleware(on_loop, True)


def end_when_sent(
    request: Request, response: Response, end: Callable[[], Awaitable[None] | None]
) -> Awaitable[None] | None:
    """End work now, or when the response has been sent and what follows it has ended."""
    if response.is_streamed or request._deferred:
        request._defer_last(end)
        return None
    return end()
