# pyright: reportMissingImports=false
"""Support for Tornado, where the handler is both request and response."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from antiphon.frameworks.connection import until_left
from antiphon.frameworks.framework import Framework, FrameworkResponse, ViewRoute
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request


class Tornado(Framework):
    """Support for Tornado, with a handler or its request, which contains the whole body."""

    is_async = awaits_coroutine_functions = True
    parameters = "([^/]+)", "(.+)"
    gives = frozenset({"user", "csrf_token"})
    raises = ("tornado.web", "HTTPError"), ("tornado.web", "Finish", 500)

    def owns(self, given: Any) -> bool:
        """Return True for a handler and for its request."""
        return hasattr(given, "request") or hasattr(given, "full_url")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        sent = getattr(given, "request", given)
        head = self.plain_head(
            sent.method, sent.uri, sent.headers.get_all(), sent.protocol, sent.host,
            sent.version.partition("/")[2], sent.remote_ip, has_body=bool(sent.body),
            has_left=_leaving(sent),
        )  # fmt: skip
        return Request(head, sent.body or b"")

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return no parameters, because Tornado passes them to the view."""
        return {}

    def user(self, given: Any) -> Any:
        """Return the handler's ``current_user``."""
        return getattr(given, "current_user", None)

    def csrf_token(self, given: Any) -> str | None:
        """Return a handler's token if the application checks tokens. The response gets the token's cookie."""
        checks = getattr(given, "settings", {}).get("xsrf_cookies")
        return given.xsrf_token.decode() if checks else None

    def csrf_field(self, given: Any) -> str:
        """Return the name that Tornado always uses."""
        return "_xsrf"

    def literal(self, text: str) -> str:
        """Return the text as a regular expression."""
        return re.escape(text)

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application, for all hosts, in a handler; the view handles other methods itself."""
        from tornado.routing import URLSpec
        from tornado.web import RequestHandler

        methods = dict.fromkeys(map(str.lower, RequestHandler.SUPPORTED_METHODS), route.view)
        app.add_handlers(".*", [URLSpec(route.path, type(route.name, (RequestHandler,), methods), name=route.name)])

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception | None:
        """Return the error itself or, for one that is expected, Tornado's HTTPError; ``log_exception`` is told of it.

        None for a response that has to be awaited.
        """
        from tornado.web import HTTPError as TornadoError

        if not isinstance(response.body, bytes):
            return None
        given.write_error = lambda _status, **_: self.response(response, given)
        return TornadoError(response.status) if isinstance(error, HTTPError) else error

    def response(self, response: FrameworkResponse, given: Any) -> Awaitable[None] | None:
        """Write the response with a handler and return the resulting awaitable, if any."""
        given.set_status(response.status)
        for name in ("content-type", *dict(response.fields)):
            given.clear_header(name)
        for name, value in response.fields:
            given.add_header(name, value)
        given.compute_etag = _none  # the response has its own or none
        if isinstance(response.body, bytes):
            if response.body:
                given.write(response.body)
            return None
        return _write(given, response.body)


def _leaving(sent: Any) -> Callable[[], bool]:
    stream = getattr(sent.connection, "stream", None)
    return stream.closed if stream is not None else bool


def _none() -> None:
    return None


async def _write(handler: Any, body: Any) -> None:
    from tornado.iostream import StreamClosedError

    chunks = until_left(body, _leaving(handler.request))
    with suppress(StreamClosedError):  # the client has left
        async with aclosing(chunks):
            async for chunk in chunks:
                handler.write(chunk)
                await handler.flush()
