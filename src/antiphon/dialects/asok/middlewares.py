"""The middlewares of a project: functions of a request and the next one, around every page."""

from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import Any

from antiphon.embedding import innermost, is_async


def around(middlewares: Iterable[Callable[..., Any]], page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a page's function wrapped in middlewares, the first of which is outermost."""
    for middleware in reversed([*middlewares]):
        page = _layer(middleware, page)
    return page


def waits(function: Callable[..., Any]) -> bool:
    """Return True for a coroutine function, and for a plain decorator around one, which returns its result."""
    return is_async(function) or is_async(innermost(function))


async def result_of(function: Callable[..., Any], request: Any) -> Any:
    """Call a function with a request, on the loop, and await what it returns, if that can be awaited."""
    result = function(request)
    return await result if hasattr(result, "__await__") else result


def _layer(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that passes the next middleware to a middleware, sync or async like it."""
    if is_async(middleware):
        return _async_layer(middleware, _awaited(following) if waits(following) else _awaitable(following))
    if waits(following):
        return _sync_around_async(middleware, following)
    return lambda request: middleware(request, following)


def _async_layer(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    async def layer(request: Any) -> Any:
        return await middleware(request, following)

    return layer


def _awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that calls one, or a plain decorator around one."""

    async def call(request: Any) -> Any:
        return await result_of(function, request)

    return call


def _awaitable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called on the thread of its task when it is awaited."""

    async def call(request: Any) -> Any:
        from antiphon.embedding import Crossing

        return await Crossing(copy_context()).run(function, request)

    return call


def _sync_around_async(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer whose middleware waits on a thread for the following function, which runs on the loop."""

    async def layer(request: Any) -> Any:
        from asyncio import get_running_loop

        from antiphon.embedding import Crossing, run_on

        loop = get_running_loop()

        def wait_for(request: Any) -> Any:
            return run_on(loop, result_of(following, request), copy_context())

        return await Crossing(copy_context()).run(middleware, request, wait_for)

    return layer
