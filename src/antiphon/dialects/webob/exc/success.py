"""Answers with a status of 2xx that can be raised (RFC 9110 §15.3)."""

from antiphon.dialects.webob.exc.base import HTTPOk


class HTTPCreated(HTTPOk):
    """201: a resource was created (RFC 9110 §15.3.2)."""

    code = 201
    title = "Created"


class HTTPAccepted(HTTPOk):
    """202: the request is accepted, and its work not done yet (RFC 9110 §15.3.3)."""

    code = 202
    title = "Accepted"
    explanation = "The request is accepted for processing."


class HTTPNonAuthoritativeInformation(HTTPOk):
    """203: the content comes from another server, and was changed (RFC 9110 §15.3.4)."""

    code = 203
    title = "Non-Authoritative Information"


class HTTPNoContent(HTTPOk):
    """204: the request is done, and there is no content (RFC 9110 §15.3.5)."""

    code = 204
    title = "No Content"
    empty_body = True


class HTTPResetContent(HTTPOk):
    """205: the request is done, and the client should reset its form (RFC 9110 §15.3.6)."""

    code = 205
    title = "Reset Content"
    empty_body = True


class HTTPPartialContent(HTTPOk):
    """206: a part of the resource (RFC 9110 §15.3.7)."""

    code = 206
    title = "Partial Content"
