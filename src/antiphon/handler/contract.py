"""The contract between what answers requests and what serves them.

A handler answers a request by a coroutine, its *steps*. They say ``await ON_THREAD`` before code that may block, and
``await ON_LOOP`` before they await anything else; between the two they stay where they are. Steps know nothing of the
server, and whoever drives them nothing of the request. They are never closed half-way: what breaks the request off is
thrown into them where they wait, and they are driven on to their end.
"""

import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from antiphon.handler.errors import error_response, raised_response
from antiphon.http.errors import HTTPError
from antiphon.http.redirect import RaisedAnswer
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from inspect import Signature

T = TypeVar("T")


class Switch(Enum):
    """A change of place. Awaiting it is between steps and who drives them: nobody else can."""

    ON_THREAD = "on a thread"
    ON_LOOP = "on the loop"

    def __await__(self) -> Generator["Switch", None, None]:
        return iter((self,))  # type: ignore[return-value]  # any iterator does (PEP 492)


ON_THREAD: Final = Switch.ON_THREAD
"""Go on where blocking is allowed: on a worker thread, if this is an event loop."""
ON_LOOP: Final = Switch.ON_LOOP
"""Go on on an event loop."""

Steps: TypeAlias = Coroutine[Any, Any, T]


async def switch_shielded(place: Switch) -> BaseException | None:
    """Go to a place, whatever breaks the request off on the way: for what has to be called in any case.

    What broke it off is returned, the last of it; whoever is told of it raises it in the end.
    """
    broken_off = None
    while True:
        try:
            await place
        except (Exception, GeneratorExit):
            raise
        except BaseException as error:
            broken_off = error
        else:
            return broken_off


class Handler(Protocol):
    """What answers requests. It handles its own errors: its steps raise only when it is broken."""

    def handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request."""
        ...

    def answer(self, request: Request) -> Awaitable[Response]:
        """The same on an event loop: the response, awaited in the current task."""
        ...


def failed(request: Request, error: BaseException) -> Response:
    """The answer to an error that nobody handled; what the programmer has to see is logged."""
    if isinstance(error, RaisedAnswer):
        return raised_response(error)
    response = error_response(request, error)
    if response.status >= 500:
        log_failure(request, error)
    return response


def log_failure(request: Request, error: BaseException, where: str = "", *, fault: str = "failed") -> None:
    """Log an error with its traceback and with the request that it belongs to; ``fault`` and ``where`` come between."""
    import logging

    path = request.root_path + request.path
    logging.getLogger("antiphon").error(
        "%s %r %s%s, request %s", request.method, path, fault, where, request.id, exc_info=error
    )


def log_broken_body(request: Request, error: BaseException) -> None:
    """Log an error of a body that is being sent, with the handler that gave it: its traceback may not show that."""
    route = request.route
    log_failure(request, error, f" in the body that {route.answered_by} gave" if route and route.endpoint else "")


def is_broken_by_client(request: Request, error: BaseException) -> bool:
    """Whether a body that is being sent broke off because the client's did, which it reads: nothing to log."""
    return isinstance(error, HTTPError) and error.status < 500 and request.content.failure is error


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


def signature_of(function: Callable[..., Any], *, follow_wrapped: bool = True) -> "Signature":
    """What a function takes. Annotations may have names that only type checkers know (PEP 649).

    Raises ValueError for what is written in C and hides it, TypeError for what can't be called.
    """
    from inspect import signature

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return signature(function, follow_wrapped=follow_wrapped, annotation_format=Format.FORWARDREF)
    return signature(function, follow_wrapped=follow_wrapped)


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function, of which some may have names that only type checkers know (PEP 649)."""
    from inspect import get_annotations

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return get_annotations(function, format=Format.FORWARDREF)
    return get_annotations(function)


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


async def finish(request: Request) -> None:
    """The steps that call what ``request.after`` was given, then let go of the body.

    All are called, whoever cancels meanwhile. One that fails is logged by name.
    """
    fatal: BaseException | None = None
    called = 0
    while called < len(request.deferred):
        function = request.deferred[called]
        called += 1
        try:
            waits = is_async(function)
            fatal = await switch_shielded(ON_LOOP if waits else ON_THREAD) or fatal
            result = function()
            if waits:
                await result  # type: ignore[misc]  # a coroutine, as is_async says
        except Exception as error:
            log_failure(
                request, error, f": {describe(function)}", fault="was answered, but what request.after was given failed"
            )
        except GeneratorExit:
            raise
        except BaseException as error:
            fatal = error
    request.content.close()
    if fatal is not None:
        raise fatal
