"""Users: ``request.user``, found by the AUTH_USER_BACKEND of ``settings.py``, and logins with a password."""

from typing import Any

from antiphon.dialects.kay.conf import settings

KEY = "_user"
"""The name of the user's key in the session."""


def login(request: Any, user_name: str, password: str) -> bool:
    """Log in the user that AUTH_USER_BACKEND finds by name and password. Return True if the password is right."""
    backend = settings.load("AUTH_USER_BACKEND")
    is_known: bool = (backend() if isinstance(backend, type) else backend).login(request, user_name, password)
    return is_known


def logout(request: Any) -> None:
    """Log the user out: the session ends and loses its data."""
    from antiphon.dialects.kay.auth.models import AnonymousUser

    request.session.clear()
    request.user = AnonymousUser()
