"""Redirects, 300 and 304 (RFC 9110 §15.4)."""

from antiphon.dialects.webob.exc.base import HTTPRedirection
from antiphon.dialects.webob.exc.move import _HTTPMove


class HTTPMultipleChoices(_HTTPMove):
    """300: the resource has several representations (RFC 9110 §15.4.1)."""

    code = 300
    title = "Multiple Choices"


class HTTPMovedPermanently(_HTTPMove):
    """301: the resource has moved to another URL for good (RFC 9110 §15.4.2)."""

    code = 301
    title = "Moved Permanently"


class HTTPFound(_HTTPMove):
    """302: the resource is at another URL for now (RFC 9110 §15.4.3)."""

    code = 302
    title = "Found"
    explanation = "The resource was found at"


class HTTPSeeOther(_HTTPMove):
    """303: another URL answers the request, with GET (RFC 9110 §15.4.4)."""

    code = 303
    title = "See Other"


class HTTPNotModified(HTTPRedirection):
    """304: the client has the current version (RFC 9110 §15.4.5)."""

    code = 304
    title = "Not Modified"
    empty_body = True


class HTTPUseProxy(_HTTPMove):
    """305: the resource is behind a proxy; deprecated (RFC 9110 §15.4.6)."""

    code = 305
    title = "Use Proxy"
    explanation = "The resource must be accessed through a proxy located at"


class HTTPTemporaryRedirect(_HTTPMove):
    """307: send the request to another URL, for now (RFC 9110 §15.4.8)."""

    code = 307
    title = "Temporary Redirect"


class HTTPPermanentRedirect(_HTTPMove):
    """308: send the request to another URL, for good (RFC 9110 §15.4.9)."""

    code = 308
    title = "Permanent Redirect"
