"""Datastar's views and signals, in every framework: https://data-star.dev"""

from collections.abc import AsyncIterable, Callable, Iterable
from functools import wraps
from inspect import isasyncgenfunction, isawaitable, iscoroutinefunction
from json import loads
from typing import Any

from datastar_py.sse import SSE_HEADERS, DatastarEvent

from antiphon import Request, Response, view


def datastar_view(function: Callable[..., Any], interface: str | None = None) -> Callable[..., Any]:
    """Make a view that answers with the events that a function returns or yields, ``def`` or ``async def``."""
    if iscoroutinefunction(function) or isasyncgenfunction(function):

        @wraps(function)
        async def answer(request: Request, **params: object) -> Response:
            events = function(request, **params)
            return _streamed(await events if isawaitable(events) else events)
    else:

        @wraps(function)
        def answer(request: Request, **params: object) -> Response:
            return _streamed(function(request, **params))

    return view(interface=interface)(answer)


def _streamed(events: DatastarEvent | Iterable[DatastarEvent] | AsyncIterable[DatastarEvent] | None) -> Response:
    if not events:
        return Response(None, 204)
    events = (events,) if isinstance(events, DatastarEvent) else events
    return Response.stream(events, headers=SSE_HEADERS)


def read_signals(request: Request) -> dict[str, Any] | None:
    """Return the signals that Datastar has sent, or None if the request is not from Datastar."""
    if "datastar-request" not in request.headers:
        return None
    if request.method in ("GET", "DELETE"):
        return loads(request.args["datastar"]) if "datastar" in request.args else None
    return request.json if request.body else None
