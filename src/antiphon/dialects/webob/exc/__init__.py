"""Exceptions of HTTP: one class for each status. Each is a response, an exception and a WSGI application."""

from antiphon.dialects.webob.exc.base import (
    HTTPClientError,
    HTTPError,
    HTTPException,
    HTTPOk,
    HTTPRedirection,
    HTTPServerError,
    WSGIHTTPException,
)
from antiphon.dialects.webob.exc.client_errors import (
    HTTPBadRequest,
    HTTPConflict,
    HTTPExpectationFailed,
    HTTPFailedDependency,
    HTTPForbidden,
    HTTPGone,
    HTTPLengthRequired,
    HTTPLocked,
    HTTPMethodNotAllowed,
    HTTPNotAcceptable,
    HTTPNotFound,
    HTTPPaymentRequired,
    HTTPPreconditionFailed,
    HTTPPreconditionRequired,
    HTTPProxyAuthenticationRequired,
    HTTPRequestEntityTooLarge,
    HTTPRequestHeaderFieldsTooLarge,
    HTTPRequestRangeNotSatisfiable,
    HTTPRequestTimeout,
    HTTPRequestURITooLong,
    HTTPTooManyRequests,
    HTTPUnauthorized,
    HTTPUnavailableForLegalReasons,
    HTTPUnprocessableEntity,
    HTTPUnsupportedMediaType,
)
from antiphon.dialects.webob.exc.middleware import HTTPExceptionMiddleware
from antiphon.dialects.webob.exc.move import _HTTPMove
from antiphon.dialects.webob.exc.redirection import (
    HTTPFound,
    HTTPMovedPermanently,
    HTTPMultipleChoices,
    HTTPNotModified,
    HTTPPermanentRedirect,
    HTTPSeeOther,
    HTTPTemporaryRedirect,
    HTTPUseProxy,
)
from antiphon.dialects.webob.exc.server_errors import (
    HTTPBadGateway,
    HTTPGatewayTimeout,
    HTTPInsufficientStorage,
    HTTPInternalServerError,
    HTTPNetworkAuthenticationRequired,
    HTTPNotImplemented,
    HTTPServiceUnavailable,
    HTTPVersionNotSupported,
)
from antiphon.dialects.webob.exc.success import (
    HTTPAccepted,
    HTTPCreated,
    HTTPNoContent,
    HTTPNonAuthoritativeInformation,
    HTTPPartialContent,
    HTTPResetContent,
)
from antiphon.dialects.webob.exc.text import no_escape, strip_tags  # noqa: F401 - no part of `import *`
from antiphon.dialects.webob.util import html_escape  # noqa: F401

__all__ = [
    "HTTPAccepted",
    "HTTPBadGateway",
    "HTTPBadRequest",
    "HTTPClientError",
    "HTTPConflict",
    "HTTPCreated",
    "HTTPError",
    "HTTPException",
    "HTTPExceptionMiddleware",
    "HTTPExpectationFailed",
    "HTTPFailedDependency",
    "HTTPForbidden",
    "HTTPFound",
    "HTTPGatewayTimeout",
    "HTTPGone",
    "HTTPInsufficientStorage",
    "HTTPInternalServerError",
    "HTTPLengthRequired",
    "HTTPLocked",
    "HTTPMethodNotAllowed",
    "HTTPMovedPermanently",
    "HTTPMultipleChoices",
    "HTTPNetworkAuthenticationRequired",
    "HTTPNoContent",
    "HTTPNonAuthoritativeInformation",
    "HTTPNotAcceptable",
    "HTTPNotFound",
    "HTTPNotImplemented",
    "HTTPNotModified",
    "HTTPOk",
    "HTTPPartialContent",
    "HTTPPaymentRequired",
    "HTTPPermanentRedirect",
    "HTTPPreconditionFailed",
    "HTTPPreconditionRequired",
    "HTTPProxyAuthenticationRequired",
    "HTTPRedirection",
    "HTTPRequestEntityTooLarge",
    "HTTPRequestHeaderFieldsTooLarge",
    "HTTPRequestRangeNotSatisfiable",
    "HTTPRequestTimeout",
    "HTTPRequestURITooLong",
    "HTTPResetContent",
    "HTTPSeeOther",
    "HTTPServerError",
    "HTTPServiceUnavailable",
    "HTTPTemporaryRedirect",
    "HTTPTooManyRequests",
    "HTTPUnauthorized",
    "HTTPUnavailableForLegalReasons",
    "HTTPUnprocessableEntity",
    "HTTPUnsupportedMediaType",
    "HTTPUseProxy",
    "HTTPVersionNotSupported",
    "WSGIHTTPException",
    "status_map",
]

_BASES = (HTTPClientError, HTTPException, HTTPRedirection, HTTPServerError, WSGIHTTPException)


def _classes(cls: type[WSGIHTTPException]) -> list[type[WSGIHTTPException]]:
    return [cls, *[each for below in cls.__subclasses__() for each in _classes(below)]]


status_map: dict[int, type[WSGIHTTPException]] = {
    cls.code: cls for cls in _classes(WSGIHTTPException) if cls not in (*_BASES, HTTPError, _HTTPMove)
}
"""The class of each status code."""
