"""HTTP exceptions, one class for each status. Each is a response, an exception and a WSGI application."""

import json
from collections.abc import Callable, Iterable
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from zope.interface import implementer

from antiphon.dialects.pyramid.interfaces import IExceptionResponse
from antiphon.dialects.pyramid.response import Response
from antiphon.dialects.webob import exc
from antiphon.dialects.webob.exc.base import accepted_type, no_escape
from antiphon.dialects.webob.util import html_escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

E = TypeVar("E", bound="HTTPException")


@implementer(IExceptionResponse)
class HTTPException(Response, Exception):
    """A response that can be raised.

    Unless it has a body, it explains the error in a media type that the client accepts.

    ``detail`` is text for the client, and ``comment`` becomes an HTML comment; both are escaped. ``headers`` are added
    to the response. ``body_template`` may use ``${explanation}``, ``${detail}``, ``${html_comment}``, ``${br}``,
    environ keys, and header names in lowercase. ``json_formatter`` receives the keywords status, body, title and
    environ, and returns the value for a JSON body. Other keywords are passed to the response.
    """

    code: ClassVar[int] = 520
    """The status code."""
    title: ClassVar[str] = "Unknown Error"
    """The status's reason phrase."""
    explanation: str = ""
    """The template of each body."""
    empty_body = False
    """True for a status that allows no body."""

    body_template: str
    body_template_obj = Template("${explanation}${br}${br}\n${detail}\n${html_comment}\n")
    plain_template_obj = exc.WSGIHTTPException.plain_template_obj
    html_template_obj = exc.WSGIHTTPException.html_template_obj

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
        self.detail = self.message = detail
        self.comment = comment
        if headers:
            self.headers.extend(headers)
        if body_template is not None:
            self.body_template = body_template
            self.body_template_obj = Template(body_template)
        if json_formatter is not None:
            self._json_formatter = json_formatter  # type: ignore[method-assign]
        if self.empty_body:
            del self.content_type
            del self.content_length

    def __str__(self, skip_body: bool = False) -> str:
        return str(self.detail) if self.detail else self.explanation

    def _json_formatter(self, status: str, body: str, title: str, environ: "WSGIEnvironment") -> Any:  # noqa: ARG002
        return {"message": body, "code": status, "title": self.title}

    # The body

    def prepare(self, environ: "WSGIEnvironment") -> None:
        """Set a body that explains the status, unless there already is one or none is allowed."""
        if self.has_body or self.empty_body:
            return
        kind = accepted_type(environ.get("HTTP_ACCEPT", ""))
        self.content_type = kind
        if kind == "application/json":
            self.charset = None
        is_html = kind == "text/html"
        text = self._explained(environ, html_escape if is_html else no_escape, "<br/>" if is_html else "\n")
        if kind == "application/json":
            value = self._json_formatter(status=self.status, body=text, title=self.title, environ=environ)
            page = json.dumps(value)
        else:
            template = self.html_template_obj if is_html else self.plain_template_obj
            page = template.substitute(status=self.status, body=text)
        self.body = page.encode(self.charset or "UTF-8")

    def _explained(self, environ: "WSGIEnvironment", escape: Callable[[Any], str], br: str) -> str:
        comment = escape(self.comment or "")
        values = {
            "br": br,
            "explanation": escape(self.explanation),
            "detail": escape(self.detail or ""),
            "comment": comment,
            "html_comment": f"<!-- {comment} -->" if comment and br != "\n" else comment,
        }
        if self.body_template_obj is not HTTPException.body_template_obj:
            # Keys with a dot belong to programs. Formatting such objects may be expensive or reveal secrets.
            own = {key: value for key, value in environ.items() if "." not in key or key.startswith("wsgi.")}
            values |= {key: escape(value) for key, value in own.items()}
            values |= {name.lower(): escape(value) for name, value in self.headers.items()}
        return self.body_template_obj.substitute(values)

    # As an exception and as a WSGI application

    @property
    def wsgi_response(self) -> Any:
        return self

    @property
    def exception(self) -> Any:
        return self

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request by sending the body or, without one, an explanation."""
        self.prepare(environ)
        return super().__call__(environ, start_response)


WSGIHTTPException = HTTPException


class HTTPError(HTTPException):
    """The base class for 4xx and 5xx errors, after which work in progress should be rolled back."""


class HTTPRedirection(HTTPException):
    """The base class for 3xx responses (RFC 9110 §15.4)."""


class HTTPSuccessful(HTTPException):
    """The base class for 2xx responses (RFC 9110 §15.3)."""


class HTTPClientError(HTTPError):
    """The base class for 4xx responses (RFC 9110 §15.5)."""

    code = 400
    title = "Bad Request"


class HTTPServerError(HTTPError):
    """The base class for 5xx responses (RFC 9110 §15.6)."""

    code = 500
    title = "Internal Server Error"


class _HTTPMove(HTTPRedirection):
    """A redirect to ``location``, a URL reference. Raises ValueError for None."""

    explanation = "The resource has been moved to"
    body_template_obj = Template(
        "${explanation} ${location}; you should be redirected automatically.\n${detail}\n${html_comment}"
    )

    def __init__(
        self,
        location: str = "",
        detail: Any = None,
        headers: Any = None,
        comment: Any = None,
        body_template: str | None = None,
        **kw: Any,
    ) -> None:
        if location is None:
            raise ValueError("HTTP redirects need a location to redirect to.")
        super().__init__(detail, headers, comment, body_template, location=location, **kw)


def _as_in_webob(cls: type[E]) -> type[E]:
    """Copy whatever a class lacks from WebOb's exception of the same name: code, title, explanation and docstring."""
    for name in ("code", "title", "explanation", "empty_body", "__doc__"):
        if cls.__dict__.get(name) is None:
            setattr(cls, name, getattr(getattr(exc, cls.__name__), name))
    return cls


