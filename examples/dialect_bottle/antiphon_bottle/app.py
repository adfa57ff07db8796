"""The application: routes, hooks and error handlers, and the return values of handlers."""

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from html import escape
from itertools import chain
from typing import Any, Literal, Self, TypeVar

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.embedding import ON_THREAD, Host, ThreadServer
from antiphon.http import HTTPError as NativeError
from antiphon_bottle.request import Request
from antiphon_bottle.request import request as current
from antiphon_bottle.response import BaseResponse, HTTPError, HTTPResponse, StaticFile
from antiphon_bottle.response import response as current_response

F = TypeVar("F", bound=Callable[..., Any])
FILTERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": (r"-?\d+", int),
    "float": (r"-?[\d.]+", float),
    "path": (".+?", str),
    "re": ("[^/]+", str),
}
_WILDCARD = re.compile(r"<(?P<name>[a-zA-Z_]\w*)(?::(?P<filter>[a-zA-Z_]\w*)(?::(?P<expression>(?:\\.|[^\\>])+))?)?>")


class Route:
    """A rule of a path, such as ``/lamps/<id:int>``, and the function that answers."""

    def __init__(self, rule: str, callback: Callable[..., Any]) -> None:
        self.callback = callback
        self._converters: dict[str, Callable[[str], Any]] = {}
        pieces, end = [], 0
        for found in _WILDCARD.finditer(rule):
            pattern, self._converters[found["name"]] = FILTERS[found["filter"] or "re"]
            pieces += [re.escape(rule[end : found.start()]), f"(?P<{found['name']}>{found['expression'] or pattern})"]
            end = found.end()
        self.match = re.compile("".join(pieces) + re.escape(rule[end:])).fullmatch

    def arguments(self, found: re.Match[str]) -> dict[str, Any]:
        """Return the values of a path, converted. Raises HTTPError for one in the wrong format."""
        try:
            return {name: self._converters[name](text) for name, text in found.groupdict().items()}
        except ValueError:
            raise HTTPError(400, "Path has wrong format.") from None


