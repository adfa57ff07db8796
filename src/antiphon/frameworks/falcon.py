"""Support for Falcon, over WSGI and ASGI, where a view fills an existing response."""

from collections.abc import AsyncIterable
from functools import cache
from typing import Any

from antiphon.frameworks.connection import until_left
from antiphon.frameworks.framework import Framework, FrameworkResponse, ViewRoute
from antiphon.frameworks.shared_bodies import environ_request, scope_request
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.request.request import Request

_CHUNK = 64 << 10
"""The number of bytes that are read at once."""


class Falcon(Framework):
    """Support for Falcon, whose requests have an environ or a scope, and whose responses are arguments of the view."""

    fills_response = awaits_coroutine_functions = True
    parameters = "{{{}}}", "{{{}:path}}"
    raises = (("falcon", "HTTPError", "status_code", "description"), ("falcon", "HTTPStatus", ""))

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application, in a resource; the view handles other methods itself."""
        responders = {f"on_{method.lower()}": staticmethod(route.view) for method in route.methods}
        app.add_route(route.path, type(route.name, (), responders)())

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "env") or hasattr(given, "scope")

    def runs_on_loop(self, given: Any) -> bool:
        """Return True for a request over ASGI."""
        return hasattr(given, "scope")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request, whose body Falcon can still read over WSGI."""
        if hasattr(given, "scope"):
            return scope_request(given.scope, _ReceivedByFalcon(given))
        request = environ_request(given.env)
        if request.head.has_body:
            given.stream = given.env["wsgi.input"]
        return request

    def limits(self, given: Any) -> Limits:
        """Return the number of parts that the app's handler of multipart forms accepts; 0 means no limit."""
        handler = given.options.media_handlers.data.get("multipart/form-data")
        options = getattr(handler, "parse_options", None)
        return self.own_limits(parts=getattr(options, "max_body_part_count", 0) or None)

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which middleware is told of, and error handlers see."""
        _respond_to_exceptions()
        self.keep_response(given.scope if self.runs_on_loop(given) else given.env, error, response)
        return error

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Fill a Falcon response and return it."""
        made = given
        made.status = response.status
        made.content_type = made.text = made.data = made.media = None  # as an error handler may have set them
        is_set = {"set-cookie"}
        for name, value in response.fields:
            (made.append_header if name in is_set else made.set_header)(name, value)  # the first replaces Falcon's own
            is_set.add(name)
        if isinstance(response.body, bytes):
            made.data = response.body
        else:
            made.stream = _watched(response) if isinstance(response.body, AsyncIterable) else response.body
        return made


@cache
def _respond_to_exceptions() -> None:
    """Make Falcon send the response to an exception that a view has raised, after error handlers have seen it."""
    import falcon.asgi

    by_falcon, by_falcon_asgi = falcon.App._handle_exception, falcon.asgi.App._handle_exception

    def handle(self: Any, given: Any, filled: Any, error: Exception, params: Any) -> Any:
        response = Framework.take_response(given.env, error)
        handled = (response and isinstance(error, HTTPError)) or by_falcon(self, given, filled, error, params)
        return handled if response is None else Falcon().response(response, filled)

    async def ahandle(self: Any, given: Any, filled: Any, error: Exception, params: Any, ws: Any = None) -> Any:
        response = Framework.take_response(given.scope, error)
        handled = (response and isinstance(error, HTTPError)) or await by_falcon_asgi(
            self, given, filled, error, params, ws
        )
        return handled if response is None else Falcon().response(response, filled)

    for kind, function in ((falcon.App, handle), (falcon.asgi.App, ahandle)):
        setattr(kind, "_handle_exception", function)  # noqa: B010 - a method isn't assigned


def _watched(response: FrameworkResponse) -> Any:
    """Return a stream's chunks while the client is connected, which Falcon doesn't check."""
    lifetime = response.request.lifetime
    return until_left(response.body, lambda: lifetime.is_client_gone)


class _ReceivedByFalcon:
    """The body from Falcon's stream, followed by the server's messages."""

    def __init__(self, given: Any) -> None:
        self._stream = given.stream
        self._receive = given._receive
        self._has_ended = False

    async def __call__(self) -> dict[str, Any]:
        if self._has_ended:
            message: dict[str, Any] = await self._receive()
            return message
        chunk = await self._stream.read(_CHUNK)
        self._has_ended = self._stream.eof
        return {"type": "http.request", "body": chunk, "more_body": not self._has_ended}