@_as_in_webob
class HTTPOk(HTTPSuccessful):
    """200: the request has succeeded (RFC 9110 §15.3.1)."""


@_as_in_webob
class HTTPCreated(HTTPSuccessful):
    pass


@_as_in_webob
class HTTPAccepted(HTTPSuccessful):
    pass


@_as_in_webob
class HTTPNonAuthoritativeInformation(HTTPSuccessful):
    pass


@_as_in_webob
class HTTPNoContent(HTTPSuccessful):
    pass


@_as_in_webob
class HTTPResetContent(HTTPSuccessful):
    pass


@_as_in_webob
class HTTPPartialContent(HTTPSuccessful):
    pass


@_as_in_webob
class HTTPMultipleChoices(_HTTPMove):
    pass


@_as_in_webob
class HTTPMovedPermanently(_HTTPMove):
    pass


@_as_in_webob
class HTTPFound(_HTTPMove):
    pass


@_as_in_webob
class HTTPSeeOther(_HTTPMove):
    pass


@_as_in_webob
class HTTPUseProxy(_HTTPMove):
    pass


@_as_in_webob
class HTTPTemporaryRedirect(_HTTPMove):
    pass


@_as_in_webob
class HTTPPermanentRedirect(_HTTPMove):
    pass


@_as_in_webob
class HTTPNotModified(HTTPRedirection):
    pass


@_as_in_webob
class HTTPBadRequest(HTTPClientError):
    pass


@_as_in_webob
class HTTPUnauthorized(HTTPClientError):
    explanation = exc.HTTPUnauthorized.explanation.replace("requested. ", "requested.  ")


@_as_in_webob
class HTTPPaymentRequired(HTTPClientError):
    pass


@_as_in_webob
class HTTPForbidden(HTTPClientError):
    """403: the request is understood but refused (RFC 9110 §15.5.4). ``result`` is the policy's reason."""

    def __init__(
        self,
        detail: Any = None,
        headers: Any = None,
        comment: Any = None,
        body_template: str | None = None,
        result: Any = None,
        **kw: Any,
    ) -> None:
        super().__init__(detail, headers, comment, body_template, **kw)
        self.result = result


