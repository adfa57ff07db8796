"""The functions that an application calls for a request: handlers, hooks and error handlers, with their signatures.

``def`` and ``async def`` functions are listed separately, as are functions that return None: a handler that only
sometimes returns None has probably forgotten a ``return``.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from copy import copy
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Concatenate,
    NamedTuple,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    overload,
)

from antiphon.app.dispatch.arguments import resolved, shown
from antiphon.app.dispatch.returns import ResponseLike, is_value, respond, value_from_hook
from antiphon.explanations import explained
from antiphon.handler.callables import annotations_of, describe, innermost, is_async
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch
from antiphon.handler.errors import as_http_error, headers_of, raised_response
from antiphon.handler.failures import failed, log_failure
from antiphon.http.errors import HTTPError
from antiphon.http.redirect import RaisedResponse
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
"""A handler, called with the request and with parameters of its route by name."""

WebSocketHandler: TypeAlias = (
    Callable[Concatenate[Request, "WebSocket", ...], Awaitable[ResponseLike | None]]
    | Callable[Concatenate[Request, "BlockingWebSocket", ...], ResponseLike | None]
)
"""A WebSocket handler, called with the request, the socket, and parameters of its route by name."""

BeforeHook: TypeAlias = Callable[[Request], ResponseLike | None] | Callable[[Request], Awaitable[ResponseLike | None]]
"""A hook that is called before the handler and may return a response instead."""

AfterHook: TypeAlias = (
    Callable[[Request, Response], ResponseLike | None] | Callable[[Request, Response], Awaitable[ResponseLike | None]]
)
"""A hook that is called after the handler and may return a different response."""

MiddlewareFunction: TypeAlias = (
    Callable[[Request], Generator[ResponseLike | None, Response, ResponseLike | None]]
    | Callable[[Request], AsyncGenerator[ResponseLike | None, Response]]
)
"""Middleware: a generator that yields once and receives the response of the code that it wraps."""

X_co = TypeVar("X_co", bound=Exception, covariant=True)
R = TypeVar("R", bound=ResponseLike)
A = TypeVar("A", bound=Awaitable[ResponseLike])


class ErrorHandlerDecorator(Protocol[X_co]):
    """A decorator for functions that handle one kind of error. They are called with the request and the error.

    To type checkers, the decorated function accepts any error, so you can decorate it again for another kind of error.
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


class Part(Protocol):
    """Something around a handler, through which a response passes on its way out."""

    @property
    def throws(self) -> bool:
        """True if the response's error is thrown into the part. If the part then provides its own response, the error
        counts as handled.
        """
        ...

    @property
    def close(self) -> "Close":
        """The function that is called with the response, where the part runs."""
        ...

    def settle(self, outcome: Any, subject: Any, request: Request, response: Response, /) -> Awaitable[Response]:
        """Return the steps to a replacement for a response that did not pass, based on the outcome."""
        ...


Close: TypeAlias = Callable[[Any, Any], object]
"""A function that is called with the object that it closes, a generator or the request, and with the response.

It returns None if the response passes, a switch to await if it has to be called elsewhere, or any other outcome for
``settle``.
"""
Closer: TypeAlias = tuple[Close, tuple[Part, ...]]
"""How a part, or each part of a run of middleware, is closed: a plain tuple, because reading one is several times as
fast as reading other objects.
"""


def closer(part: Part, switch: Switch | None) -> Closer:
    """Return how a part is closed after switching to where it runs."""
    return (part.close if switch is None else lambda _subject, _response: switch), (part,)


Opener: TypeAlias = tuple[Any, Closer | None, tuple[Switch | None, bool] | None]
"""How a part is opened: its function; how the part is closed, if the function is a generator function; and None if the
function is called at once, otherwise a pair of the switch to await first, if any, and True if the function is awaited.
Middleware has a tuple of functions.
"""


def opener(function: Any, closer: Closer | None, switch: Switch | None, is_async: bool) -> Opener:
    """Return how a part is opened."""
    return function, closer, (switch, is_async) if is_async or switch is not None else None


