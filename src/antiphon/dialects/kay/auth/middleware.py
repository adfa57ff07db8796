"""The middleware that provides ``request.user``."""

from typing import Any

from antiphon.dialects.kay.conf import settings


class AuthenticationMiddleware:
    """Middleware that provides ``request.user``, which AUTH_USER_BACKEND finds on first access."""

    def process_request(self, request: Any) -> None:  # noqa: ARG002 - required of middleware
        """Check that a backend is set. Otherwise, raises a LookupError that names the setting."""
        if settings.AUTH_USER_BACKEND is None:
            raise LookupError(
                "AuthenticationMiddleware needs AUTH_USER_BACKEND in settings.py, such as"
                " 'kay.auth.backends.datastore.DatastoreBackend'"
            )
