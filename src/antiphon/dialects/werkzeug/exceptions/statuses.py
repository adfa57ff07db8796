"""The exceptions for the 4xx statuses, except 400, and the 5xx statuses (RFC 9110 §15.5, §15.6), and ``abort``."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon.dialects._environ.heads import head_error
from antiphon.dialects.werkzeug.exceptions.base import BadRequest, HTTPException, RetryAfterException

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.datastructures.auth import WWWAuthenticate
    from antiphon.dialects.werkzeug.wrappers.response import Response


class Unauthorized(HTTPException):
    """401: credentials are missing or wrong (RFC 9110 §15.5.2). ``www_authenticate`` is one challenge or several."""

    code = 401
    description = (
        "The server could not verify that you are authorized to access the URL requested. You either supplied the "
        "wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials "
        "required."
    )

    def __init__(
        self,
        description: str | None = None,
        response: "Response | None" = None,
        www_authenticate: "WWWAuthenticate | Iterable[WWWAuthenticate] | None" = None,
    ) -> None:
        super().__init__(description, response)
        is_single = hasattr(www_authenticate, "to_header")
        self.www_authenticate: Any = (www_authenticate,) if is_single else www_authenticate

    def get_headers(
        self, environ: "WSGIEnvironment | None" = None, scope: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the page's headers, including a WWW-Authenticate for each challenge."""
        challenges = [("WWW-Authenticate", str(each)) for each in self.www_authenticate or ()]
        return super().get_headers(environ, scope) + challenges


class Forbidden(HTTPException):
    """403: the server understood the request but refuses it (RFC 9110 §15.5.4)."""

    code = 403
    description = (
        "You don't have the permission to access the requested resource. It is either read-protected or not readable "
        "by the server."
    )


class NotFound(HTTPException):
    """404: the resource does not exist (RFC 9110 §15.5.5)."""

    code = 404
    description = (
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling "
        "and try again."
    )