@_as_in_webob
class HTTPNotFound(HTTPClientError):
    pass


@_as_in_webob
class HTTPMethodNotAllowed(HTTPClientError):
    explanation = ""
    body_template_obj = Template("The method ${REQUEST_METHOD} is not allowed for this resource. ${br}${br}\n${detail}")


@_as_in_webob
class HTTPNotAcceptable(HTTPClientError):
    explanation = ""


@_as_in_webob
class HTTPProxyAuthenticationRequired(HTTPClientError):
    pass


@_as_in_webob
class HTTPRequestTimeout(HTTPClientError):
    pass


@_as_in_webob
class HTTPConflict(HTTPClientError):
    pass


@_as_in_webob
class HTTPGone(HTTPClientError):
    explanation = exc.HTTPGone.explanation.replace(". ", ".  ")


@_as_in_webob
class HTTPLengthRequired(HTTPClientError):
    pass


@_as_in_webob
class HTTPPreconditionFailed(HTTPClientError):
    pass


@_as_in_webob
class HTTPRequestEntityTooLarge(HTTPClientError):
    pass


@_as_in_webob
class HTTPRequestURITooLong(HTTPClientError):
    pass


@_as_in_webob
class HTTPUnsupportedMediaType(HTTPClientError):
    explanation = ""


@_as_in_webob
class HTTPRequestRangeNotSatisfiable(HTTPClientError):
    pass


@_as_in_webob
class HTTPExpectationFailed(HTTPClientError):
    pass


class HTTPImATeapot(HTTPClientError):
    """418: the server is a teapot (RFC 2324 §2.3.2)."""

    code = 418
    title = "I'm a teapot"
    explanation = "Refusing to brew coffee because I'm a teapot."


@_as_in_webob
class HTTPUnprocessableEntity(HTTPClientError):
    pass


@_as_in_webob
class HTTPLocked(HTTPClientError):
    pass


@_as_in_webob
class HTTPFailedDependency(HTTPClientError):
    pass


@_as_in_webob
class HTTPPreconditionRequired(HTTPClientError):
    explanation = "The origin server requires the request to be conditional."


@_as_in_webob
class HTTPTooManyRequests(HTTPClientError):
    explanation = "The action could not be performed because there were too many requests by the client."


@_as_in_webob
class HTTPRequestHeaderFieldsTooLarge(HTTPClientError):
    explanation = "The requests header fields were too large."


@_as_in_webob
class HTTPInternalServerError(HTTPServerError):
    pass


@_as_in_webob
class HTTPNotImplemented(HTTPServerError):
    explanation = ""


@_as_in_webob
class HTTPBadGateway(HTTPServerError):
    pass


@_as_in_webob
class HTTPServiceUnavailable(HTTPServerError):
    pass


@_as_in_webob
class HTTPGatewayTimeout(HTTPServerError):
    pass


@_as_in_webob
class HTTPVersionNotSupported(HTTPServerError):
    pass


@_as_in_webob
class HTTPInsufficientStorage(HTTPServerError):
    pass


def _classes(cls: type[HTTPException]) -> list[type[HTTPException]]:
    return [cls, *[each for below in cls.__subclasses__() for each in _classes(below)]]


_BASES = (HTTPException, HTTPError, HTTPRedirection, HTTPSuccessful, HTTPClientError, HTTPServerError, _HTTPMove)

status_map: dict[int, type[HTTPException]] = {cls.code: cls for cls in _classes(HTTPException) if cls not in _BASES}
"""The class for each status code."""


def exception_response(status_code: int, **kw: Any) -> HTTPException:
    """Return an exception for a status. Raises KeyError for a status without an exception class."""
    return status_map[status_code](**kw)


def default_exceptionresponse_view(context: Any, request: Any) -> Any:
    """Return the exception itself as the response."""
    return context if isinstance(context, Exception) else request.exception or context
