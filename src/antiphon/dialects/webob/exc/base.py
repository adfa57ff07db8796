"""The base classes of all HTTP exceptions, including redirects, and the generation of their bodies."""

import json
import re
from collections.abc import Callable, Iterable
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar, Self

from antiphon.dialects._environ.heads import cache_short
from antiphon.dialects.webob.headers import Lines
from antiphon.dialects.webob.response import Response, filter_headers
from antiphon.dialects.webob.response.head import absolute_location, request_uri
from antiphon.dialects.webob.util import html_escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# An unclosed tag also matches, so text with many "<" takes linear time.
_tag = re.compile(r"<[^>]*+(>?)")
_break = re.compile(r"<br[^>]*+(>?)", re.IGNORECASE)
_comment_mark = re.compile("<!--|-->")


def no_escape(value: Any) -> str:
    """Convert an object to text, None to "". Bytes are decoded as UTF-8."""
    if value is None:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value)


def strip_tags(value: str) -> str:
    """Convert markup to plain text: `<br>` becomes a line break, and other tags and comment marks are removed."""
    text = value.replace("\n", " ").replace("\r", "")
    text = _break.sub(_by("\n"), text)
    return _tag.sub(_by(""), _comment_mark.sub("", text))


def _by(replacement: str) -> Callable[[re.Match[str]], str]:
    return lambda match: replacement if match[1] else match[0]


class Lazy:
    """A value that is converted to text only when a template uses it."""

    __slots__ = ("_text", "_value")

    def __init__(self, text: Callable[[Any], str], value: Any) -> None:
        self._text = text
        self._value = value

    def __str__(self) -> str:
        return self._text(self._value)


class HTTPException(Exception):
    """The base class of all exceptions. ``wsgi_response`` is the WSGI application that sends the response."""

    wsgi_response: Any

    def __init__(self, message: Any, wsgi_response: "WSGIApplication") -> None:
        super().__init__(message)
        self.wsgi_response = wsgi_response

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        chunks: Iterable[bytes] = self.wsgi_response(environ, start_response)
        return chunks

    @property
    def exception(self) -> Self:
        """The exception itself, for code that raises ``error.exception``."""
        return self