class MethodNotAllowed(HTTPException):
    """405: the resource does not support this method (RFC 9110 §15.5.6). ``valid_methods`` are sent in Allow."""

    code = 405
    description = "The method is not allowed for the requested URL."

    def __init__(
        self,
        valid_methods: Iterable[str] | None = None,
        description: str | None = None,
        response: "Response | None" = None,
    ) -> None:
        super().__init__(description, response)
        self.valid_methods = valid_methods

    def get_headers(
        self, environ: "WSGIEnvironment | None" = None, scope: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the page's headers, including Allow."""
        allow = [("Allow", ", ".join(self.valid_methods))] if self.valid_methods else []
        return super().get_headers(environ, scope) + allow


class NotAcceptable(HTTPException):
    """406: no representation is acceptable to the client (RFC 9110 §15.5.7)."""

    code = 406
    description = (
        "The resource identified by the request is only capable of generating response entities which have content "
        "characteristics not acceptable according to the accept headers sent in the request."
    )


class RequestTimeout(HTTPException):
    """408: the request did not arrive in time (RFC 9110 §15.5.9)."""

    code = 408
    description = (
        "The server closed the network connection because the browser didn't finish the request within the specified "
        "time."
    )


class Conflict(HTTPException):
    """409: the request conflicts with the resource's current state (RFC 9110 §15.5.10)."""

    code = 409
    description = (
        "A conflict happened while processing the request. The resource might have been modified while the request "
        "was being processed."
    )


class Gone(HTTPException):
    """410: the resource is permanently gone (RFC 9110 §15.5.11)."""

    code = 410
    description = (
        "The requested URL is no longer available on this server and there is no forwarding address. If you followed "
        "a link from a foreign page, please contact the author of this page."
    )


class LengthRequired(HTTPException):
    """411: the request needs a Content-Length (RFC 9110 §15.5.12)."""

    code = 411
    description = "A request with this method requires a valid <code>Content-Length</code> header."


class PreconditionFailed(HTTPException):
    """412: one of the request's conditions is false (RFC 9110 §15.5.13)."""

    code = 412
    description = "The precondition on the request for the URL failed positive evaluation."


class RequestEntityTooLarge(HTTPException):
    """413: the body is larger than the limit (RFC 9110 §15.5.14)."""

    code = 413
    description = "The data value transmitted exceeds the capacity limit."


class RequestURITooLarge(HTTPException):
    """414: the URL is longer than the limit (RFC 9110 §15.5.15)."""

    code = 414
    description = (
        "The length of the requested URL exceeds the capacity limit for this server. The request cannot be processed."
    )


class UnsupportedMediaType(HTTPException):
    """415: the body's media type is not supported (RFC 9110 §15.5.16)."""

    code = 415
    description = "The server does not support the media type transmitted in the request."


class RequestedRangeNotSatisfiable(HTTPException):
    """416: no requested range is within the resource's ``length`` in ``units`` (RFC 9110 §15.5.17)."""

    code = 416
    description = "The server cannot provide the requested range."

    def __init__(
        self,
        length: int | None = None,
        units: str = "bytes",
        description: str | None = None,
        response: "Response | None" = None,
    ) -> None:
        super().__init__(description, response)
        self.length = length
        self.units = units

    def get_headers(
        self, environ: "WSGIEnvironment | None" = None, scope: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the page's headers, including Content-Range if the length is known."""
        whole = [] if self.length is None else [("Content-Range", f"{self.units} */{self.length}")]
        return super().get_headers(environ, scope) + whole


class ExpectationFailed(HTTPException):
    """417: the server can't meet the client's expectation (RFC 9110 §15.5.18)."""

    code = 417
    description = "The server could not meet the requirements of the Expect header"


class ImATeapot(HTTPException):
    """418: the server is a teapot (RFC 2324 §2.3.2)."""

    code = 418
    description = "This server is a teapot, not a coffee machine"


class MisdirectedRequest(HTTPException):
    """421: the server is not responsible for this host (RFC 9110 §15.5.20)."""

    code = 421
    description = "The server is not able to produce a response."


class UnprocessableEntity(HTTPException):
    """422: the content is well-formed but can't be processed (RFC 9110 §15.5.21)."""

    code = 422
    description = "The request was well-formed but was unable to be followed due to semantic errors."


class Locked(HTTPException):
    """423: the resource is locked (RFC 4918 §11.3)."""

    code = 423
    description = "The resource that is being accessed is locked."


class FailedDependency(HTTPException):
    """424: another action that this one depends on failed (RFC 4918 §11.4)."""

    code = 424
    description = (
        "The method could not be performed on the resource because the requested action depended on another action "
        "and that action failed."
    )


class PreconditionRequired(HTTPException):
    """428: the request must be conditional (RFC 6585 §3)."""

    code = 428
    description = 'This request is required to be conditional; try using "If-Match" or "If-Unmodified-Since".'


class TooManyRequests(RetryAfterException):
    """429: the client has sent too many requests (RFC 6585 §4)."""

    code = 429
    description = "This user has exceeded an allotted request count. Try again later."


class RequestHeaderFieldsTooLarge(HTTPException):
    """431: the header section is larger than the limit (RFC 6585 §5)."""

    code = 431
    description = "One or more header fields exceeds the maximum size."


class UnavailableForLegalReasons(HTTPException):
    """451: the resource is withheld for legal reasons (RFC 7725 §3)."""

    code = 451
    description = "Unavailable for legal reasons."


class InternalServerError(HTTPException):
    """500: an error occurred in the server (RFC 9110 §15.6.1). ``original_exception`` is its cause, if known."""

    code = 500
    description = (
        "The server encountered an internal error and was unable to complete your request. Either the server is "
        "overloaded or there is an error in the application."
    )

    def __init__(
        self,
        description: str | None = None,
        response: "Response | None" = None,
        original_exception: BaseException | None = None,
    ) -> None:
        super().__init__(description, response)
        self.original_exception = original_exception


class NotImplemented(HTTPException):  # noqa: A001 - Werkzeug's name
    """501: the server does not support the request (RFC 9110 §15.6.2)."""

    code = 501
    description = "The server does not support the action requested by the browser."


class BadGateway(HTTPException):
    """502: an upstream server sent an invalid response (RFC 9110 §15.6.3)."""

    code = 502
    description = "The proxy server received an invalid response from an upstream server."


class ServiceUnavailable(RetryAfterException):
    """503: the server can't handle the request at the moment (RFC 9110 §15.6.4)."""

    code = 503
    description = (
        "The server is temporarily unable to service your request due to maintenance downtime or capacity problems. "
        "Please try again later."
    )


class GatewayTimeout(HTTPException):
    """504: an upstream server did not respond in time (RFC 9110 §15.6.5)."""

    code = 504
    description = "The connection to an upstream server timed out."


class HTTPVersionNotSupported(HTTPException):
    """505: the server does not support this version of HTTP (RFC 9110 §15.6.6)."""

    code = 505
    description = "The server does not support the HTTP protocol version used in the request."


_errors = [each for each in [*globals().values()] if isinstance(each, type) and issubclass(each, HTTPException)]
default_exceptions = {400: BadRequest} | {each.code: each for each in _errors if each.code not in (None, 400)}
"""The exception class for each status."""


def refused_head(environ: "WSGIEnvironment") -> HTTPException | None:
    """Return the exception for an environ whose Host or query is invalid."""
    error = head_error(environ)
    return default_exceptions[error.status](error.detail) if error else None


class Aborter:
    """A function that raises the HTTP exception for a status, or one with a given response.

    ``extra`` adds exception classes to ``mapping``.
    """

    def __init__(
        self,
        mapping: Mapping[int, type[HTTPException]] | None = None,
        extra: Mapping[int, type[HTTPException]] | None = None,
    ) -> None:
        self.mapping: dict[Any, type[HTTPException]] = {
            **(default_exceptions if mapping is None else mapping),
            **(extra or {}),
        }

    def __call__(self, code: Any, *args: Any, **kwargs: Any) -> NoReturn:
        if code not in self.mapping and (callable(code) or hasattr(code, "status_code")):
            response: Any = code  # a response or any WSGI application
            raise HTTPException(response=response)
        if code not in self.mapping:
            raise LookupError(f"no exception for {code!r}")
        raise self.mapping[code](*args, **kwargs)


_aborter = Aborter()


def abort(status: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTP exception for a status, created with the given arguments, or one with a given response.

    Raises LookupError if the status has no exception.
    """
    _aborter(status, *args, **kwargs)
