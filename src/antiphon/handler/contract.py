"""The contract between handlers and servers, and the requests that aren't finished.

A handler handles a request with a coroutine, its *steps*. Steps ``await ON_THREAD`` before code that may block, and
``await ON_LOOP`` before they await anything else; in between, they stay where they are. Steps know nothing about the
server, and their driver knows nothing about the request. They are never closed halfway: a cancellation is thrown into
them where they wait, and they are driven to their end.
"""

import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar
from enum import Enum
from functools import partial
from math import inf
from threading import Lock
from time import monotonic
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from antiphon.concurrency.loop import running_loop
from antiphon.concurrency.process import DRAINING, GRACE_OVER
from antiphon.explanations import add_notes, explained
from antiphon.handler.errors import error_response, raised_response, sole_error
from antiphon.http.errors import FieldError, HTTPError
from antiphon.http.headers import HeaderFields
from antiphon.http.redirect import RaisedResponse
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from concurrent.futures import Future
    from inspect import Signature


PATIENCE = 30.0
"""The seconds to wait for unfinished requests if the end of the grace period isn't announced. Most servers are killed
by then.
"""
CLOSING = 0.4
"""The seconds to wait, after the grace period, until streams that a server has cut off are closed."""


class Unfinished:
    """A set of requests, each added before its response is sent, and discarded after its functions have run.

    A shutdown waits until it is empty. Any object that is unique to a request can represent it.
    """

    def __init__(self) -> None:
        self._requests: set[object] = set()
        self._signal: Future[None] | None = None
        """The result, sent once, for which a shutdown waits."""

    def add(self, request: object) -> None:
        """Make the shutdown wait for a request."""
        self._requests.add(request)

    def discard(self, request: object) -> None:
        """Stop waiting for a request, if anything waits for it."""
        self._requests.discard(request)
        if self._signal is not None and not self._requests:
            self._send()

    async def wait(self) -> None:
        """Wait until all have finished, on the running loop or by blocking this thread.

        Waits until the grace period is over, and then for ``CLOSING`` seconds; if its end isn't announced, for
        ``PATIENCE`` seconds.
        """
        if self._requests:
            signal = self._new_signal()
            withdraw = GRACE_OVER.subscribe(self._send)
            await _wait(signal, None if DRAINING.is_given else PATIENCE)
            # Otherwise the announcement would keep this object for as long as the process lives.
            withdraw()
        if self._requests and GRACE_OVER.is_given:
            await _wait(self._new_signal(), CLOSING)

    def _new_signal(self) -> "Future[None]":
        from concurrent.futures import Future

        self._signal = Future()
        if not self._requests:  # the last one has just left
            self._send()
        return self._signal

    def _send(self) -> None:
        from concurrent.futures import InvalidStateError

        if self._signal is not None:
            with suppress(InvalidStateError):  # already sent; a lock wouldn't help: the garbage collector may also send
                self._signal.set_result(None)


async def _wait(signal: "Future[None]", seconds: float | None) -> None:
    if running_loop() is None:
        from concurrent.futures import wait

        wait([signal], seconds)
    else:
        import asyncio

        await asyncio.wait([asyncio.wrap_future(signal)], timeout=seconds)


T = TypeVar("T")


class Switch(Enum):
    """A thread switch, which steps await. Only their driver understands it."""

    ON_THREAD = "on a thread"
    BEGIN_ON_THREAD = "on a thread, before any code of the application"
    ON_LOOP = "on the loop"

    def __await__(self) -> Generator["Switch", None, None]:
        return iter((self,))  # type: ignore[return-value]  # any iterator does (PEP 492)


ON_THREAD: Final = Switch.ON_THREAD
"""Continue where blocking is allowed: on a worker thread if this is an event loop."""
BEGIN_ON_THREAD: Final = Switch.BEGIN_ON_THREAD
"""Continue as with ``ON_THREAD``. An overloaded worker may raise NotBegun here instead."""
ON_LOOP: Final = Switch.ON_LOOP
"""Continue on an event loop."""


