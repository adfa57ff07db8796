"""Work: a request with all that follows it, a WebSocket or a job. Functions are around each, wherever its code runs.

| work | around ``def`` code, on its thread | around ``async def`` code, in its task |
|---|---|---|
| request | middleware, up to the end of the stream and of functions given to ``after_response`` | the same |
| WebSocket | as for its handshake, and on the thread of a ``def`` handler | as for its handshake |
| job, or other work of a feature | ``with app.work():`` | ``async with app.work():`` |
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
        self._on_threads = on_threads
        self._in_tasks = in_tasks
        self._opened: Any = None

    def __enter__(self) -> None:
        with ExitStack() as opening:
            for each in self._on_threads:
                opening.enter_context(contextmanager(each)())
            self._opened = opening.pop_all()

    def __exit__(self, *raised: object) -> None:
        self._opened.close()

    async def __aenter__(self) -> None:
        async with AsyncExitStack() as opening:
            for each in self._in_tasks:
                await opening.enter_async_context(asynccontextmanager(each)())
            self._opened = opening.pop_all()

    async def __aexit__(self, *raised: object) -> None:
        await self._opened.aclose()


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
        _end(request, response, work.__exit__)

    return Middleware(on_thread, False, blocks=True)


def around_tasks(work_of: Callable[[], Work]) -> Middleware:
    """Return the middleware around requests in the tasks of ``async def`` handlers."""

    async def on_loop(request: Request) -> AsyncGenerator[None, Response]:
        work = work_of()
        await work.__aenter__()
        if (ended := _end(request, (yield), work.__aexit__)) is not None:
            await ended

    return Middleware(on_loop, True)


def _end(request: Request, response: Response, end: Callable[[], Awaitable[None] | None]) -> Awaitable[None] | None:
    """End work now, or when the response has been sent and what follows it has ended."""
    if response.is_streamed or request._deferred:
        request._defer_last(end)
        return None
    return end()
