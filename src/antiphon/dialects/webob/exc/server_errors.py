"""The exceptions with a status of 5xx (RFC 9110 §15.6)."""

from string import Template

from antiphon.dialects.webob.exc.base import HTTPServerError


class HTTPInternalServerError(HTTPServerError):
    """500: the server has failed (RFC 9110 §15.6.1)."""


class HTTPNotImplemented(HTTPServerError):
    """501: the server does not know the method (RFC 9110 §15.6.2)."""

    code = 501
    title = "Not Implemented"
    body_template_obj = Template(
        "\nThe request method ${REQUEST_METHOD} is not implemented for this server. <br /><br />\n${detail}"
    )


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


class HTTPNetworkAuthenticationRequired(HTTPServerError):
    """511: the client has to log in to the network (RFC 6585 §6)."""

    code = 511
    title = "Network Authentication Required"
    explanation = "Network authentication is required"
