# pyright: reportMissingImports=false
"""Support for Sanic."""

from typing import Any

from antiphon.frameworks.framework import Framework, FrameworkResponse, ViewRoute
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request


class Sanic(Framework):
    """Support for Sanic, whose requests contain the whole body unless their route streams it."""

    is_async = awaits_coroutine_functions = True
    parameters = "<{}:str>", "<{}:path>"
    encoded_spans = True
    raises = (("sanic.exceptions", "SanicException", "status_code", "message"),)

    def owns(self, given: Any) -> bool:
        """Return True for a request."""
        return hasattr(given, "raw_url")

    def request(self, given: Any, second: Any = None) -> Request:
        """Return the request."""
        body = given.body or b""
        head = self.plain_head(
            given.method, given.raw_url.decode("latin-1"), given.headers.items(), given.scheme, given.host,
            given.version, given.remote_addr or given.ip, has_body=bool(body) or given.stream is not None,
            has_left=given.transport.is_closing if given.transport else bool,
        )  # fmt: skip
        return Request(head, body)

    def respond_to_errors(self, given: Any) -> None:
        """Add an error handler to those of the app."""
        given.app.error_handler.cached_handlers.setdefault((HTTPError, None), self._respond_to_error)

    async def _respond_to_error(self, given: Any, error: HTTPError) -> Any:
        return self.error_response(error, given)

    def failure(self, given: Any, error: Exception, response: FrameworkResponse) -> Exception:
        """Return the error itself, which signals also tell."""
        self.keep_response(vars(given.ctx), error, self.response(response, given))
        _respond_to_exceptions(given.app.error_handler)
        return error

    async def aload(self, given: Any, request: Request) -> None:
        """Receive the body for a route that streams it; Sanic then also keeps it."""
        content = request.content
        if not given.body and request.content_length != 0 and getattr(given, "stream", None) is not None:
            await given.receive_body()
            content.data, content.received = given.body, len(given.body)

    def add_route(self, app: Any, route: ViewRoute) -> None:
        """Add a view to an application or a blueprint; the view handles other methods itself."""
        from sanic import HTTPMethod

        app.add_route(route.view, route.path, methods=[*HTTPMethod], name=route.name, unquote=True)

    def response(self, response: FrameworkResponse, given: Any) -> Any:
        """Return a Sanic response."""
        from sanic.compat import Header
        from sanic.response import HTTPResponse, ResponseStream

        content_type = next((value for name, value in response.fields if name == "content-type"), None)
        headers = Header([field for field in response.fields if field[0] != "content-type"])
        if isinstance(response.body, bytes):
            return HTTPResponse(response.body, response.status, headers, content_type)
        body: Any = response.body

        async def write(response: Any) -> None:
            try:
                async for chunk in body:
                    await response.write(chunk)
            finally:
                await body.aclose()

        return ResponseStream(write, response.status, headers, content_type)


def _respond_to_exceptions(handlers: Any) -> None:
    """Make an app send the response to an exception that a view has raised."""
    if "response" in vars(handlers):
        return
    by_sanic = handlers.response

    def response(given: Any, error: Exception) -> Any:
        return Framework.take_response(vars(given.ctx), error) or by_sanic(given, error)

    handlers.response = response