class NotBegun(RaisedResponse):
    """The refusal of a request that waited for a thread too long, or longer than its client, while nothing of it has
    begun.
    """

    def __init__(self, status: int, headers: HeaderFields = ()) -> None:
        super().__init__(headers=headers)
        self.status = status


Steps: TypeAlias = Coroutine[Any, Any, T]
"""A coroutine that handles a request and awaits the switches ``ON_THREAD`` and ``ON_LOOP`` where it has to continue."""


async def switch_shielded(switch: Switch) -> BaseException | None:
    """Switch even if the task is cancelled in the process; return the last cancellation instead of raising it.

    The caller raises the cancellation when everything that has to be called has been called.
    """
    cancelled = None
    while True:
        try:
            await switch
        except (Exception, GeneratorExit):
            raise
        except BaseException as error:
            cancelled = error
        else:
            return cancelled


class ThreadHandler(Protocol):
    """An object that handles requests from servers with threads."""

    @property
    def _unfinished(self) -> Unfinished:
        """The requests for which its shutdown waits."""
        ...

    def _respond_on_thread(self, request: Request) -> Response | Steps[Response]:
        """Return the response if a server's thread doesn't have to wait for it, otherwise the remaining steps."""
        ...


class Handler(ThreadHandler, Protocol):
    """An object that handles requests, errors included: its steps raise only errors that end the task or the
    process.
    """

    def _handle(self, request: Request) -> Steps[Response]:
        """Return the steps that handle a request."""
        ...

    def _respond_on_loop(self, request: Request) -> Response | Awaitable[Response]:
        """Return the response if a server's loop doesn't have to wait for it, or an awaitable for the current task."""
        ...

    def _respond_to_handshake(self, request: Request) -> Response | Awaitable[Response]:
        """Return the response to the handshake of a WebSocket, as ``respond_on_loop`` does."""
        ...

    def _respond(self, request: Request) -> Awaitable[Response]:
        """Return an awaitable of the response, for an event loop. It runs in the current task."""
        ...


def failed(request: Request, error: BaseException) -> Response:
    """Return the response to an error that has no error handler, and log the error if the developer has to see it."""
    error = sole_error(error)
    if isinstance(error, RaisedResponse):
        return raised_response(error)
    # An HTTPError says by itself what the client did.
    if not isinstance(error, HTTPError):
        note_failure(error)
    response = error_response(request, error)
    if response.status >= 500:
        log_failure(request, error, response=response)
    elif isinstance(error, ValueError) and not isinstance(error, FieldError):
        log_refused_value(request, error)
    return response


def log_refused_value(request: Request, error: ValueError) -> None:
    """Log an invalid value that may be the client's or the developer's fault: with the handler that used it, without a
    traceback.
    """
    import logging

    route, path = request.route, request.root_path + request.path
    where = f" in {route.handled_by}" if route.name else ""
    logging.getLogger("antiphon").warning("%s %r%s: %s, request %s", request.method, path, where, error, request._id)


class Keeper(Protocol):
    """A feature of an application that keeps failed requests."""

    def keep_failure(self, request: Request, error: BaseException, response: Response | None) -> str:
        """Keep a request with its error, and return the id under which it can be found; "" if it isn't kept."""
        ...


FAILURES: ContextVar[list[BaseException] | None] = ContextVar("failures", default=None)
"""The errors that requests of this context have failed with, for a test that shows them; None on a server."""

RAISES_ERRORS: ContextVar[bool] = ContextVar("raises_errors", default=False)
"""True for the requests of a test that wants each error to be raised."""


def note_failure(error: BaseException) -> None:
    """Explain an error that the client doesn't see, and keep it for the test that has caused it."""
    if not isinstance(error, Exception) or (isinstance(error, HTTPError) and error.status < 500):
        return
    add_notes(error)
    if (failures := FAILURES.get()) is not None:
        failures.append(error)


