"""The base classes of all HTTP exceptions, their reason phrases, and the exceptions with status 400.

HTTP exceptions create responses, and the data structures in responses raise HTTP exceptions.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.tokens import http_date
from antiphon.http.status import PHRASES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.dialects.werkzeug.wrappers.response import Response


@cache
def response_class() -> "type[Response]":
    """Return `wrappers.Response`, imported on first use."""
    from antiphon.dialects.werkzeug.wrappers.response import Response

    return Response


HTTP_STATUS_CODES: dict[int, str] = {code: phrase for code, phrase in PHRASES.items() if code != 499} | {
    203: "Non Authoritative Information",
    207: "Multi Status",
    306: "Switch Proxy",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    449: "Retry With",
    511: "Network Authentication Failed",
}
"""Werkzeug's reason phrases, some of which predate the current RFCs."""


class HTTPException(Exception):
    """An error with a status ``code`` and a ``description`` for the client, or with its own ``response``.

    It is also a WSGI application that responds with an error page.
    """

    code: int | None = None
    description: str | None = None

    def __init__(self, description: str | None = None, response: "Response | None" = None) -> None:
        super().__init__()
        if description is not None:
            self.description = description
        self.response = response

    @classmethod
    def wrap(cls, exception: type[BaseException], name: str | None = None) -> "type[HTTPException]":
        """Return a subclass of this class and of ``exception``. Its first argument is the one for ``exception``."""

        def init(self: Any, arg: object = None, *args: Any, **kwargs: Any) -> None:
            cls.__init__(self, *args, **kwargs)
            exception.__init__(self, *(() if arg is None else (arg,)))

        return type(name or exception.__name__, (cls, exception), {"__init__": init, "__module__": cls.__module__})

    @property
    def name(self) -> str:
        return HTTP_STATUS_CODES.get(self.code or 0, "Unknown Error")

    def get_description(
        self,
        environ: "WSGIEnvironment | None" = None,  # noqa: ARG002 - for subclasses
        scope: dict[str, Any] | None = None,  # noqa: ARG002 - for subclasses
    ) -> str:
        """Return the description as an HTML paragraph. Markup is not escaped again."""
        return f"<p>{escape_html(self.description or '').replace(chr(10), '<br>')}</p>"

    def get_body(
        self,
        environ: "WSGIEnvironment | None" = None,
        scope: dict[str, Any] | None = None,  # noqa: ARG002 - for subclasses
    ) -> str:
        name = escape_html(self.name)
        head = f"<!doctype html>\n<html lang=en>\n<title>{self.code} {name}</title>\n<h1>{name}</h1>\n"
        return f"{head}{self.get_description(environ)}\n"

    def get_headers(
        self,
        environ: "WSGIEnvironment | None" = None,  # noqa: ARG002 - for subclasses
        scope: dict[str, Any] | None = None,  # noqa: ARG002 - for subclasses
    ) -> list[tuple[str, str]]:
        """Return the page's header fields."""
        return [("Content-Type", "text/html; charset=utf-8")]

    def get_response(self, environ: Any = None, scope: dict[str, Any] | None = None) -> "Response":
        """Return the error's own response, or a response with its page. ``environ`` may be a request."""
        if self.response is not None:
            return self.response
        environ = getattr(environ, "environ", environ)
        return response_class()(self.get_body(environ, scope), self.code, self.get_headers(environ, scope))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.get_response(environ)(environ, start_response)

    def __str__(self) -> str:
        return f"{self._code} {self.name}: {self.description}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self._code}: {self.name}'>"

    @property
    def _code(self) -> str:
        return "???" if self.code is None else str(self.code)


class RetryAfterException(HTTPException):
    """An error that sends ``retry_after`` (seconds or a datetime) as the Retry-After header."""

    def __init__(
        self,
        description: str | None = None,
        response: "Response | None" = None,
        retry_after: datetime | int | None = None,
    ) -> None:
        super().__init__(description, response)
        self.retry_after = retry_after

    def get_headers(
        self, environ: "WSGIEnvironment | None" = None, scope: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the page's headers, including Retry-After."""
        headers = super().get_headers(environ, scope)
        if self.retry_after:
            headers.append(("Retry-After", _print_moment(self.retry_after)))
        return headers


def escape_html(text: Any) -> str:
    """Escape text for HTML. An object with ``__html__`` is already HTML."""
    if hasattr(text, "__html__"):
        return str(text.__html__())
    plain = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace('"', "&#34;").replace("'", "&#39;")


def _print_moment(after: datetime | int) -> str:
    return http_date(after) if isinstance(after, datetime) else str(after)


class BadRequest(HTTPException):
    """400: the request can't be understood (RFC 9110 §15.5.1)."""

    code = 400
    description = "The browser (or proxy) sent a request that this server could not understand."


class BadRequestKeyError(BadRequest, KeyError):
    """A KeyError for a missing key. If it is not caught, the response is a 400.

    With ``show_exception``, the page names the key.
    """

    _description = str(BadRequest.description)
    show_exception = False

    def __init__(self, arg: object = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        KeyError.__init__(self, *(() if arg is None else (arg,)))

    @property
    def description(self) -> str:
        return f"{self._description}\nKeyError: {KeyError.__str__(self)}" if self.show_exception else self._description

    @description.setter
    def description(self, value: str) -> None:
        self._description = value


class ClientDisconnected(BadRequest):
    """Raised when the client has disconnected and can't receive the response."""


class SecurityError(BadRequest):
    """Raised for a bad request that looks like an attack."""


class BadHost(BadRequest):
    """Raised for a malformed host."""
