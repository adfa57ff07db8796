"""Exceptions of HTTP: one class for each status. Each is a response, an exception and a WSGI application."""

import json
from collections.abc import Callable, Iterable
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar

from zope.interface import implementer

from antiphon.dialects.pyramid.interfaces import IExceptionResponse
from antiphon.dialects.pyramid.response import Response
from antiphon.dialects.webob.exc.text import no_escape
from antiphon.dialects.webob.util import html_escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OFFERS = ("text/html", "application/json")


@implementer(IExceptionResponse)
class HTTPException(Response, Exception):
    """A response that can be raised. Without a body of its own it explains itself, in a type that the client accepts.

    ``detail`` is text for the client, and ``comment`` stands in a comment of HTML; both are escaped. ``headers`` are
    added. ``body_template`` has ``${explanation}``, ``${detail}``, ``${html_comment}`` and ``${br}``, and keys of the
    environ and headers in lower case, too. ``json_formatter`` makes the value for a body in JSON, of the keywords
    status, body, title and environ. Other keywords are those of a response.
    """

    code: ClassVar[int] = 520
    """The status code."""
    title: ClassVar[str] = "Unknown Error"
    """The phrase of the status."""
    explanation: str = ""
    """The text of each body."""
    empty_body = False
    """True for a status that has no body."""

    body_template: str
    body_template_obj = Template("${explanation}${br}${br}\n${detail}\n${html_comment}\n")
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
        """Return the value of a body in JSON."""
        return {"message": body, "code": status, "title": self.title}

    # The body

    def prepare(self, environ: "WSGIEnvironment") -> None:
        """Set a body that explains the status, unless there is a body already, or must be none."""
        if self.has_body or self.empty_body:
            return
        kind = self._accepted(environ)
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

    def _accepted(self, environ: "WSGIEnvironment") -> str:
        from antiphon.dialects.webob.acceptparse import create_accept_header

        offers = create_accept_header(environ.get("HTTP_ACCEPT", "")).acceptable_offers(_OFFERS)
        return str(offers[0][0]) if offers else "text/plain"

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
            # Keys with a dot are of programs: the text of their objects may be dear, or secret.
            own = {key: value for key, value in environ.items() if "." not in key or key.startswith("wsgi.")}
            values |= {key: escape(value) for key, value in own.items()}
            values |= {name.lower(): escape(value) for name, value in self.headers.items()}
        return self.body_template_obj.substitute(values)

    # As an exception and as a WSGI application

    @property
    def wsgi_response(self) -> Any:
        """The exception itself, as what answers."""
        return self

    @property
    def exception(self) -> Any:
        """The exception itself, as what is raised."""
        return self

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request: with the body, if there is one, else with an explanation."""
        self.prepare(environ)
        return super().__call__(environ, start_response)


WSGIHTTPException = HTTPException


class HTTPError(HTTPException):
    """The base class of all 4xx and 5xx: work that was begun should not be kept."""


class HTTPRedirection(HTTPException):
    """The base class of all 3xx (RFC 9110 §15.4)."""


class HTTPSuccessful(HTTPException):
    """The base class of all 2xx (RFC 9110 §15.3)."""


class HTTPClientError(HTTPError):
    """The base class of all 4xx (RFC 9110 §15.5)."""

    code = 400
    title = "Bad Request"


class HTTPServerError(HTTPError):
    """The base class of all 5xx (RFC 9110 §15.6)."""

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


class HTTPOk(HTTPSuccessful):
    """200: the request has succeeded (RFC 9110 §15.3.1)."""

    code = 200
    title = "OK"


class HTTPCreated(HTTPSuccessful):
    """201: a resource was created (RFC 9110 §15.3.2)."""

    code = 201
    title = "Created"


class HTTPAccepted(HTTPSuccessful):
    """202: the request is accepted, and its work not done yet (RFC 9110 §15.3.3)."""

    code = 202
    title = "Accepted"
    explanation = "The request is accepted for processing."


class HTTPNonAuthoritativeInformation(HTTPSuccessful):
    """203: the content is that of another server, and was changed (RFC 9110 §15.3.4)."""

    code = 203
    title = "Non-Authoritative Information"


class HTTPNoContent(HTTPSuccessful):
    """204: the request is done, and there is no content (RFC 9110 §15.3.5)."""

    code = 204
    title = "No Content"
    empty_body = True


class HTTPResetContent(HTTPSuccessful):
    """205: the request is done, and the client should reset its form (RFC 9110 §15.3.6)."""

    code = 205
    title = "Reset Content"
    empty_body = True


class HTTPPartialContent(HTTPSuccessful):
    """206: a part of the resource (RFC 9110 §15.3.7)."""

    code = 206
    title = "Partial Content"


class HTTPMultipleChoices(_HTTPMove):
    """300: the resource has several representations (RFC 9110 §15.4.1)."""

    code = 300
    title = "Multiple Choices"


class HTTPMovedPermanently(_HTTPMove):
    """301: the resource has another URL for good (RFC 9110 §15.4.2)."""

    code = 301
    title = "Moved Permanently"


class HTTPFound(_HTTPMove):
    """302: the resource is at another URL for now (RFC 9110 §15.4.3)."""

    code = 302
    title = "Found"
    explanation = "The resource was found at"


class HTTPSeeOther(_HTTPMove):
    """303: another URL answers the request, by GET (RFC 9110 §15.4.4)."""

    code = 303
    title = "See Other"


class HTTPUseProxy(_HTTPMove):
    """305: the resource is behind a proxy; deprecated (RFC 9110 §15.4.6)."""

    code = 305
    title = "Use Proxy"
    explanation = "The resource must be accessed through a proxy located at"


class HTTPTemporaryRedirect(_HTTPMove):
    """307: the request is to be sent to another URL, for now (RFC 9110 §15.4.8)."""

    code = 307
    title = "Temporary Redirect"


class HTTPPermanentRedirect(_HTTPMove):
    """308: the request is to be sent to another URL, for good (RFC 9110 §15.4.9)."""

    code = 308
    title = "Permanent Redirect"


class HTTPNotModified(HTTPRedirection):
    """304: the client has the current version (RFC 9110 §15.4.5)."""

    code = 304
    title = "Not Modified"
    empty_body = True


class HTTPBadRequest(HTTPClientError):
    """400: the request is malformed (RFC 9110 §15.5.1)."""

    explanation = "The server could not comply with the request since it is either malformed or otherwise incorrect."


class HTTPUnauthorized(HTTPClientError):
    """401: credentials are missing or wrong (RFC 9110 §15.5.2)."""

    code = 401
    title = "Unauthorized"
    explanation = (
        "This server could not verify that you are authorized to access the document you requested.  Either "
        "you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to "
        "supply the credentials required."
    )


class HTTPPaymentRequired(HTTPClientError):
    """402: somebody has to pay first (RFC 9110 §15.5.3)."""

    code = 402
    title = "Payment Required"
    explanation = "Access was denied for financial reasons."


class HTTPForbidden(HTTPClientError):
    """403: the request is understood and refused (RFC 9110 §15.5.4). ``result`` is the policy's reason."""

    code = 403
    title = "Forbidden"
    explanation = "Access was denied to this resource."

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