class Hook(NamedTuple):
    """A ``def`` or ``async def`` function, and where it is called."""

    function: Callable[..., Any]
    is_async: bool
    blocks: bool = False
    """True if it is called on a thread, False if it is called on the event loop, if there is one."""
    switch: Switch | None = None
    """The switch to await before the call; None if the request is there already."""
    only_writes: bool = False
    """True if routes that handle only safe methods skip it."""
    raw_handler: Callable[..., Any] | None = None
    """An async handler's function without its scope, which it needs only when it waits."""
    blocks_at: Callable[[Any], bool] | None = None
    """A function that is called with the planned route and returns True if the hook is called on a thread there."""

    async def call(self, *arguments: Any) -> Any:
        """Call the function where it runs and return its result."""
        if self.switch is not None:
            await self.switch
        result = self.function(*arguments)
        if self.is_async:
            result = await result
        return result

    @property
    def openers(self) -> tuple[Opener, ...]:
        """How the function is called before the handler."""
        return (opener(self.function, None, self.switch, self.is_async),)

    @property
    def closer(self) -> Closer:
        """How the function is called after the request."""
        return closer(self, self.switch)

    @property
    def close(self) -> Close:
        """The function itself; its result is sent instead."""
        return self.function

    @property
    def throws(self) -> bool:
        """False: hooks receive only responses."""
        return False

    async def settle(self, outcome: Any, _: object, request: Request, response: Response) -> Response:
        """Return the replacement response, made from the function's result."""
        returned = await outcome if self.is_async else outcome
        return response if returned is None else await respond(returned, self.function, request)

    def at(self, route: Any) -> Self:
        """Return the hook for a planned route."""
        return self if self.blocks_at is None else self._replace(blocks=self.blocks or self.blocks_at(route))

    def for_handler(self, handler_blocks: bool) -> Self:
        """Return the hook for a handler: a sync hook runs where the handler does."""
        return self._replace(blocks=not self.is_async and (self.blocks or handler_blocks))

    def pinned(self) -> Self:
        """Return the hook with its own switch, for a stack that runs partly on a thread and partly on the loop."""
        return self._replace(switch=ON_THREAD if self.blocks else ON_LOOP)


def hook(function: Callable[..., Any], blocking: bool = False) -> Hook:
    """Make a hook from a function; ``blocking`` calls it on a thread even around an async handler.

    A callable object can request this with a ``blocking`` attribute, or with a ``blocking_at`` method, which is called
    with each planned route.
    """
    waits = is_async(function)
    blocking = blocking or getattr(function, "blocking", False)
    return Hook(function, waits, blocking and not waits, blocks_at=getattr(function, "blocking_at", None))


def check_returns(function: Callable[..., Any], fix: str) -> None:
    """Check that a function doesn't yield. Raises TypeError, with the function and the fix."""
    from inspect import isasyncgenfunction, isgeneratorfunction

    if isgeneratorfunction(function) or isasyncgenfunction(function):
        raise explained(
            "yields-where-nobody-resumes",
            f"{describe(function)} contains `yield`, which isn't allowed there: register it with {fix}",
            TypeError,
        )


def check_before(function: Callable[..., Any]) -> None:
    """Check that a hook before the handler isn't annotated to return a record. Raises TypeError, naming the hook."""
    inner = innermost(function)
    annotations = annotations_of(inner if hasattr(inner, "__code__") else type(inner).__call__)
    annotation = annotations.get("return")
    if annotation is not None and _has_value(annotation := resolved(annotation, function)):
        raise value_from_hook(function, shown(annotation))


