"""The middleware that provides the user of requests."""

from typing import Any

from antiphon.dialects.kay.conf import settings


class AuthenticationMiddleware:
    """Middleware for ``request.user``, which AUTH_USER_BACKEND finds on first access."""

    def process_request(self, request: Any) -> None:  # noqa: ARG002 - as middleware is called
        """Check that there is a backend. Raises LookupError, naming the setting, otherwise."""
        if settings.AUTH_USER_BACKEND is None:
            raise LookupError(
                "AuthenticationMiddleware needs AUTH_USER_BACKEND in settings.py, such as"
                " 'kay.auth.backends.datastore.DatastoreBackend'"
            )
