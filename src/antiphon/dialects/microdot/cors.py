"""Cross-origin resource sharing: responses that pages on other sites may read (Fetch, "CORS protocol")."""

from collections.abc import Callable, Collection
from typing import Any

from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.request import Request, vary_by
from antiphon.dialects.microdot.response import Response


class CORS:
    """The headers that let pages on other sites read responses.

    ``allowed_origins`` lists those sites; "*" means all of them. With ``allow_credentials``, listed sites may read
    responses to requests with cookies. ``allowed_methods`` and ``allowed_headers`` limit their requests; None means no
    limit. ``expose_headers`` lists the response headers that they may read. Browsers cache the response to a preflight
    request for ``max_age`` seconds. With ``handle_cors=False``, the application adds the headers itself with
    ``get_cors_headers``.
    """

    def __init__(
        self,
        app: Microdot | None = None,
        allowed_origins: Collection[str] | None = None,
        allow_credentials: bool = False,
        allowed_methods: Collection[str] | None = None,
        expose_headers: Collection[str] | None = None,
        allowed_headers: Collection[str] | None = None,
        max_age: int | None = None,
        handle_cors: bool = True,
    ) -> None:
        self.allowed_origins = allowed_origins
        self.allow_credentials = allow_credentials
        self.allowed_methods = allowed_methods
        self.expose_headers = expose_headers
        self.allowed_headers = None if allowed_headers is None else [name.lower() for name in allowed_headers]
        self.max_age = max_age
        self.default_options_handler: Callable[[Request], dict[str, str]] | None = None
        if app is not None:
            self.initialize(app, handle_cors)

    def initialize(self, app: Microdot, handle_cors: bool = True) -> None:
        """Add the headers to all responses of an application."""
        self.default_options_handler = app.options_handler
        if handle_cors:
            app.options_handler = self.options_handler
            app.after_request(self.after_request)
            app.after_error_request(self.after_request)

    def options_handler(self, request: Request) -> dict[str, str]:
        """Return the headers for a response to OPTIONS, including preflight requests."""
        known = self.default_options_handler(request) if self.default_options_handler else {}
        return {**known, **self.get_cors_headers(request)}

    def get_cors_headers(self, request: Request) -> dict[str, str]:
        """Return the headers for a request's response. Record that they depend on Origin, so that Vary lists it."""
        headers = self._of_origin(request)
        if self.expose_headers:
            headers["Access-Control-Expose-Headers"] = ", ".join(self.expose_headers)
        if request.method == "OPTIONS":
            headers |= self._of_preflight(request)
        return headers

    def _of_origin(self, request: Request) -> dict[str, str]:
        origin: str | None = request.headers.get("Origin")
        is_listed = self.allowed_origins != "*"
        if not is_listed and (origin is None or self.allow_credentials):
            return {"Access-Control-Allow-Origin": "*"}
        if origin is None or (is_listed and origin not in (self.allowed_origins or ())):
            return {}
        vary_by(request, "origin")
        headers = {"Access-Control-Allow-Origin": origin}
        return headers | {"Access-Control-Allow-Credentials": "true"} if self.allow_credentials else headers

    def _of_preflight(self, request: Request) -> dict[str, str]:
        headers: dict[str, str] = {}
        if self.max_age:
            headers["Access-Control-Max-Age"] = str(self.max_age)
        method: str = request.headers.get("Access-Control-Request-Method", "").upper()
        if method and (self.allowed_methods is None or method in self.allowed_methods):
            headers["Access-Control-Allow-Methods"] = method
        wanted: str = request.headers.get("Access-Control-Request-Headers", "")
        if wanted:
            headers["Access-Control-Allow-Headers"] = self._allowed_of(wanted)
        return headers

    def _allowed_of(self, wanted: str) -> str:
        allowed = self.allowed_headers
        if allowed is None:
            return wanted
        return ", ".join([name for part in wanted.split(",") if (name := part.strip()).lower() in allowed])

    async def after_request(self, request: Request, response: Response) -> Any:
        response.headers.update(self.get_cors_headers(request))