def _has_value(annotation: Any) -> bool:
    """Return True for an annotation that is a record, a list of records, or a union with one of these."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType, Annotated, list):
        return any(map(_has_value, get_args(annotation)))
    kind = origin or annotation
    return isinstance(kind, type) and is_value(kind)


Found: TypeAlias = tuple[type[BaseException] | int, Hook]
"""The class or status for which a handler was registered, and the handler."""


class ErrorHandlers:
    """The error handlers of an application or a blueprint, by class and by status."""

    def __init__(self) -> None:
        self._handlers: dict[type[BaseException] | int, Hook] = {}

    def __bool__(self) -> bool:
        """True if there is any handler."""
        return bool(self._handlers)

    @property
    def classes(self) -> list[type[BaseException]]:
        """The classes of errors that have a handler."""
        return [key for key in self._handlers if not isinstance(key, int)]

    @property
    def hooks(self) -> Iterable[Hook]:
        """The handlers."""
        return self._handlers.values()

    @property
    def has_async(self) -> bool:
        """True if any handler is awaited."""
        return any(handler.is_async for handler in self._handlers.values())

    def add(self, key: type[BaseException] | int, handler: Hook) -> None:
        """Register a handler. Raises the same errors as ``check_key``, and ValueError if the key has a handler."""
        check_key(key)
        known = self._handlers.setdefault(key, handler)
        if known is not handler:
            name = key if isinstance(key, int) else key.__name__
            raise explained(
                "bad-error-handler",
                f"{name} is already handled by {describe(known.function)}, and now by {describe(handler.function)}",
            )

    def find(self, error: BaseException) -> Found | None:
        """Return the handler for an error, and the class or status for which it was registered.

        An HTTPError's own class comes first, then its status, then its base classes. Other errors have no status of
        their own: for them, 500 comes just before Exception.
        """
        if not isinstance(error, Exception):
            return None
        kinds = type(error).__mro__
        status = as_http_error(error).status
        count = 1 if isinstance(error, HTTPError) else kinds.index(Exception)
        keys: tuple[type[BaseException] | int, ...] = (*kinds[:count], status, *kinds[count:])
        return next(((key, self._handlers[key]) for key in keys if key in self._handlers), None)


def check_key(key: object) -> None:
    """Check that a key is an exception class (else TypeError) or a status from 400 to 599 (else ValueError)."""
    if isinstance(key, int):
        if not 400 <= key <= 599:
            raise explained("bad-error-handler", f"an error's status must be 400 to 599, not {key}")
    elif not isinstance(key, type) or not issubclass(key, Exception) or issubclass(key, RaisedResponse):
        raise explained(
            "bad-error-handler",
            f"an error handler must be registered for a class of exceptions or a status, not {key!r}",
            TypeError,
        )


async def respond_to_error(
    error_handlers: Iterable[ErrorHandlers], request: Request, error: BaseException, blocks: bool, is_driven: bool
) -> Response:
    """Handle an error with the first handler for it in these objects.

    ``blocks`` means that sync handlers run on a thread, ``is_driven`` that they may switch to it. The handler's
    response has the error's status unless it sets another, and with that status the error's headers, such as Allow (RFC
    9110 §15.5.6). If the handler itself fails, its error is handled as if there were no handler. An unexpected error is
    logged, even if a handler turns it into a page.
    """
    found = find_handler(error_handlers, error)
    if found is None:
        return failed(request, error)
    key, handler = found
    handler = handler.for_handler(blocks)
    traceback = error.__traceback__
    try:
        raise error  # so that it becomes the context of errors in its handler
    except BaseException:
        error.__traceback__ = traceback
        return await _respond_by(key, handler.pinned() if is_driven else handler, request, error)
    finally:
        error.__traceback__ = traceback  # without the frames here, which refer to the error


async def _respond_by(
    key: type[BaseException] | int, handler: Hook, request: Request, error: BaseException
) -> Response:
    """Return the handler's response to an error, or the response to the handler's own error."""
    try:
        returned = await handler.call(request, error)
        response = copy(await respond(returned, handler.function, request))  # other errors may get it, too
        told = as_http_error(error)
        if returned is None or not response.has_own_status:
            response.status = told.status
        if response.status == told.status:
            _add_missing(request, response, told)
        response.error = error
    except GeneratorExit:
        raise
    except BaseException as again:
        return failed(request, again)
    if not isinstance(error, HTTPError) and told.status >= 500 and (isinstance(key, int) or key is Exception):
        log_failure(request, error, response=response)
    return response


def _add_missing(request: Request, response: Response, told: HTTPError) -> None:
    """Add the header fields of an error that a response does not set itself."""
    for name, value in [field for field in headers_of(request, told, response) if field[0] not in response.headers]:
        response.headers.add(name, value)


def find_handler(error_handlers: Iterable[ErrorHandlers], error: BaseException) -> Found | None:
    """Return the first handler for an error, or None for a raised response that isn't an error."""
    if not isinstance(error, HTTPError) and (raised := raised_response(error)) is not None and raised.error is None:
        return None
    # Innermost first, as the plan lists them.
    for handlers in error_handlers:
        if found := handlers.find(error):
            return found
    return None
