"""The application: routes, hooks and error handlers, and the return values of handlers."""

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from functools import partialmethod
from html import escape
from itertools import chain
from typing import Any, Literal

from antiphon import Request, Response
from antiphon.embedding import ON_THREAD, Host, ThreadServer
from antiphon.http import HTTPError as NativeError
from antiphon_bottle import context
from antiphon_bottle.context import HTTPError, HTTPResponse

FILTERS: Any = {"int": (r"-?\d+", int), "float": (r"-?[\d.]+", float), "path": (".+?", str), "re": ("[^/]+", str)}
_PIECE = re.compile(r"<(?P<name>[a-zA-Z_]\w*)(?::(?P<filter>\w+)(?::(?P<expression>(?:\\.|[^\\>])+))?)?>|[^<]+|<")


class Route:
    """A rule of a path, such as ``/lamps/<id:int>``, and its handler."""

    def __init__(self, rule: str, callback: Callable[..., Any]) -> None:
        self.callback = callback
        self.converters: dict[str, Callable[[str], Any]] = {}
        self.match = re.compile(_PIECE.sub(self._pattern, rule)).fullmatch

    def _pattern(self, piece: re.Match[str]) -> str:
        if not piece["name"]:
            return re.escape(piece[0])
        pattern, self.converters[piece["name"]] = FILTERS[piece["filter"] or "re"]
        return f"(?P<{piece['name']}>{piece['expression'] or pattern})"


class Bottle(Host):
    """An application, for servers of WSGI, ASGI and RSGI."""

    interface = "wsgi"  # since the whole application blocks
    propagates_errors = property(lambda self: not self.catchall)

    def __init__(self, catchall: bool = True) -> None:
        super().__init__()
        self.catchall = catchall
        self._routes: dict[str, dict[str, Route]] = {}
        self._hooks: dict[str, list[Callable[[], Any]]] = {"before_request": [], "after_request": []}
        self.error_handler: dict[int, Callable[[HTTPError], Any]] = {}

    def route(self, path: str, method: str | list[str] = "GET", callback: Callable[..., Any] | None = None) -> Any:
        """Register a function for a path and for one or several methods. It can be used as a decorator."""
        if callback is None:
            return lambda function: self.route(path, method, function)
        for name in [method] if isinstance(method, str) else method:
            self._routes.setdefault(name.upper(), {})[path] = Route(path, callback)
        return callback

    get, post = partialmethod(route, method="GET"), partialmethod(route, method="POST")
    put, patch = partialmethod(route, method="PUT"), partialmethod(route, method="PATCH")
    delete = partialmethod(route, method="DELETE")

    def error(self, code: int = 500) -> Callable[[Any], Any]:
        """Register the function that handles errors of a status."""
        return lambda function: self.error_handler.update({code: function}) or function

    def hook(self, name: Literal["before_request", "after_request"]) -> Callable[[Any], Any]:
        """Register a function that is called before or after each handler, without arguments."""
        return lambda function: self._hooks[name].append(function) or function

    async def respond_to_request(self, request: Request) -> Response:
        """Handle a request, in steps: on a thread, since Bottle's handlers block."""
        await ON_THREAD
        response = context.response()
        try:
            out = self._called(*self._hooks["before_request"], self._call_route)
            if isinstance(out, HTTPResponse):
                out.apply(response)
            after = self._called(*self._hooks["after_request"], lambda: None)
            out = out if after is None else after
        except Exception as error:
            if not self.catchall:
                raise
            logging.getLogger("bottle").exception("%s %s failed", request.method, request.path)
            out = HTTPError(500, "Internal Server Error", error)
        return self._sent(response, out)

    def _called(self, *functions: Callable[[], Any]) -> Any:
        """Return what the last function returns, or the response that one raises."""
        try:
            return [function() for function in functions][-1]
        except HTTPResponse as raised:
            return raised
        except NativeError as raised:  # such as a form that is too large
            return HTTPError(raised.status, raised.detail, raised)

    def _call_route(self) -> Any:
        request = context.request()
        route, found = self._find(request.method, request.path)
        try:
            request.url_args = {name: route.converters[name](text) for name, text in found.groupdict().items()}
        except ValueError:
            raise HTTPError(400, "Path has wrong format.") from None
        return route.callback(**request.url_args)

    def _find(self, method: str, path: str) -> tuple[Route, re.Match[str]]:
        for name in ["HEAD", "GET", "ANY"] if method == "HEAD" else [method, "ANY"]:
            routes = self._routes.get(name, {})
            for route in chain([routes[path]] if path in routes else [], routes.values()):
                if found := route.match(path):
                    return route, found
        if allowed := [name for name, routes in self._routes.items() if any(r.match(path) for r in routes.values())]:
            raise HTTPError(405, "Method not allowed.", Allow=",".join(sorted(allowed)))
        raise HTTPError(404, f"Not found: {path!r}")

    def _sent(self, response: HTTPResponse, out: Any) -> Response:
        """Return the native response for what a handler returns: text, bytes, a dictionary, a file, an iterable."""
        while isinstance(out, HTTPResponse):
            out.apply(response)
            out = self.error_handler.get(out.status_code, _page)(out) if isinstance(out, HTTPError) else out.body
        if isinstance(out, Response):  # of a file
            out.headers.update(response.headers)
            return out
        if isinstance(out, dict):
            out, response.content_type = json.dumps(out), "application/json"
        if isinstance(out, list | tuple) and out and isinstance(out[0], str | bytes):
            out = out[0][:0].join(out)
        if isinstance(out, str):
            out = out.encode(response.charset)
        if out and not isinstance(out, bytes):
            out = _chunks(out, response)
            next(out)  # the program makes its first part now, and may set fields of the header until then
        if response.status_code not in (204, 304):
            response.content_type = response.content_type  # also where it is the default
        cookies = [("set-cookie", str(cookie)) for cookie in response.cookies.values()]
        return Response(out or None, response.status_code, [*response.headers.items(), *cookies])

    def run(self, app: "Bottle | None" = None, host: str = "127.0.0.1", port: int = 8080, **options: Any) -> None:
        """Serve this application or another until Ctrl-C. Server options are refused: use those of `antiphon run`."""
        if options.keys() - {"quiet", "debug"}:
            raise TypeError(f"this dialect's run() has no {', '.join(sorted(options))}: serve with `antiphon run`")
        ThreadServer(app or self, "wsgi", socket.create_server((host, port)), threads=8).run()


def _chunks(source: Any, response: HTTPResponse) -> Iterator[bytes]:
    """The parts of a file or of an iterable, which is closed at the end, after an empty one."""
    try:
        read = getattr(source, "read", None)
        parts = iter(lambda: read(64 << 10), read(0)) if read else iter(source)
        first = next(filter(None, parts), b"")
        yield b""
        for part in chain([first], parts):
            yield part.encode(response.charset) if isinstance(part, str) else part
    finally:
        if close := getattr(source, "close", None):
            close()


def _page(error: HTTPError) -> str:
    return f"<!DOCTYPE html><title>{error.status_line}</title><h1>{error.status_line}</h1>{escape(str(error.body))}"