class WSGIHTTPException(Response, HTTPException):
    """A response that can be raised.

    If no body is set, it generates an explanation in a media type that the client accepts.

    ``detail`` is text for the client, and ``comment`` becomes an HTML comment; both are escaped. ``headers`` are added
    to the response. ``body_template`` is markup that may contain ``${explanation}``, ``${detail}``,
    ``${html_comment}``, environ keys, and header names in lower case. ``json_formatter`` replaces the method with the
    same name and is called without ``self``. Other keyword arguments are passed to the response.
    """

    code: ClassVar[int] = 500
    """The status code."""
    title: ClassVar[str] = "Internal Server Error"
    """The reason phrase of the status."""
    explanation: str = ""
    """The template of the body."""
    empty_body = False
    """True for a status without a body."""

    body_template: str
    body_template_obj = Template("${explanation}<br /><br />\n${detail}\n${html_comment}\n")
    plain_template_obj = Template("${status}\n\n${body}")
    html_template_obj = Template(
        "<html>\n <head>\n  <title>${status}</title>\n </head>\n"
        " <body>\n  <h1>${status}</h1>\n  ${body}\n </body>\n</html>"
    )

    def __init__(
        self,
        detail: Any = None,
        headers: Any = None,
        comment: Any = None,
        body_template: str | None = None,
        json_formatter: Callable[..., Any] | None = None,
        **kw: Any,
    ) -> None:
        Response.__init__(self, status=f"{self.code} {self.title}", **kw)
        Exception.__init__(self, detail)
        if headers:
            self.headers.extend(headers)
        self.detail = detail
        self.comment = comment
        if body_template is not None:
            self.body_template = body_template
            self.body_template_obj = Template(body_template)
        if self.empty_body:
            del self.content_type
            del self.content_length
        if json_formatter is not None:
            self.json_formatter = json_formatter  # type: ignore[method-assign]

    def __str__(self, skip_body: bool = False) -> str:
        return str(self.detail or self.explanation)

    @property
    def wsgi_response(self) -> Any:
        """The exception itself, as a response."""
        return self

    def copy(self) -> Self:
        twin = super().copy()
        twin.args = self.args
        return twin

    # Bodies

    def plain_body(self, environ: "WSGIEnvironment") -> str:
        body = strip_tags(self._make_body(environ, no_escape))
        return self.plain_template_obj.substitute(status=self.status, title=self.title, body=body)

    def html_body(self, environ: "WSGIEnvironment") -> str:
        """Return the body as HTML, with all text escaped."""
        return self.html_template_obj.substitute(status=self.status, body=self._make_body(environ, html_escape))

    def json_body(self, environ: "WSGIEnvironment") -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the body as JSON, as returned by ``json_formatter``."""
        body = self._make_body(environ, no_escape)
        return json.dumps(self.json_formatter(body=body, status=self.status, title=self.title, environ=environ))

    def json_formatter(self, body: str, status: str, title: str, environ: "WSGIEnvironment") -> Any:  # noqa: ARG002
        return {"message": body, "code": status, "title": title}

    def _make_body(self, environ: "WSGIEnvironment", escape: Callable[[Any], str]) -> str:
        comment = f"<!-- {escape(self.comment)} -->" if self.comment else ""
        values: dict[str, Any] = {
            "explanation": Lazy(escape, self.explanation),
            "detail": Lazy(escape, self.detail or ""),
            "comment": Lazy(escape, self.comment or ""),
            "html_comment": comment,
        }
        if self.body_template_obj is not WSGIHTTPException.body_template_obj:
            values |= {key: Lazy(escape, value) for key, value in environ.items()}
            values |= {name.lower(): Lazy(escape, value) for name, value in self._headerlist}
        return self.body_template_obj.safe_substitute(values)

    # As a WSGI application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request by sending the body if one is set, and an explanation otherwise."""
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        has_own = self.has_body or self.empty_body or (is_head and self.content_length)
        chunks = (super().__call__ if has_own else self.generate_response)(environ, start_response)
        return [] if is_head and not hasattr(chunks, "close") else chunks

    def generate_response(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond with an explanation in HTML, JSON or text, depending on what the client accepts."""
        content_type, make = self._negotiated(environ)
        lines: Lines = filter_headers(self._headerlist, ("content-length", "content-type"))
        response = Response(make(environ), self.status, lines, charset="UTF-8")
        response.content_type = content_type
        return response(environ, start_response)

    def _negotiated(self, environ: "WSGIEnvironment") -> tuple[str, Callable[..., str]]:
        content_type = accepted_type(environ.get("HTTP_ACCEPT", ""))
        makers = {"text/html": self.html_body, "application/json": self.json_body}
        return content_type, makers.get(content_type, self.plain_body)


@cache_short(128)
def accepted_type(accept: str) -> str:
    """Return the client's preferred media type for the explanation, or plain text if it accepts no other."""
    from antiphon.dialects.webob.acceptparse import create_accept_header

    accepted = create_accept_header(accept).acceptable_offers(["text/html", "application/json"])
    return str(accepted[0][0]) if accepted else "text/plain"


class HTTPOk(WSGIHTTPException):
    """200, and the base class for 2xx (RFC 9110 §15.3)."""

    code = 200
    title = "OK"


class HTTPRedirection(WSGIHTTPException):
    """The base class for 3xx (RFC 9110 §15.4)."""


class HTTPError(WSGIHTTPException):
    """The base class for 4xx and 5xx. Work in progress should be rolled back when one is raised."""


class HTTPClientError(HTTPError):
    """The base class for 4xx (RFC 9110 §15.5)."""

    code = 400
    title = "Bad Request"
    explanation = "The server could not comply with the request since it is either malformed or otherwise incorrect."


class HTTPServerError(HTTPError):
    """The base class for 5xx (RFC 9110 §15.6)."""

    code = 500
    title = "Internal Server Error"
    explanation = "The server has either erred or is incapable of performing the requested operation."


class _HTTPMove(HTTPRedirection):
    """A redirect to ``location``, a URL reference, or, with ``add_slash``, to the request's URL with a slash appended.

    If neither is given, it redirects to the request's URL without the query. Raises TypeError if both are given, or
    ValueError if the location contains CR, LF or NUL.
    """

    explanation = "The resource has been moved to"
    body_template_obj = Template(
        '${explanation} <a href="${location}">${location}</a>;\nyou should be redirected automatically.\n'
        "${detail}\n${html_comment}"
    )

    def __init__(
        self,
        detail: Any = None,
        headers: Any = None,
        comment: Any = None,
        body_template: str | None = None,
        location: str | None = None,
        add_slash: bool = False,
        **kw: Any,
    ) -> None:
        super().__init__(detail, headers, comment, body_template, **kw)
        if location is not None and add_slash:
            raise TypeError("You can only provide one of the arguments location and add_slash")
        if location is not None:
            self.location = location
        self.add_slash = add_slash

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request. The exception is not modified, so it can be reused for other requests."""
        answer = self.copy()
        answer.location = self._target(environ)
        return super(_HTTPMove, answer).__call__(environ, start_response)

    def _target(self, environ: "WSGIEnvironment") -> str:
        if self.location and not self.add_slash:
            return absolute_location(environ, self.location)
        url = request_uri(environ)
        if not self.add_slash:
            return url
        query = environ.get("QUERY_STRING")
        return f"{url}/?{query}" if query else f"{url}/"