class HTTPNotFound(HTTPClientError):
    """404: the resource does not exist (RFC 9110 §15.5.5)."""

    code = 404
    title = "Not Found"
    explanation = "The resource could not be found."


class HTTPMethodNotAllowed(HTTPClientError):
    """405: the resource does not know the method (RFC 9110 §15.5.6)."""

    code = 405
    title = "Method Not Allowed"
    body_template_obj = Template("The method ${REQUEST_METHOD} is not allowed for this resource. ${br}${br}\n${detail}")


class HTTPNotAcceptable(HTTPClientError):
    """406: there is no representation that the client accepts (RFC 9110 §15.5.7)."""

    code = 406
    title = "Not Acceptable"


class HTTPProxyAuthenticationRequired(HTTPClientError):
    """407: a proxy needs credentials (RFC 9110 §15.5.8)."""

    code = 407
    title = "Proxy Authentication Required"
    explanation = "Authentication with a local proxy is needed."


class HTTPRequestTimeout(HTTPClientError):
    """408: the request did not arrive in time (RFC 9110 §15.5.9)."""

    code = 408
    title = "Request Timeout"
    explanation = "The server has waited too long for the request to be sent by the client."


class HTTPConflict(HTTPClientError):
    """409: the request contradicts the state of the resource (RFC 9110 §15.5.10)."""

    code = 409
    title = "Conflict"
    explanation = "There was a conflict when trying to complete your request."


class HTTPGone(HTTPClientError):
    """410: the resource existed, and exists no more (RFC 9110 §15.5.11)."""

    code = 410
    title = "Gone"
    explanation = "This resource is no longer available.  No forwarding address is given."


class HTTPLengthRequired(HTTPClientError):
    """411: the request needs a Content-Length (RFC 9110 §15.5.12)."""

    code = 411
    title = "Length Required"
    explanation = "Content-Length header required."


class HTTPPreconditionFailed(HTTPClientError):
    """412: a condition of the request is false (RFC 9110 §15.5.13)."""

    code = 412
    title = "Precondition Failed"
    explanation = "Request precondition failed."


class HTTPRequestEntityTooLarge(HTTPClientError):
    """413: the body is too large (RFC 9110 §15.5.14)."""

    code = 413
    title = "Request Entity Too Large"
    explanation = "The body of your request was too large for this server."


