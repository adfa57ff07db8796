"""Wrappers for a worker's application, which report what it does and mark the last responses before it ends.

Without the mark, `connection: close`, a request that arrives just as its connection is closed would be lost. HTTP/2 has
no such header.
"""

from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any, Protocol

from antiphon.cli.interface import Interface
from antiphon.concurrency.process import DRAINING


def with_final_responses(app: Any, interface: Interface) -> "Entrance":
    """Return an application that adds `connection: close` to its responses while the process is draining.

    Its `handle` attribute is the callable that handles requests.
    """
    return {"wsgi": _WSGI, "asgi": _ASGI, "rsgi": _RSGI}[interface](app)


class Entrance:
    """The entrance of requests to an application: ``handle`` is called with each request."""

    def __init__(self, handle: Callable[..., Any]) -> None:
        self.handle = self.inner = handle
        self._before: list[Callable[[], object]] = []

    def pass_to(self, handle: Callable[..., Any]) -> None:
        """Pass future requests to a callable."""
        is_awaited = self.handle is not self.inner
        self.inner = handle
        if not is_awaited:
            self.handle = handle

    def call_before_next(self, function: Callable[[], object]) -> None:
        """Call a function before the next request, at no cost to later requests."""
        self._before.append(function)
        self.handle = self._call_first

    def _call_first(self, *arguments: Any) -> Any:
        self.handle = self.inner
        functions, self._before = self._before, []
        for function in functions:
            function()
        return self.handle(*arguments)


class _WSGI(Entrance):
    def __call__(self, environ: Any, start_response: Any) -> Any:
        if DRAINING.is_given and not environ["SERVER_PROTOCOL"].startswith("HTTP/2"):
            start_response = partial(_start, start_response)
        return self.handle(environ, start_response)


def _start(start_response: Any, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
    return start_response(status, [*headers, ("connection", "close")], *exc_info)


class _ASGI(Entrance):
    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if DRAINING.is_given and scope.get("http_version", "2") < "2":
            send = partial(_send, send)
        return self.handle(scope, receive, send)


async def _send(send: Any, message: Any) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
    await send(message)


class _RSGI(Entrance):
    def __init__(self, app: Any) -> None:
        super().__init__(getattr(app, "__rsgi__", app))
        self.__rsgi_init__ = getattr(app, "__rsgi_init__", bool)
        self.__rsgi_del__ = getattr(app, "__rsgi_del__", bool)

    def __rsgi__(self, scope: Any, protocol: Any) -> Any:
        if DRAINING.is_given and scope.proto == "http" and not scope.http_version.startswith("2"):
            protocol = _Protocol(protocol)
        return self.handle(scope, protocol)


class WrappedProtocol:
    """A server's protocol. Subclasses replace its methods in ``__getattr__``."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def __call__(self) -> Any:
        return self._protocol()

    def __aiter__(self) -> Any:
        return self._protocol.__aiter__()


class _Protocol(WrappedProtocol):
    """A server's protocol that adds `connection: close` to responses."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._protocol, name)
        return partial(_respond, value) if name.startswith("response_") else value


def _respond(respond: Any, status: int, headers: list[tuple[str, str]], *content: Any) -> Any:
    return respond(status, [*headers, ("connection", "close")], *content)


class Observer(Protocol):
    """An object that is notified about the startup of an application."""

    def is_starting(self, loop: AbstractEventLoop) -> None:
        """Record that the application is starting, on an event loop."""
        ...

    def has_started(self, loop: AbstractEventLoop | None) -> None:
        """Record that the application now handles requests, on an event loop except over WSGI."""
        ...

    def has_failed(self, reason: Exception | str) -> None:
        """Record that the startup raised an error or reported a failure. The server then ends."""
        ...


def observed(app: Any, interface: Interface, observer: Observer) -> Any:
    """Return a wrapper of an application that notifies an observer of its startup.

    WSGI has no startup, so a WSGI application is returned unchanged.
    """
    if interface == "asgi":
        return ObservedASGI(app, observer)
    return ObservedRSGI(app, observer) if interface == "rsgi" else app


class ObservedASGI:
    """An ASGI application whose lifespan is observed."""

    def __init__(self, app: Any, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[object]:
        if scope["type"] != "lifespan":
            return self._app(scope, receive, send)  # type: ignore[no-any-return]  # as ASGI says
        return self._live(scope, receive, send)

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the lifespan. An application that returns immediately, or raises, has none: the server continues."""
        self._observer.is_starting(get_running_loop())
        outcome: str | None = None

        async def note(message: Any) -> None:
            nonlocal outcome
            if message["type"] == "lifespan.startup.failed":
                outcome = message.get("message") or "The application gave no reason."
                message = {"type": message["type"]}  # otherwise, the server would log the reason
            elif message["type"] == "lifespan.startup.complete":
                outcome = ""
                self._observer.has_started(get_running_loop())
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            if outcome:
                self._observer.has_failed(error)
            if outcome is not None:
                raise
        else:
            if outcome:
                self._observer.has_failed(outcome)
        if outcome is None:
            self._observer.has_started(get_running_loop())


class ObservedRSGI:
    """An RSGI application whose startup is observed."""

    def __init__(self, app: Any, observer: Observer) -> None:
        self.__rsgi__ = getattr(app, "__rsgi__", app)
        self._init = getattr(app, "__rsgi_init__", bool)
        self.__rsgi_del__ = getattr(app, "__rsgi_del__", bool)
        self._observer = observer

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Start the application."""
        self._observer.is_starting(loop)
        try:
            self._init(loop)
        except Exception as error:
            self._observer.has_failed(error)
            raise SystemExit(1) from error
        self._observer.has_started(loop)


class Counted:
    """An application with any interface that calls `on_limit` when it receives request number `limit`."""

    def __init__(self, app: Any, limit: int, on_limit: Callable[[], object]) -> None:
        self._app = app
        self._call_rsgi = getattr(app, "__rsgi__", app)
        self.__rsgi_init__ = getattr(app, "__rsgi_init__", bool)
        self.__rsgi_del__ = getattr(app, "__rsgi_del__", bool)
        self._numbers = count(1)
        self._limit = limit
        self._on_limit = on_limit

    def __call__(self, head: Any, *others: Any) -> Any:
        if len(others) == 1 or head["type"] == "http":
            self._count()
        return self._app(head, *others)

    def __rsgi__(self, scope: Any, protocol: Any) -> Any:
        self._count()
        return self._call_rsgi(scope, protocol)

    def _count(self) -> None:
        if next(self._numbers) == self._limit:
            self._on_limit()
