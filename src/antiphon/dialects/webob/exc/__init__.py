"""HTTP exceptions: a class for each status, which is a response, an exception and a WSGI application."""

import sys
from collections.abc import Iterable
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob.exc.base import (
    HTTPClientError,
    HTTPError,
    HTTPException,
    HTTPOk,
    HTTPRedirection,
    HTTPServerError,
    WSGIHTTPException,
    _HTTPMove,
    no_escape,  # noqa: F401 - not exported by `import *`
    strip_tags,  # noqa: F401
)
from antiphon.dialects.webob.exc.statuses import (
    HTTPAccepted,
    HTTPBadGateway,
    HTTPBadRequest,
    HTTPConflict,
    HTTPCreated,
    HTTPExpectationFailed,
    HTTPFailedDependency,
    HTTPForbidden,
    HTTPFound,
    HTTPGatewayTimeout,
    HTTPGone,
    HTTPInsufficientStorage,
    HTTPInternalServerError,
    HTTPLengthRequired,
    HTTPLocked,
    HTTPMethodNotAllowed,
    HTTPMovedPermanently,
    HTTPMultipleChoices,
    HTTPNetworkAuthenticationRequired,
    HTTPNoContent,
    HTTPNonAuthoritativeInformation,
    HTTPNotAcceptable,
    HTTPNotFound,
    HTTPNotImplemented,
    HTTPNotModified,
    HTTPPartialContent,
    HTTPPaymentRequired,
    HTTPPermanentRedirect,
    HTTPPreconditionFailed,
    HTTPPreconditionRequired,
    HTTPProxyAuthenticationRequired,
    HTTPRequestEntityTooLarge,
    HTTPRequestHeaderFieldsTooLarge,
    HTTPRequestRangeNotSatisfiable,
    HTTPRequestTimeout,
    HTTPRequestURITooLong,
    HTTPResetContent,
    HTTPSeeOther,
    HTTPServiceUnavailable,
    HTTPTemporaryRedirect,
    HTTPTooManyRequests,
    HTTPUnauthorized,
    HTTPUnavailableForLegalReasons,
    HTTPUnprocessableEntity,
    HTTPUnsupportedMediaType,
    HTTPUseProxy,
    HTTPVersionNotSupported,
)
from antiphon.dialects.webob.headers import Lines
from antiphon.dialects.webob.util import html_escape  # noqa: F401

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class HTTPExceptionMiddleware:
    """Middleware that sends the HTTP exceptions that a WSGI application raises as responses.

    Exceptions raised while the body is sent are passed on, since the head has already been sent.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return self.application(environ, start_response)
        except HTTPException as raised:
            raised_here = sys.exc_info()

            def start(status: str, headers: Lines, exc_info: Any = None) -> Any:
                return start_response(status, headers, exc_info or raised_here)

            return raised(environ, start)


__all__ = [
    "HTTPAccepted", "HTTPBadGateway", "HTTPBadRequest", "HTTPClientError", "HTTPConflict", "HTTPCreated",
    "HTTPError", "HTTPException", "HTTPExceptionMiddleware", "HTTPExpectationFailed", "HTTPFailedDependency",
    "HTTPForbidden", "HTTPFound", "HTTPGatewayTimeout", "HTTPGone", "HTTPInsufficientStorage",
    "HTTPInternalServerError", "HTTPLengthRequired", "HTTPLocked", "HTTPMethodNotAllowed", "HTTPMovedPermanently",
    "HTTPMultipleChoices", "HTTPNetworkAuthenticationRequired", "HTTPNoContent", "HTTPNonAuthoritativeInformation",
    "HTTPNotAcceptable", "HTTPNotFound", "HTTPNotImplemented", "HTTPNotModified", "HTTPOk", "HTTPPartialContent",
    "HTTPPaymentRequired", "HTTPPermanentRedirect", "HTTPPreconditionFailed", "HTTPPreconditionRequired",
    "HTTPProxyAuthenticationRequired", "HTTPRedirection", "HTTPRequestEntityTooLarge",
    "HTTPRequestHeaderFieldsTooLarge", "HTTPRequestRangeNotSatisfiable", "HTTPRequestTimeout",
    "HTTPRequestURITooLong", "HTTPResetContent", "HTTPSeeOther", "HTTPServerError", "HTTPServiceUnavailable",
    "HTTPTemporaryRedirect", "HTTPTooManyRequests", "HTTPUnauthorized", "HTTPUnavailableForLegalReasons",
    "HTTPUnprocessableEntity", "HTTPUnsupportedMediaType", "HTTPUseProxy", "HTTPVersionNotSupported",
    "WSGIHTTPException", "status_map",
]  # fmt: skip

_BASES = (HTTPClientError, HTTPException, HTTPRedirection, HTTPServerError, WSGIHTTPException)


def _classes(cls: type[WSGIHTTPException]) -> list[type[WSGIHTTPException]]:
    return [cls, *[each for below in cls.__subclasses__() for each in _classes(below)]]


status_map: dict[int, type[WSGIHTTPException]] = {
    cls.code: cls for cls in _classes(WSGIHTTPException) if cls not in (*_BASES, HTTPError, _HTTPMove)
}
"""The exception class for each status code."""


class MalformedForm(HTTPBadRequest, ValueError):
    """Raised for a form that can't be parsed (400)."""


class MalformedJSON(JSONDecodeError, HTTPBadRequest):
    """Raised for a body that is not JSON (400)."""

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        JSONDecodeError.__init__(self, reason, text, position)
        self._reason = JSONDecodeError.__str__(self)
        HTTPBadRequest.__init__(self, f"The body is not JSON: {self._reason}")

    def __str__(self, detailed: bool = False, /) -> str:
        return self._reason  # as of the json module, which programs show


class MalformedText(UnicodeDecodeError, HTTPBadRequest):
    """Raised for a path, query or body that is not valid text in its charset (400)."""

    def __init__(self, encoding: str, data: bytes, start: int, end: int, reason: str) -> None:
        UnicodeDecodeError.__init__(self, encoding, data, start, end, reason)
        HTTPBadRequest.__init__(self, UnicodeDecodeError.__str__(self))


def decode_text(data: bytes, codec: str) -> str:
    """Decode a request's bytes. Raises MalformedText if they are invalid."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise MalformedText(error.encoding, error.object, error.start, error.end, error.reason) from None