FAILED = "failed"
"""The fault of a request whose response is an error, or is cut off by one."""


def log_failure(
    request: Request, error: BaseException, where: str = "", *, fault: str = FAILED, response: Response | None = None
) -> None:
    """Log an error with its traceback and its request; ``fault`` and ``where`` say what happened and where.

    A request that has ``FAILED`` is also kept, if its application keeps failed requests, and the line ends with its id.
    An outage is logged once per second, with the number of errors in between, and its traceback once. If the store logs
    it already, only the traceback is logged.
    """
    import logging

    path = request.root_path + request.path
    keeper: Keeper | None = getattr(request.route.app, "_keeper", None) if fault is FAILED else None
    # Before the check for outages, which only shortens the log: each failed request is kept.
    kept = "" if keeper is None else keeper.keep_failure(request, error, response)
    is_new, is_due = True, True
    if is_outage := getattr(error, "_is_outage", False):
        is_new, is_due = note_outage(str(error), has_line=getattr(error, "_has_line", False))
    if not is_due:
        return
    logging.getLogger("antiphon").error(
        "%s %r %s%s, request %s%s%s%s",
        request.method,
        path,
        fault,
        where,
        request._id,
        f", kept as {kept}" if kept else "",
        "" if is_new else f": {error}",
        and_more(str(error)) if is_outage else "",
        exc_info=error if is_new else None,
    )


_outages: dict[str, tuple[float, float, int]] = {}
"""The times at which each outage was last seen and last logged, and its errors since then, by subject. The one that was
seen last is the last.
"""
_outages_lock = Lock()
_OVER = 60.0
"""The seconds without an error after which an outage is over, so that the next error's traceback is logged."""
_MOST_OUTAGES = 64


def note_outage(subject: str, *, has_line: bool = False) -> tuple[bool, bool]:
    """Return True if the outage is new, and True if a line about it is due: once per second, or, if it already
    ``has_line`` of another kind, once.
    """
    now = monotonic()
    with _outages_lock:
        seen, logged, count = _outages.pop(subject, (-inf, -inf, 0))
        is_new = now - seen > _OVER
        is_due = is_new or (not has_line and now - logged >= 1)
        _outages[subject] = (now, now, 0 if is_new else count) if is_due else (now, logged, count + 1)
        if len(_outages) > _MOST_OUTAGES:  # messages of errors may contain anything
            del _outages[next(iter(_outages))]
    return is_new, is_due


def and_more(subject: str) -> str:
    """Return the end of a line about an outage: how many of its errors have not been logged since the last line."""
    with _outages_lock:
        seen, logged, count = _outages.get(subject, (-inf, -inf, 0))
        if count:
            _outages[subject] = seen, logged, 0
    return f" (and {count} more)" if count else ""


def log_broken_body(request: Request, error: BaseException) -> None:
    """Log an error of a body that is being sent, with its handler, because the traceback may not show that."""
    route = request.route
    log_failure(request, error, f" in the body that {route.handled_by} gave" if route.name else "")


def is_broken_from_outside(request: Request, error: BaseException) -> bool:
    """True if a streamed response failed because the request's body, which it reads, was cut off, or because the time
    for open requests is over, so there is nothing to log.
    """
    if not isinstance(error, HTTPError):
        return False
    return error.status == 503 if GRACE_OVER.is_given else error.status < 500 and request.content.is_failure(error)


_CO_COROUTINE = 0x80
"""A flag of ``inspect``, copied because that module takes long to import."""


def is_async(function: Callable[..., Any]) -> bool:
    """True if a call returns a coroutine. Understands functions, partials, methods and objects with ``__call__``."""
    called = without_partials(function)
    plain = getattr(called, "__func__", called)
    if type(plain) is FunctionType and not plain.__dict__:  # nothing marks it as a coroutine function
        return bool(plain.__code__.co_flags & _CO_COROUTINE)
    from inspect import iscoroutinefunction

    return iscoroutinefunction(called) or iscoroutinefunction(type(called).__call__)


