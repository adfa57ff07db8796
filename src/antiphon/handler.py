"""The contract between what answers requests and what serves them.

A handler answers a request by a generator, its *steps*. It yields what has to be awaited and is sent the result; it
yields ``ON_THREAD`` before code that may block, and ``ON_LOOP`` before code that belongs to the same task as what is
awaited later; it returns the response. Steps know nothing of the server, and whoever drives them nothing of the
request. They are never closed half-way: what breaks the request off is thrown into them, and they are driven on to
their end.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar

from antiphon.error_response import error_response
from antiphon.request import Request
from antiphon.response import Response

T = TypeVar("T")


class Switch(Enum):
    """What steps may yield besides awaitables."""

    ON_THREAD = "on a thread"
    ON_LOOP = "on the loop"


ON_THREAD: Final = Switch.ON_THREAD
"""Go on where blocking is allowed, until the next awaitable: on a worker thread, if this is an event loop."""
ON_LOOP: Final = Switch.ON_LOOP
"""Go on on an event loop."""

Effect: TypeAlias = Awaitable[Any] | Literal[Switch.ON_THREAD, Switch.ON_LOOP]
Steps: TypeAlias = Generator[Effect, Any, T]


class Handler(Protocol):
    """What answers requests. It handles its own errors: its steps raise only when it is broken."""

    def handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request."""
        ...


Function: TypeAlias = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class FunctionHandler:
    """A plain function, ``def`` or ``async def``, as a handler: it gets the request, its body loaded."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.is_async = is_async(function)

    def handle(self, request: Request) -> Steps[Response]:
        """Load the body, call the function, and answer errors as problem details or as a page."""
        try:
            if request.head.has_body:
                yield from request.reading()
            if not self.is_async:
                yield ON_THREAD
            answer = self.function(request)
            if self.is_async:
                answer = yield answer  # type: ignore[misc]  # a coroutine, as is_async says
            if not isinstance(answer, Response):
                raise wrong_return(self.function, answer, "a Response is wanted")
            return answer
        except Exception as error:
            return failed(request, error)


def failed(request: Request, error: BaseException) -> Response:
    """The answer to an error that nobody handled; what the programmer has to see is logged."""
    response = error_response(request, error)
    if response.status >= 500:
        log_failure(request, error)
    return response


def log_failure(request: Request, error: BaseException) -> None:
    """Log an error with its traceback and with the request that it belongs to."""
    import logging

    logging.getLogger("antiphon").error(
        "%s %r failed, request %s", request.method, request.path, request.id, exc_info=error
    )


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling this gives a coroutine: for functions, partials, methods and objects with ``__call__``."""
    from inspect import iscoroutinefunction

    called = _without_partials(function)
    return iscoroutinefunction(called) or iscoroutinefunction(type(called).__call__)


def _without_partials(function: Callable[..., Any]) -> Callable[..., Any]:
    from functools import partial

    while isinstance(function, partial):
        function = function.func
    return function


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function inside partials and decorators that say what they wrap."""
    from inspect import unwrap

    inner: Callable[..., Any] = unwrap(_without_partials(function))
    return inner


def describe(function: Callable[..., Any]) -> str:
    """The name of a function with its file and line, for errors that a programmer reads."""
    inner = innermost(function)
    code = getattr(inner, "__code__", None) or getattr(type(inner).__call__, "__code__", None)
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else str(name)


def wrong_return(function: Callable[..., Any], value: object, wanted: str) -> TypeError:
    """The error for what a function returned, with the function's name, file and line."""
    if isinstance(value, Coroutine):
        value.close()
        return TypeError(f"{describe(function)} returned a coroutine: write it as `async def`, so that it is awaited")
    kind = type(value).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return TypeError(f"{describe(function)} returned {article} {kind}; {wanted}")


def finish(request: Request) -> Steps[None]:
    """Call what ``request.after`` was given. A function that fails is logged, and the others are still called."""
    fatal: BaseException | None = None
    called = 0
    while called < len(request.deferred):
        function = request.deferred[called]
        called += 1
        try:
            waits = is_async(function)
            if not waits:
                yield ON_THREAD
            result = function()
            if waits:
                yield result  # type: ignore[misc]  # a coroutine, as is_async says
        except Exception as error:
            log_failure(request, error)
        except GeneratorExit:
            raise
        except BaseException as error:
            fatal = error
    if fatal is not None:
        raise fatal
