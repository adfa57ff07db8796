"""Users and password logins. AUTH_USER_BACKEND in ``settings.py`` finds ``request.user``."""

from typing import Any

from antiphon.dialects.kay.conf import settings

KEY = "_user"
"""The session key under which the user's key is stored."""


def login(request: Any, user_name: str, password: str) -> bool:
    """Log in the user that AUTH_USER_BACKEND finds by name and password. Return False if the password is wrong."""
    backend = settings.load("AUTH_USER_BACKEND")
    is_known: bool = (backend() if isinstance(backend, type) else backend).login(request, user_name, password)
    return is_known


def logout(request: Any) -> None:
    """Log the user out: end the session and discard its data."""
    from antiphon.dialects.kay.auth.models import AnonymousUser

    request.session.clear()
    request.user = AnonymousUser()
