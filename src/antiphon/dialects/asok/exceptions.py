"""Exceptions that end a request: each is answered with a redirect, or with the page of its status."""

from collections.abc import Mapping
from typing import Any, NoReturn

from antiphon.http import HTTPError, Redirect

_DEMANDED = {401: ("www-authenticate", "Bearer"), 405: ("allow", ""), 407: ("proxy-authenticate", "Basic")}
"""The header fields that statuses must not be sent without (RFC 9110 §15.5)."""


class AsokException(Exception):
    """The base of Asok's exceptions."""


class RedirectException(AsokException, Redirect):
    """A redirect to ``url``, raised by ``request.redirect``. It is answered with its ``status``, wherever it is raised.

    Raises ValueError for a status that is not a redirect's.
    """

    def __init__(self, url: str, status: int = 302) -> None:
        Redirect.__init__(self, url, status, external=True)
        self.url = url


class AbortException(AsokException, HTTPError):
    """An error with a ``status``, and a ``message`` for the client. Raises ValueError for one outside 400 to 599."""

    def __init__(self, status: int, message: str | None = None) -> None:
        HTTPError.__init__(self, status, message, headers=[_DEMANDED[status]] if status in _DEMANDED else ())
        self.message = message


class NotFoundError(AbortException):
    """A missing resource (404)."""

    def __init__(self, message: str | None = "The requested resource was not found") -> None:
        super().__init__(404, message)


class UnauthorizedError(AbortException):
    """A request that has to log in first (401)."""

    def __init__(self, message: str | None = "Authentication is required to access this resource") -> None:
        super().__init__(401, message)


class ForbiddenError(AbortException):
    """A request without permission for what it asks (403)."""

    def __init__(self, message: str | None = "You do not have permission to access this resource") -> None:
        super().__init__(403, message)


class NoSuchBlock(AbortException, ValueError):
    """A request for a block that the page does not have (400)."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class RateLimitExceeded(AbortException):
    """One request too many (429). ``retry_after`` is in seconds."""

    def __init__(self, message: str = "Too Many Requests", retry_after: int = 60) -> None:
        super().__init__(429, message)
        self.retry_after = retry_after
        self.headers["retry-after"] = str(retry_after)


class SecurityError(AsokException, HTTPError):
    """A request that was refused for the safety of its sender, such as one without a CSRF token (403)."""

    status = 403


class TemplateError(AsokException):
    """A template that can't be rendered."""


class ValidationError(AsokException):
    """Data that breaks rules (400). ``errors`` has the messages by the names of the fields."""

    def __init__(self, message: str, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.errors = dict(errors or {})


def redirect(url: str, status: int = 302) -> NoReturn:
    """End the request with a redirect. Raises RedirectException."""
    raise RedirectException(url, status)


def abort(status: int = 404, message: str | None = None) -> NoReturn:
    """End the request with an error. Raises AbortException."""
    raise AbortException(status, message)