class Bottle(Host):
    """An application, for servers of WSGI, ASGI and RSGI."""

    def __init__(self, catchall: bool = True) -> None:
        super().__init__()
        self.catchall = catchall
        self._routes: dict[str, dict[str, Route]] = {}
        self._hooks: dict[str, list[Callable[[], Any]]] = {"before_request": [], "after_request": []}
        self.error_handler: dict[int, Callable[[HTTPError], Any]] = {}

    # Registering

    def route(self, path: str, method: str | list[str] = "GET", callback: F | None = None) -> Any:
        """Register a function for a path and for one or several methods. It can be used as a decorator."""

        def register(function: F) -> F:
            for name in [method] if isinstance(method, str) else method:
                self._routes.setdefault(name.upper(), {})[path] = Route(path, function)
            return function

        return register(callback) if callback else register

    def get(self, path: str) -> Any:
        """Register a function for GET and HEAD."""
        return self.route(path)

    def post(self, path: str) -> Any:
        """Register a function for POST."""
        return self.route(path, "POST")

    def put(self, path: str) -> Any:
        """Register a function for PUT."""
        return self.route(path, "PUT")

    def patch(self, path: str) -> Any:
        """Register a function for PATCH."""
        return self.route(path, "PATCH")

    def delete(self, path: str) -> Any:
        """Register a function for DELETE."""
        return self.route(path, "DELETE")

    def error(self, code: int = 500) -> Callable[[F], F]:
        """Register the function that answers errors of a status."""
        return lambda function: self.error_handler.setdefault(code, function) and function

    def hook(self, name: Literal["before_request", "after_request"]) -> Callable[[F], F]:
        """Register a function that is called before or after each handler, without arguments."""
        functions = self._hooks[name]
        return lambda function: functions.append(function) or function

    # Answering

    async def answer_request(self, request: NativeRequest) -> NativeResponse:
        """Answer a request, in steps: on a thread, since Bottle's handlers block."""
        await ON_THREAD
        response: BaseResponse = current_response()
        return self._sent(request, response, self._call_handler(current(), response))

    @property
    def propagates_errors(self) -> bool:
        """True without ``catchall``: then a server or a test sees errors."""
        return not self.catchall

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI, since the whole application blocks."""
        return "wsgi"

    def _call_handler(self, request: Request, response: BaseResponse) -> Any:
        """Return what the handler and the hooks around it return or raise."""
        try:
            out = self._called(self._call_route, request)
            if isinstance(out, HTTPResponse):
                out.apply(response)
            after = self._called(self._call_hooks, "after_request")
            return out if after is None else after
        except Exception as error:
            if not self.catchall:
                raise
            logging.getLogger("bottle").exception("%s %s failed", request.method, request.path)
            return HTTPError(500, "Internal Server Error", error)

    def _called(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except HTTPResponse as raised:
            return raised
        except NativeError as raised:  # such as a form that is too large
            return HTTPError(raised.status, raised.detail, raised)

    def _call_route(self, request: Request) -> Any:
        self._call_hooks("before_request")
        route, found = self._find(request.method, request.path)
        request.url_args = route.arguments(found)
        return route.callback(**request.url_args)

    def _call_hooks(self, name: str) -> None:
        for function in self._hooks[name]:
            function()

    def _find(self, method: str, path: str) -> tuple[Route, re.Match[str]]:
        for name in ["HEAD", "GET", "ANY"] if method == "HEAD" else [method, "ANY"]:
            routes = self._routes.get(name, {})
            for route in chain([routes[path]] if path in routes else [], routes.values()):
                if found := route.match(path):
                    return route, found
        allowed = {name for name, routes in self._routes.items() if any(each.match(path) for each in routes.values())}
        if allowed:
            raise HTTPError(405, "Method not allowed.", Allow=",".join(sorted(allowed)))
        raise HTTPError(404, f"Not found: {path!r}")

    # Return values of handlers

    def _sent(self, native: NativeRequest, response: BaseResponse, out: Any) -> NativeResponse:
        """Return the native response for what a handler returns: text, bytes, a dictionary, a file, an iterable."""
        while isinstance(out, HTTPResponse):
            if isinstance(out, StaticFile):
                return out.sent(native)
            out.apply(response)
            out = self.error_handler.get(out.status, _page)(out) if isinstance(out, HTTPError) else out.body
        if isinstance(out, dict):
            out, response.content_type = json.dumps(out), "application/json"
        if isinstance(out, list | tuple) and out and isinstance(out[0], str | bytes):
            out = out[0][:0].join(out)
        if not out or isinstance(out, str | bytes):
            body = out.encode(response.charset) if isinstance(out, str) else out or None
            return NativeResponse(body, response.status, response.fields())
        stream = _Stream(out)  # the first chunk is made before the header, which a generator may set
        return NativeResponse(stream.encoded(response.charset), response.status, response.fields())

    # Serving

    def run(self, host: str = "127.0.0.1", port: int = 8080, **options: Any) -> None:
        """Serve until Ctrl-C. Server options are refused: use those of `antiphon run`."""
        if options.keys() - {"quiet", "debug"}:
            raise TypeError(f"this dialect's run() has no {', '.join(sorted(options))}: serve with `antiphon run`")
        ThreadServer(self, "wsgi", socket.create_server((host, port)), threads=8).run()


class _Stream:
    """A body in chunks of text or bytes, from a file or any iterable. Closing it closes its source."""

    def __init__(self, source: Any) -> None:
        self._source = source
        read = getattr(source, "read", None)
        chunks = iter(lambda: read(64 << 10), read(0)) if read else iter(source)
        self._chunks: Iterator[Any] = chain([next(filter(None, chunks), b"")], chunks)
        self._charset = "UTF-8"

    def encoded(self, charset: str) -> Self:
        """Return this body, with text encoded in a charset."""
        self._charset = charset
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        return chunk.encode(self._charset) if isinstance(chunk, str) else chunk

    def close(self) -> None:
        """Close the source, if it can be closed."""
        if close := getattr(self._source, "close", None):
            close()


def _page(error: HTTPError) -> str:
    return (
        f"<!DOCTYPE html><title>Error: {error.status_line}</title><h1>{error.status_line}</h1>{escape(str(error.body))}"
    )
