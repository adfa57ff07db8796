"""The exceptions for each status (RFC 9110 §15)."""

from string import Template

from antiphon.dialects.webob.exc.base import HTTPClientError, HTTPOk, HTTPRedirection, HTTPServerError, _HTTPMove


class HTTPCreated(HTTPOk):
    """201: a resource was created (RFC 9110 §15.3.2)."""

    code = 201
    title = "Created"


class HTTPAccepted(HTTPOk):
    """202: the request was accepted but is not complete yet (RFC 9110 §15.3.3)."""

    code = 202
    title = "Accepted"
    explanation = "The request is accepted for processing."


class HTTPNonAuthoritativeInformation(HTTPOk):
    """203: a proxy has modified another server's content (RFC 9110 §15.3.4)."""

    code = 203
    title = "Non-Authoritative Information"


class HTTPNoContent(HTTPOk):
    """204: the request succeeded, and the response has no content (RFC 9110 §15.3.5)."""

    code = 204
    title = "No Content"
    empty_body = True


class HTTPResetContent(HTTPOk):
    """205: the request succeeded, and the client should reset its form (RFC 9110 §15.3.6)."""

    code = 205
    title = "Reset Content"
    empty_body = True


class HTTPPartialContent(HTTPOk):
    """206: the response contains part of the resource (RFC 9110 §15.3.7)."""

    code = 206
    title = "Partial Content"


class HTTPMultipleChoices(_HTTPMove):
    """300: the resource has several representations (RFC 9110 §15.4.1)."""

    code = 300
    title = "Multiple Choices"


class HTTPMovedPermanently(_HTTPMove):
    """301: the resource has permanently moved to another URL (RFC 9110 §15.4.2)."""

    code = 301
    title = "Moved Permanently"


class HTTPFound(_HTTPMove):
    """302: the resource is temporarily at another URL (RFC 9110 §15.4.3)."""

    code = 302
    title = "Found"
    explanation = "The resource was found at"


class HTTPSeeOther(_HTTPMove):
    """303: the client should send a GET request to another URL for the response (RFC 9110 §15.4.4)."""

    code = 303
    title = "See Other"


class HTTPNotModified(HTTPRedirection):
    """304: the client already has the current version (RFC 9110 §15.4.5)."""

    code = 304
    title = "Not Modified"
    empty_body = True


class HTTPUseProxy(_HTTPMove):
    """305: the resource must be accessed through a proxy. Deprecated (RFC 9110 §15.4.6)."""

    code = 305
    title = "Use Proxy"
    explanation = "The resource must be accessed through a proxy located at"


class HTTPTemporaryRedirect(_HTTPMove):
    """307: the client should temporarily send the request to another URL (RFC 9110 §15.4.8)."""

    code = 307
    title = "Temporary Redirect"


class HTTPPermanentRedirect(_HTTPMove):
    """308: the client should permanently send the request to another URL (RFC 9110 §15.4.9)."""

    code = 308
    title = "Permanent Redirect"


class HTTPBadRequest(HTTPClientError):
    """400: the request is malformed (RFC 9110 §15.5.1)."""


class HTTPUnauthorized(HTTPClientError):
    """401: credentials are missing or wrong (RFC 9110 §15.5.2)."""

    code = 401
    title = "Unauthorized"
    explanation = (
        "This server could not verify that you are authorized to access the document you requested. Either you "
        "supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the "
        "credentials required."
    )


class HTTPPaymentRequired(HTTPClientError):
    """402: payment is required (RFC 9110 §15.5.3)."""

    code = 402
    title = "Payment Required"
    explanation = "Access was denied for financial reasons."


class HTTPForbidden(HTTPClientError):
    """403: the server understood the request but refuses it (RFC 9110 §15.5.4)."""

    code = 403
    title = "Forbidden"
    explanation = "Access was denied to this resource."


class HTTPNotFound(HTTPClientError):
    """404: the resource does not exist (RFC 9110 §15.5.5)."""

    code = 404
    title = "Not Found"
    explanation = "The resource could not be found."


class HTTPMethodNotAllowed(HTTPClientError):
    """405: the resource does not support the method (RFC 9110 §15.5.6)."""

    code = 405
    title = "Method Not Allowed"
    body_template_obj = Template(
        "The method ${REQUEST_METHOD} is not allowed for this resource. <br /><br />\n${detail}"
    )


class HTTPNotAcceptable(HTTPClientError):
    """406: no representation is acceptable to the client (RFC 9110 §15.5.7)."""

    code = 406
    title = "Not Acceptable"
    body_template_obj = Template(
        "The resource could not be generated that was acceptable to your browser\n"
        "(content of type ${HTTP_ACCEPT}. <br /><br />\n${detail}"
    )


class HTTPProxyAuthenticationRequired(HTTPClientError):
    """407: a proxy requires credentials (RFC 9110 §15.5.8)."""

    code = 407
    title = "Proxy Authentication Required"
    explanation = "Authentication with a local proxy is needed."


class HTTPRequestTimeout(HTTPClientError):
    """408: the request did not arrive in time (RFC 9110 §15.5.9)."""

    code = 408
    title = "Request Timeout"
    explanation = "The server has waited too long for the request to be sent by the client."


