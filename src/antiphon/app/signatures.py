"""The signatures of functions that are registered with an application, for type checkers.

``def`` and ``async def`` functions are listed separately, as are those that return nothing: a handler that only
sometimes returns nothing has forgotten a ``return``.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Concatenate, Protocol, TypeAlias, TypeVar, overload

from antiphon.app.answering.returns import ResponseLike
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.websockets.websocket import BlockingWebSocket, WebSocket

Handler: TypeAlias = (
    Callable[Concatenate[Request, ...], ResponseLike]
    | Callable[Concatenate[Request, ...], Awaitable[ResponseLike]]
    | Callable[Concatenate[Request, ...], None]
    | Callable[Concatenate[Request, ...], Awaitable[None]]
)
"""A handler: called with the request, and with parameters of its route by name."""

WebSocketHandler: TypeAlias = (
    Callable[Concatenate[Request, "WebSocket", ...], Awaitable[ResponseLike | None]]
    | Callable[Concatenate[Request, "BlockingWebSocket", ...], ResponseLike | None]
)
"""A handler of WebSockets: called with the request, the socket, and parameters of its route by name."""

BeforeHook: TypeAlias = Callable[[Request], ResponseLike | None] | Callable[[Request], Awaitable[ResponseLike | None]]
"""A hook before the handler, which may answer instead."""

AfterHook: TypeAlias = (
    Callable[[Request, Response], ResponseLike | None] | Callable[[Request, Response], Awaitable[ResponseLike | None]]
)
"""A hook after the handler, which may return a different response."""

MiddlewareFunction: TypeAlias = (
    Callable[[Request], Generator[ResponseLike | None, Response, ResponseLike | None]]
    | Callable[[Request], AsyncGenerator[ResponseLike | None, Response]]
)
"""Middleware: a generator that yields once, and is sent the response of what is inside."""

X_co = TypeVar("X_co", bound=Exception, covariant=True)
R = TypeVar("R", bound=ResponseLike)
A = TypeVar("A", bound=Awaitable[ResponseLike])


class ErrorHandlerDecorator(Protocol[X_co]):
    """The decorator of a handler for one kind of error: it is called with the request and such an error.

    The function that type checkers see as the result takes any error, so that a further decorator can name its own
    kind.
    """

    @overload
    def __call__(self, function: Callable[[Request, X_co], R], /) -> Callable[[Request, Any], R]: ...
    @overload
    def __call__(self, function: Callable[[Request, X_co], A], /) -> Callable[[Request, Any], A]: ...
    @overload
    def __call__(self, function: Callable[[Request, X_co], None], /) -> Callable[[Request, Any], None]: ...
    @overload
    def __call__(
        self, function: Callable[[Request, X_co], Awaitable[None]], /
    ) -> Callable[[Request, Any], Awaitable[None]]: ...
