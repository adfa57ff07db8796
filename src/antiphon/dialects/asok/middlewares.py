"""The middlewares of a project: functions of a request and the next one, around every page."""

from collections.abc import Callable, Iterable
from typing import Any

from antiphon.handler.contract import is_async


def around(middlewares: Iterable[Callable[..., Any]], page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a page's function inside of middlewares, the first of which is outermost.

    Where any of them, or the page, is async, all that is called with ``next_handler`` is awaited.
    """
    for middleware in reversed([*middlewares]):
        page = _layer(middleware, page)
    return page


def _layer(middleware: Callable[..., Any], following: Callable[..., Any]) -> Callable[..., Any]:
    if not (is_async(middleware) or is_async(following)):
        return lambda request: middleware(request, following)

    async def layer(request: Any) -> Any:
        result = middleware(request, following)
        return await result if hasattr(result, "__await__") else result

    return layer
