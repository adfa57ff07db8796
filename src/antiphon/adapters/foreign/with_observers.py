"""Applications of other frameworks that are observed. Their requests have no route."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from antiphon.adapters.asgi import ASGIHead, Receive, Scope, Send
from antiphon.adapters.exchange import Observation, Observers
from antiphon.adapters.observing import observe_asgi, observe_rsgi, observe_wsgi
from antiphon.adapters.rsgi import RSGIHead
from antiphon.adapters.wsgi import WSGIHead
from antiphon.handler.context import reset_current_request, set_current_request
from antiphon.http.head import Head
from antiphon.request.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def with_observers(application: Any, interface: Literal["wsgi", "asgi", "rsgi"], observers: Observers) -> Any:
    """Return an application that reports to observers what another one does; for one of Antiphon's, use ``observe``.

    While the other one is called, ``current_request`` is a request without a body.
    """
    kinds = {"wsgi": WSGIWithObservers, "asgi": ASGIWithObservers, "rsgi": RSGIWithObservers}
    return kinds[interface](application, observers)


@contextmanager
def _observation(observers: Observers, head: Head) -> Iterator[Observation]:
    """Begin the exchange of a request without a body, which is the current one in the block."""
    observation = Observation(observers)
    request = Request(head, b"")
    token = set_current_request(request)
    try:
        observation.begin(request)
        yield observation
    finally:
        reset_current_request(token)


class WSGIWithObservers:
    """A WSGI application that is observed."""

    def __init__(self, application: Any, observers: Observers) -> None:
        self._application = application
        self._observers = observers

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        with _observation(self._observers, WSGIHead(environ)) as observation:
            return observe_wsgi(self._application, environ, start_response, observation)


class ASGIWithObservers:
    """An ASGI application that is observed."""

    def __init__(self, application: Any, observers: Observers) -> None:
        self._application = application
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        with _observation(self._observers, ASGIHead(scope, receive, send)) as observation:
            await observe_asgi(self._application, scope, receive, send, observation)


class RSGIWithObservers:
    """An RSGI application that is observed."""

    def __init__(self, application: Any, observers: Observers) -> None:
        self._application = application
        self._call = getattr(application, "__rsgi__", application)
        self._observers = observers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)  # such as __rsgi_init__

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            await self._call(scope, protocol)
            return
        with _observation(self._observers, RSGIHead(scope, protocol)) as observation:
            await observe_rsgi(self._call, scope, protocol, observation)
