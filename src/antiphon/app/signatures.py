"""The signatures of functions that are registered with an application, for type checkers.

``def`` and ``async def`` functions are listed apart, and so are those that return nothing: a handler that only
sometimes returns nothing has forgotten a ``return``.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, Concatenate, TypeAlias

from antiphon.app.answering.returns import ResponseLike
from antiphon.request.request import Request
from antiphon.response.response import Response

Handler: TypeAlias = (
    Callable[Concatenate[Request, ...], ResponseLike]
    | Callable[Concatenate[Request, ...], Awaitable[ResponseLike]]
    | Callable[Concatenate[Request, ...], None]
    | Callable[Concatenate[Request, ...], Awaitable[None]]
)
"""A handler: called with the request, and with parameters of its route by name."""

ErrorHandler: TypeAlias = (
    Callable[[Request, Any], ResponseLike]
    | Callable[[Request, Any], Awaitable[ResponseLike]]
    | Callable[[Request, Any], None]
    | Callable[[Request, Any], Awaitable[None]]
)
"""An error handler: called with the request and the exception."""

BeforeHook: TypeAlias = Callable[[Request], ResponseLike | None] | Callable[[Request], Awaitable[ResponseLike | None]]
"""A hook before the handler, which may answer instead."""

AfterHook: TypeAlias = (
    Callable[[Request, Response], ResponseLike | None] | Callable[[Request, Response], Awaitable[ResponseLike | None]]
)
"""A hook after the handler, which may return another response."""

MiddlewareFunction: TypeAlias = (
    Callable[[Request], Generator[ResponseLike | None, Response, ResponseLike | None]]
    | Callable[[Request], AsyncGenerator[ResponseLike | None, Response]]
)
"""Middleware: a generator that yields once, and is sent the response of what is inside."""