class HTTPConflict(HTTPClientError):
    """409: the request conflicts with the resource's current state (RFC 9110 §15.5.10)."""

    code = 409
    title = "Conflict"
    explanation = "There was a conflict when trying to complete your request."


class HTTPGone(HTTPClientError):
    """410: the resource no longer exists (RFC 9110 §15.5.11)."""

    code = 410
    title = "Gone"
    explanation = "This resource is no longer available. No forwarding address is given."


class HTTPLengthRequired(HTTPClientError):
    """411: the request needs a Content-Length (RFC 9110 §15.5.12)."""

    code = 411
    title = "Length Required"
    explanation = "Content-Length header required."


class HTTPPreconditionFailed(HTTPClientError):
    """412: one of the request's conditions is false (RFC 9110 §15.5.13)."""

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
    """415: the resource does not support this media type (RFC 9110 §15.5.16)."""

    code = 415
    title = "Unsupported Media Type"
    body_template_obj = Template(
        "The request media type ${CONTENT_TYPE} is not supported by this server.\n<br /><br />\n${detail}"
    )


class HTTPRequestRangeNotSatisfiable(HTTPClientError):
    """416: the requested range is outside the resource (RFC 9110 §15.5.17)."""

    code = 416
    title = "Request Range Not Satisfiable"
    explanation = "The Range requested is not available."


class HTTPExpectationFailed(HTTPClientError):
    """417: the server can't meet the request's Expect header (RFC 9110 §15.5.18)."""

    code = 417
    title = "Expectation Failed"
    explanation = "Expectation failed."


class HTTPUnprocessableEntity(HTTPClientError):
    """422: the body is well-formed but can't be processed (RFC 9110 §15.5.21)."""

    code = 422
    title = "Unprocessable Entity"
    explanation = "Unable to process the contained instructions"


class HTTPLocked(HTTPClientError):
    """423: the resource is locked (RFC 4918 §11.3)."""

    code = 423
    title = "Locked"
    explanation = "The resource is locked"


class HTTPFailedDependency(HTTPClientError):
    """424: another action that this one depends on failed (RFC 4918 §11.4)."""

    code = 424
    title = "Failed Dependency"
    explanation = (
        "The method could not be performed because the requested action dependended on another action and that "
        "action failed"
    )


class HTTPPreconditionRequired(HTTPClientError):
    """428: the request must be conditional (RFC 6585 §3)."""

    code = 428
    title = "Precondition Required"
    explanation = "This request is required to be conditional"


class HTTPTooManyRequests(HTTPClientError):
    """429: the client has sent too many requests (RFC 6585 §4)."""

    code = 429
    title = "Too Many Requests"
    explanation = "The client has sent too many requests in a given amount of time"


class HTTPRequestHeaderFieldsTooLarge(HTTPClientError):
    """431: the headers are too large (RFC 6585 §5)."""

    code = 431
    title = "Request Header Fields Too Large"
    explanation = "The request header fields were too large"


class HTTPUnavailableForLegalReasons(HTTPClientError):
    """451: the resource is unavailable for legal reasons (RFC 7725 §3)."""

    code = 451
    title = "Unavailable For Legal Reasons"
    explanation = "The resource is not available due to legal reasons."


class HTTPInternalServerError(HTTPServerError):
    """500: an error occurred in the server (RFC 9110 §15.6.1)."""


class HTTPNotImplemented(HTTPServerError):
    """501: the server does not support the method (RFC 9110 §15.6.2)."""

    code = 501
    title = "Not Implemented"
    body_template_obj = Template(
        "\nThe request method ${REQUEST_METHOD} is not implemented for this server. <br /><br />\n${detail}"
    )


class HTTPBadGateway(HTTPServerError):
    """502: the upstream server sent an invalid response (RFC 9110 §15.6.3)."""

    code = 502
    title = "Bad Gateway"
    explanation = "Bad gateway."


class HTTPServiceUnavailable(HTTPServerError):
    """503: the server can't handle the request at the moment (RFC 9110 §15.6.4)."""

    code = 503
    title = "Service Unavailable"
    explanation = "The server is currently unavailable. Please try again at a later time."


class HTTPGatewayTimeout(HTTPServerError):
    """504: the upstream server did not respond in time (RFC 9110 §15.6.5)."""

    code = 504
    title = "Gateway Timeout"
    explanation = "The gateway has timed out."


class HTTPVersionNotSupported(HTTPServerError):
    """505: the server does not support this version of HTTP (RFC 9110 §15.6.6)."""

    code = 505
    title = "HTTP Version Not Supported"
    explanation = "The HTTP version is not supported."


class HTTPInsufficientStorage(HTTPServerError):
    """507: the server is out of storage (RFC 4918 §11.5)."""

    code = 507
    title = "Insufficient Storage"
    explanation = "There was not enough space to save the resource"


class HTTPNetworkAuthenticationRequired(HTTPServerError):
    """511: the client must log in to the network (RFC 6585 §6)."""

    code = 511
    title = "Network Authentication Required"
    explanation = "Network authentication is required"
