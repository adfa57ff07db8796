"""The contract between handlers and servers, and the requests that aren't finished.

A handler handles a request with a coroutine, its *steps*. Steps ``await ON_THREAD`` before code that may block, and
``await ON_LOOP`` before they await anything else; in between, they stay where they are. Steps know nothing about the
server, and their driver knows nothing about the request. They are never closed halfway: a cancellation is thrown into
them where they wait, and they are driven to their end.
"""

from collections.abc import Awaitable, Coroutine, Generator
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from antiphon.concurrency.loop import running_loop
from antiphon.concurrency.process import DRAINING, GRACE_OVER
from antiphon.handler.callables import describe, is_async, is_pending
from antiphon.handler.failures import log_failure
from antiphon.http.headers import HeaderFields
from antiphon.http.redirect import RaisedResponse
from antiphon.request.request import Request
from antiphon.response.message import Message
from antiphon.response.response import Response

if TYPE_CHECKING:
    from concurrent.futures import Future


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
    def unfinished(self) -> Unfinished:
        """The requests for which its shutdown waits."""
        ...

    def _respond_on_thread(self, request: Request) -> Response | Message | Steps[Response]:
        """Return the response if a server's thread doesn't have to wait for it, otherwise the remaining steps.

        Return the message instead if no code of the application can look at the response.
        """
        ...


class Handler(ThreadHandler, Protocol):
    """An object that handles requests, errors included: its steps raise only errors that end the task or the
    process.
    """

    def _handle(self, request: Request) -> Steps[Response]:
        """Return the steps that handle a request."""
        ...

    def _respond_on_loop(self, request: Request) -> Response | Message | Awaitable[Response]:
        """Return the response or message if a server's loop doesn't have to wait for it, or an awaitable for the
        current task.
        """
        ...

    def _respond_to_handshake(self, request: Request) -> Response | Awaitable[Response]:
        """Return the response to the handshake of a WebSocket, as ``respond_on_loop`` does."""
        ...


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