class HTTPRequestURITooLong(HTTPClientError):
    """414: the URL is too long (RFC 9110 §15.5.15)."""

    code = 414
    title = "Request-URI Too Long"
    explanation = "The request URI was too long for this server."


class HTTPUnsupportedMediaType(HTTPClientError):
    """415: the resource does not take this media type (RFC 9110 §15.5.16)."""

    code = 415
    title = "Unsupported Media Type"


class HTTPRequestRangeNotSatisfiable(HTTPClientError):
    """416: the resource has no byte of the range (RFC 9110 §15.5.17)."""

    code = 416
    title = "Request Range Not Satisfiable"
    explanation = "The Range requested is not available."


class HTTPExpectationFailed(HTTPClientError):
    """417: the expectation of the request can't be met (RFC 9110 §15.5.18)."""

    code = 417
    title = "Expectation Failed"
    explanation = "Expectation failed."


class HTTPImATeapot(HTTPClientError):
    """418: the server has a joke (RFC 2324 §2.3.2)."""

    code = 418
    title = "I'm a teapot"
    explanation = "Refusing to brew coffee because I'm a teapot."


class HTTPUnprocessableEntity(HTTPClientError):
    """422: the body is well-formed, and makes no sense (RFC 9110 §15.5.21)."""

    code = 422
    title = "Unprocessable Entity"
    explanation = "Unable to process the contained instructions"


class HTTPLocked(HTTPClientError):
    """423: the resource is locked (RFC 4918 §11.3)."""

    code = 423
    title = "Locked"
    explanation = "The resource is locked"


class HTTPFailedDependency(HTTPClientError):
    """424: another action failed on which this one depends (RFC 4918 §11.4)."""

    code = 424
    title = "Failed Dependency"
    explanation = (
        "The method could not be performed because the requested action dependended on another action and "
        "that action failed"
    )


class HTTPPreconditionRequired(HTTPClientError):
    """428: the request needs a condition (RFC 6585 §3)."""

    code = 428
    title = "Precondition Required"
    explanation = "The origin server requires the request to be conditional."


class HTTPTooManyRequests(HTTPClientError):
    """429: the client has sent too many requests (RFC 6585 §4)."""

    code = 429
    title = "Too Many Requests"
    explanation = "The action could not be performed because there were too many requests by the client."


class HTTPRequestHeaderFieldsTooLarge(HTTPClientError):
    """431: the headers are too large (RFC 6585 §5)."""

    code = 431
    title = "Request Header Fields Too Large"
    explanation = "The requests header fields were too large."


class HTTPInternalServerError(HTTPServerError):
    """500: the server has failed (RFC 9110 §15.6.1)."""

    explanation = "The server has either erred or is incapable of performing the requested operation."


class HTTPNotImplemented(HTTPServerError):
    """501: the server does not know the method (RFC 9110 §15.6.2)."""

    code = 501
    title = "Not Implemented"


class HTTPBadGateway(HTTPServerError):
    """502: the server behind this one answers wrongly (RFC 9110 §15.6.3)."""

    code = 502
    title = "Bad Gateway"
    explanation = "Bad gateway."


class HTTPServiceUnavailable(HTTPServerError):
    """503: the server can't answer for now (RFC 9110 §15.6.4)."""

    code = 503
    title = "Service Unavailable"
    explanation = "The server is currently unavailable. Please try again at a later time."


class HTTPGatewayTimeout(HTTPServerError):
    """504: the server behind this one does not answer in time (RFC 9110 §15.6.5)."""

    code = 504
    title = "Gateway Timeout"
    explanation = "The gateway has timed out."


class HTTPVersionNotSupported(HTTPServerError):
    """505: the server does not know this version of HTTP (RFC 9110 §15.6.6)."""

    code = 505
    title = "HTTP Version Not Supported"
    explanation = "The HTTP version is not supported."


class HTTPInsufficientStorage(HTTPServerError):
    """507: the server has no space left (RFC 4918 §11.5)."""

    code = 507
    title = "Insufficient Storage"
    explanation = "There was not enough space to save the resource"


def _classes(cls: type[HTTPException]) -> list[type[HTTPException]]:
    return [cls, *[each for below in cls.__subclasses__() for each in _classes(below)]]


_BASES = (HTTPException, HTTPError, HTTPRedirection, HTTPSuccessful, HTTPClientError, HTTPServerError, _HTTPMove)

status_map: dict[int, type[HTTPException]] = {cls.code: cls for cls in _classes(HTTPException) if cls not in _BASES}
"""The class of each status code."""


def exception_response(status_code: int, **kw: Any) -> HTTPException:
    """Return an exception of the class for a status. Raises KeyError for a status that has none."""
    return status_map[status_code](**kw)


def default_exceptionresponse_view(context: Any, request: Any) -> Any:
    """Return the exception itself as the response."""
    return context if isinstance(context, Exception) else request.exception or context
