"""HTTP exceptions, which are also WSGI applications that respond with an error page.

HTTPException
├── BadRequest: BadRequestKeyError (a KeyError), ClientDisconnected, SecurityError, BadHost
└── Unauthorized ... HTTPVersionNotSupported: one for each status
"""

from antiphon.dialects.werkzeug.exceptions.base import (
    BadHost,
    BadRequest,
    BadRequestKeyError,
    ClientDisconnected,
    HTTPException,
    SecurityError,
)
from antiphon.dialects.werkzeug.exceptions.statuses import (
    Aborter,
    BadGateway,
    Conflict,
    ExpectationFailed,
    FailedDependency,
    Forbidden,
    GatewayTimeout,
    Gone,
    HTTPVersionNotSupported,
    ImATeapot,
    InternalServerError,
    LengthRequired,
    Locked,
    MethodNotAllowed,
    MisdirectedRequest,
    NotAcceptable,
    NotFound,
    NotImplemented,  # noqa: A004 - Werkzeug's name
    PreconditionFailed,
    PreconditionRequired,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    RequestTimeout,
    RequestURITooLarge,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnavailableForLegalReasons,
    UnprocessableEntity,
    UnsupportedMediaType,
    _aborter,  # noqa: F401 - packages add their exceptions to its mapping
    abort,
    default_exceptions,
)

__all__ = [
    "Aborter", "BadGateway", "BadHost", "BadRequest", "BadRequestKeyError", "ClientDisconnected", "Conflict",
    "ExpectationFailed", "FailedDependency", "Forbidden", "GatewayTimeout", "Gone", "HTTPException",
    "HTTPVersionNotSupported", "ImATeapot", "InternalServerError", "LengthRequired", "Locked", "MethodNotAllowed",
    "MisdirectedRequest", "NotAcceptable", "NotFound", "NotImplemented", "PreconditionFailed",
    "PreconditionRequired", "RequestEntityTooLarge", "RequestHeaderFieldsTooLarge", "RequestTimeout",
    "RequestURITooLarge", "RequestedRangeNotSatisfiable", "SecurityError", "ServiceUnavailable", "TooManyRequests",
    "Unauthorized", "UnavailableForLegalReasons", "UnprocessableEntity", "UnsupportedMediaType", "abort",
    "default_exceptions",
]  # fmt: skip
