"""Transports by interface: ``make_transport`` returns the one that plays WSGI, ASGI or RSGI."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, get_args

from antiphon.adapters.foreign.environ_host import BridgedApplication, EnvironHost
from antiphon.adapters.servable import Servable
from antiphon.explanations import explained
from antiphon.handler.failures import RAISES_ERRORS
from antiphon.http.errors import InternalServerError
from antiphon.request.request import Request
from antiphon.response.conditional import close_unsent
from antiphon.response.response import Response, seen
from antiphon.testing.call import CHECKS
from antiphon.testing.servers.asgi import ASGITransport
from antiphon.testing.servers.exchange import Connection, Transport
from antiphon.testing.servers.wsgi import WSGITransport

Interface: TypeAlias = Literal["wsgi", "asgi", "rsgi"]
"""The interface between server and application that a client uses."""


class HasRSGI(Protocol):
    """An RSGI application that is not itself callable."""

    async def __rsgi__(self, scope: Any, protocol: Any, /) -> object: ...


TestedApplication: TypeAlias = Callable[..., Any] | HasRSGI
"""An application that uses the client's interface."""


def make_transport(
    application: Any,
    interface: Interface,
    connection: Connection,
    extra: Mapping[str, object],
    *,
    on_thread: bool,
    raise_handled_errors: bool | None,
) -> Transport:
    """Return the server's side of an interface. Raises ValueError for options that the interface does not support.

    Over WSGI, the application runs on its own thread if ``on_thread`` is True, otherwise on the calling thread. If
    ``raise_handled_errors`` is True, errors for which an Antiphon application has sent a 500 are raised. None means
    True for dialect applications from which such errors escape over WSGI.
    """
    if raise_handled_errors is None:
        raise_handled_errors = interface != "wsgi" and _lets_errors_escape(application)
    if raise_handled_errors and isinstance(application, Servable):
        application = RaisingErrors(application)
    match interface:
        case "wsgi":
            return WSGITransport(application, connection, extra, on_thread=on_thread)
        case "asgi":
            return ASGITransport(application, connection, extra)
        case "rsgi":
            from antiphon.testing.servers.rsgi import RSGITransport

            if connection.root_path or extra:
                raise explained("bad-test-request", "RSGI has no root_path, and nothing can be added to its scope")
            return RSGITransport(application, connection)
    raise explained(
        "bad-test-request", f"the interface must be one of {', '.join(get_args(Interface))}, not {interface!r}"
    )


def _lets_errors_escape(application: object) -> bool:
    """Return True for an application that handles WSGI calls itself, without a host that handles errors."""
    has_own_call = type(application).__call__ is not Servable.__call__
    return isinstance(application, BridgedApplication) or (isinstance(application, EnvironHost) and has_own_call)


class Wrapped(Servable):
    """An application that wraps another one and shares its startup and shutdown."""

    def __init__(self, application: Servable) -> None:
        super().__init__()
        self._application = application
        self._observers = application._observers

    async def _handle(self, request: Request) -> Response:
        """Handle a request step by step."""
        return await self._application._handle(request)

    async def _respond(self, request: Request) -> Response:
        """Handle a request, awaited on an event loop."""
        result = seen(self._application._respond_on_loop(request))
        return result if isinstance(result, Response) else await result

    async def _respond_to_handshake(self, request: Request) -> Response:
        """Handle the handshake of a WebSocket."""
        result = self._application._respond_to_handshake(request)
        return _raise_error(request, result if isinstance(result, Response) else await result)

    def __call__(self, *arguments: Any) -> Any:
        """Handle a call from a WSGI or ASGI server. The inner application gets everything except HTTP requests."""
        if len(arguments) == 3 and arguments[0]["type"] != "http":
            return self._application(*arguments)
        return super().__call__(*arguments)

    async def astart(self) -> None:
        """Start up the inner application, unless it has already been started."""
        await self._application.astart()

    @property
    def _is_observed(self) -> bool:
        return self._application._is_observed

    async def astop(self) -> None:
        """Shut down the inner application."""
        await self._application.astop()

    def stop(self) -> None:
        """Shut down the inner application, without a loop."""
        self._application.stop()

    def _start_on_thread(self) -> None:
        """Start up the inner application on a thread without a loop."""
        self._application.start()

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Start up the inner application."""
        self._application.__rsgi_init__(loop)

    def __rsgi_del__(self, loop: AbstractEventLoop) -> None:
        """Shut down the inner application."""
        self._application.__rsgi_del__(loop)


class RaisingErrors(Wrapped):
    """An application that raises the errors behind an inner application's 500 responses."""

    async def _handle(self, request: Request) -> Response:
        """Handle a request step by step."""
        RAISES_ERRORS.set(True)
        try:
            return _raise_error(request, await super()._handle(request))
        finally:
            RAISES_ERRORS.set(False)

    async def _respond(self, request: Request) -> Response:
        """Handle a request, awaited on an event loop."""
        RAISES_ERRORS.set(True)  # of its task
        return _raise_error(request, await super()._respond(request))


class CountedQueries(Wrapped):
    """An application whose requests may send so many statements to databases. A test gets the AssertionError."""

    def __init__(self, application: Servable, most: int) -> None:
        super().__init__(application)
        self._most = most

    async def _handle(self, request: Request) -> Response:
        """Handle a request step by step."""
        self._begin(request)
        return await super()._handle(request)

    async def _respond(self, request: Request) -> Response:
        """Handle a request, awaited on an event loop."""
        self._begin(request)
        return await super()._respond(request)

    def _begin(self, request: Request) -> None:
        from antiphon.features.recorder.queries import begin, check_budget  # imported late: it is rarely needed

        log = begin(request)
        CHECKS.get().append(lambda *_: check_budget(log, self._most, request.method, request.path))


def _raise_error(request: Request, response: Response) -> Response:
    if response.error is None or response.status != InternalServerError.status:
        return response
    close_unsent(response.body, request)
    raise response.error
