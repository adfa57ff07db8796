"""HTTP exceptions: errors to raise, which are WSGI applications that answer with an error page.

HTTPException
├── BadRequest: BadRequestKeyError (a KeyError), ClientDisconnected, SecurityError, BadHost
└── Unauthorized ... HTTPVersionNotSupported: one for each status
"""

from antiphon.dialects.werkzeug.exceptions.aborter import (
    Aborter,
    abort,
    default_exceptions,
)
from antiphon.dialects.werkzeug.exceptions.bad_request import (
    BadHost,
    BadRequest,
    BadRequestKeyError,
    ClientDisconnected,
    SecurityError,
)
from antiphon.dialects.werkzeug.exceptions.client_errors import (
    Conflict,
    ExpectationFailed,
    FailedDependency,
    Forbidden,
    Gone,
    ImATeapot,
    LengthRequired,
    Locked,
    MethodNotAllowed,
    MisdirectedRequest,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    RequestTimeout,
    RequestURITooLarge,
    TooManyRequests,
    Unauthorized,
    UnavailableForLegalReasons,
    UnprocessableEntity,
    UnsupportedMediaType,
)
from antiphon.dialects.werkzeug.exceptions.http_exception import (
    HTTPException,
)
from antiphon.dialects.werkzeug.exceptions.server_errors import (
    BadGateway,
    GatewayTimeout,
    HTTPVersionNotSupported,
    InternalServerError,
    NotImplemented,  # noqa: A004 - Werkzeug's word
    ServiceUnavailable,
)

__all__ = [
    "Aborter",
    "BadGateway",
    "BadHost",
    "BadRequest",
    "BadRequestKeyError",
    "ClientDisconnected",
    "Conflict",
    "ExpectationFailed",
    "FailedDependency",
    "Forbidden",
    "GatewayTimeout",
    "Gone",
    "HTTPException",
    "HTTPVersionNotSupported",
    "ImATeapot",
    "InternalServerError",
    "LengthRequired",
    "Locked",
    "MethodNotAllowed",
    "MisdirectedRequest",
    "NotAcceptable",
    "NotFound",
    "NotImplemented",
    "PreconditionFailed",
    "PreconditionRequired",
    "RequestEntityTooLarge",
    "RequestHeaderFieldsTooLarge",
    "RequestTimeout",
    "RequestURITooLarge",
    "RequestedRangeNotSatisfiable",
    "SecurityError",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnavailableForLegalReasons",
    "UnprocessableEntity",
    "UnsupportedMediaType",
    "abort",
    "default_exceptions",
]
