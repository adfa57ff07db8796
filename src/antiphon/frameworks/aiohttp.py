# pyright: reportMissingImports=false
"""Support for aiohttp's server."""

import sys
from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from typing import Any

from antiphon.frameworks.connection import until_left
from antiphon.frameworks.framework import Framework, FrameworkResponse, ViewRoute
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request


class Aiohttp(Framework):
    """Support for aiohttp, whose requests keep the body after reading it, and whose responses write themselves."""

    is_async = awaits_coroutine_functions = needs_async_views = True
    parameters = "{{{}}}", "{{{}:.+}}"
    raises = (("aiohttp.web", "HTTPException", "status_code", "text"),)

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "match_info")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request. ``aload`` reads its body."""
        version = given.version
        head = self.plain_head(
            given.method, given.raw_path, given.headers.items(), given.scheme, given.host,
            f"{version.major}.{version.minor}", given.remote, has_body=given.body_exists,
            has_left=given.transport.is_closing if given.transport else bool,
        )  # fmt: skip
        return Request(head, given._read_bytes if given.body_exists else b"")

    async def aload(self, given: Any, request: Request) -> None:
        """Read the body, which aiohttp also keeps. Raises aiohttp's error above its ``client_max_size``."""
        content = request.content
        if not content.is_complete:
            data = await given.read()
            content.data, content.is_complete, content.received = data, True, len(data)

    def path_params(self, given: Any) -> Mapping[str, Any]:
        """Return the parameters of the route."""
        return dict(given.match_info)

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application, its router or a route table; the view handles other methods itself."""
        if hasattr(app, "view"):
            app.route("*", route.path, name=route.name)(route.view)
        else:
            getattr(app, "router", app).add_route("*", route.path, route.view, name=route.name)

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which middleware also sees, or an exception of aiohttp that is the response."""
        if isinstance(error, HTTPError) and isinstance(response.body, bytes):
            raised = _raised(response.status)()
            raised.body = response.body
            raised.headers.extend(response.fields)
            return raised  # type: ignore[no-any-return]  # an exception of aiohttp
        _respond_to_exceptions()
        self.keep_response(vars(given), error, self.response(response, given))
        return error

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return an aiohttp response."""
        from aiohttp import web
        from multidict import CIMultiDict

        headers = CIMultiDict(response.fields)
        if not isinstance(response.body, bytes):
            return _streamed()(response, headers)
        if not response.body:
            return _without_body()(status=response.status, headers=headers)
        return web.Response(body=response.body, status=response.status, headers=headers)


@cache
def _raised(status: int) -> Any:
    from aiohttp import web

    return type("Raised", (web.HTTPException,), {"status_code": status, "empty_body": True})


@cache
def _respond_to_exceptions() -> None:
    """Make aiohttp send the response to an exception that a view has raised, instead of its own to a 500."""
    from aiohttp.web_protocol import RequestHandler

    by_aiohttp = RequestHandler.handle_error

    def handle_error(self: Any, request: Any, status: int = 500, exc: Any = None, message: Any = None) -> Any:
        response = Framework.take_response(vars(request), exc or sys.exception())  # none for a TimeoutError
        if response is not None and isinstance(exc, HTTPError):
            return response
        own = by_aiohttp(self, request, status, exc, message)  # which logs the error
        return response or own

    RequestHandler.handle_error = handle_error


@cache
def _without_body() -> Any:
    from aiohttp import web

    class WithoutBody(web.StreamResponse):
        """A response that is only a head, with the Content-Length of a GET's response."""

    return WithoutBody


@cache
def _streamed() -> Any:
    from aiohttp import web

    class Streamed(web.StreamResponse):
        """A stream that is always closed, whatever its client does."""

        def __init__(self, response: FrameworkResponse, headers: Any) -> None:
            super().__init__(status=response.status, headers=headers)
            self._chunks: Any = response.body

        async def prepare(self, request: Any) -> Any:
            try:
                self._own_request = request
                return await super().prepare(request)
            except BaseException:
                await self._chunks.aclose()
                raise

        async def write_eof(self, data: bytes = b"") -> None:
            request = self._own_request
            async with aclosing(until_left(self._chunks, lambda: request.transport is None)) as chunks:
                async for chunk in chunks:
                    await self.write(chunk)
            await super().write_eof(data)

    return Streamed
