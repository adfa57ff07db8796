"""Exceptions that end a request with a redirect, or with the page for an error status."""

from collections.abc import Mapping
from typing import Any, NoReturn

from antiphon import Redirect
from antiphon.http import HTTPError

_DEMANDED = {401: ("www-authenticate", "Bearer"), 405: ("allow", ""), 407: ("proxy-authenticate", "Basic")}
"""The header fields that are required for some statuses (RFC 9110 §15.5)."""


class AsokException(Exception):
    """The base class of Asok's exceptions."""


class RedirectException(AsokException, Redirect):
    """A redirect to ``url``, raised by ``request.redirect``.

    Wherever it is raised, the response has its ``status``. Raises ValueError for a status that is not a redirect.
    """

    def __init__(self, url: str, status: int = 302) -> None:
        Redirect.__init__(self, url, status, external=True)
        self.url = url


class AbortException(AsokException, HTTPError):
    """An error with a ``status`` and a ``message`` for the client.

    Raises ValueError for a status outside 400 to 599.
    """

    def __init__(self, status: int, message: str | None = None) -> None:
        HTTPError.__init__(self, status, message, headers=[_DEMANDED[status]] if status in _DEMANDED else ())
        self.message = message


class NotFoundError(AbortException):
    """The error for a missing resource (404)."""

    def __init__(self, message: str | None = "The requested resource was not found") -> None:
        super().__init__(404, message)


class UnauthorizedError(AbortException):
    """The error for a request that requires a login (401)."""

    def __init__(self, message: str | None = "Authentication is required to access this resource") -> None:
        super().__init__(401, message)


class ForbiddenError(AbortException):
    """The error for a request without the required permission (403)."""

    def __init__(self, message: str | None = "You do not have permission to access this resource") -> None:
        super().__init__(403, message)


class NoSuchBlock(AbortException, ValueError):
    """The error for requesting a block that the page does not contain (400)."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class RateLimitExceeded(AbortException):
    """The error for a request that exceeds a rate limit (429). ``retry_after`` is in seconds."""

    def __init__(self, message: str = "Too Many Requests", retry_after: int = 60) -> None:
        super().__init__(429, message)
        self.retry_after = retry_after
        self.headers["retry-after"] = str(retry_after)


class SecurityError(AsokException, HTTPError):
    """The error for a request that is refused to protect its user, such as one without a CSRF token (403)."""

    status = 403


class TemplateError(AsokException):
    """The error for a template that can't be rendered."""


class ValidationError(AsokException):
    """The error for data that violates rules (400). ``errors`` contains the messages by field name."""

    def __init__(self, message: str, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.errors = dict(errors or {})


def redirect(url: str, status: int = 302) -> NoReturn:
    """End the request with a redirect. Raises RedirectException."""
    raise RedirectException(url, status)


def abort(status: int = 404, message: str | None = None) -> NoReturn:
    """End the request with an error. Raises AbortException."""
    raise AbortException(status, message)