def without_partials(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function inside partials."""
    while isinstance(function, partial):
        function = function.func
    return function


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function inside partials and decorators, as far as the decorators set ``__wrapped__``."""
    from inspect import unwrap

    inner: Callable[..., Any] = unwrap(without_partials(function))
    return inner


def signature_of(function: Callable[..., Any], *, follow_wrapped: bool = True) -> "Signature":
    """Return a function's signature. Its annotations may contain names that only type checkers know (PEP 649).

    Raises ValueError for a C function without a signature, and TypeError for an object that isn't callable.
    """
    from inspect import signature

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return signature(function, follow_wrapped=follow_wrapped, annotation_format=Format.FORWARDREF)
    return signature(function, follow_wrapped=follow_wrapped)


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return a function's annotations, which may contain names that only type checkers know (PEP 649)."""
    from inspect import get_annotations

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return get_annotations(function, format=Format.FORWARDREF)
    return get_annotations(function)


def describe(function: Callable[..., Any]) -> str:
    """Return a function's name, file and line, for error messages to developers. An object of this package, such as an
    App, has only a name, since its class does not show where it was made.
    """
    inner = innermost(function)
    code, call = getattr(inner, "__code__", None), type(inner).__call__
    if code is None and not getattr(call, "__module__", "").startswith("antiphon."):
        code = getattr(call, "__code__", None)
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else str(name)


def is_pending(value: object) -> bool:
    """True for a coroutine and for a future.

    Other awaitable objects, such as database clients, are values.
    """
    kind = type(value)
    return hasattr(kind, "__await__") and (hasattr(kind, "send") or hasattr(kind, "_asyncio_future_blocking"))


def ready(function: Callable[..., Any], value: T) -> T:
    """Return the value that a function returned. Raise TypeError for a coroutine or a future, which would be truthy."""
    if is_pending(value):
        raise wrong_return(function, value, "write it as `async def`, or await the result in it")
    return value


def wrong_return(
    function: Callable[..., Any], value: object, wanted: str, error: type[TypeError] = TypeError
) -> TypeError:
    """Return the error for a value that a function must not return, with the function's name, file and line."""
    if isinstance(value, Coroutine):
        # It would otherwise warn that nothing awaits it.
        value.close()
        fix = "`await` it there" if is_async(innermost(function)) else "write it as `async def`, so that it is awaited"
        return explained("coroutine-not-awaited", error(f"{describe(function)} returned a coroutine: {fix}"))
    kind = type(value).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return explained("wrong-return", error(f"{describe(function)} returned {article} {kind}; {wanted}"))


async def finish(request: Request) -> None:
    """Call the functions passed to ``request.after_response``, then close the body.

    These are steps. All functions are called, even if the task is cancelled in the meantime; a failure is logged with
    the function's name.
    """
    fatal: BaseException | None = None
    called = 0
    # Counted, because a function may register others.
    while called < len(request._deferred):
        function = request._deferred[called]
        called += 1
        try:
            waits = is_async(function)
            fatal = await switch_shielded(ON_LOOP if waits else ON_THREAD) or fatal
            result = function()
            if not waits and is_pending(result):  # a lambda can't be `async def`
                fatal = await switch_shielded(ON_LOOP) or fatal
            while is_pending(result):
                result = await result  # type: ignore[misc]  # a coroutine or a future
        except Exception as error:
            log_failure(
                request,
                error,
                f": {describe(function)}",
                fault="got its response, but a function given to request.after_response failed",
            )
        except GeneratorExit:
            raise
        except BaseException as error:
            fatal = error
    request._deferred = ()  # most of these functions refer to the request
    request._crossing = None  # its context does, too
    # After the functions, which may read the body.
    request.content.close()
    if fatal is not None:
        raise fatal
