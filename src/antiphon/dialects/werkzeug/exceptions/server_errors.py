"""The exceptions with a status of 5xx (RFC 9110 §15.6)."""

from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException, RetryAfterException

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.wrappers.response import Response


class InternalServerError(HTTPException):
    """500: an error of the server (RFC 9110 §15.6.1). ``original_exception`` is its cause, if given."""

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


class NotImplemented(HTTPException):  # noqa: A001 - Werkzeug's word
    """501: the server does not support the request (RFC 9110 §15.6.2)."""

    code = 501
    description = "The server does not support the action requested by the browser."


class BadGateway(HTTPException):
    """502: an upstream server gave an invalid response (RFC 9110 §15.6.3)."""

    code = 502
    description = "The proxy server received an invalid response from an upstream server."


class ServiceUnavailable(RetryAfterException):
    """503: the server can't answer for now (RFC 9110 §15.6.4)."""

    code = 503
    description = (
        "The server is temporarily unable to service your request due to maintenance downtime or capacity problems. "
        "Please try again later."
    )


class GatewayTimeout(HTTPException):
    """504: an upstream server did not answer in time (RFC 9110 §15.6.5)."""

    code = 504
    description = "The connection to an upstream server timed out."


class HTTPVersionNotSupported(HTTPException):
    """505: the server does not support this version of HTTP (RFC 9110 §15.6.6)."""

    code = 505
    description = "The server does not support the HTTP protocol version used in the request."
