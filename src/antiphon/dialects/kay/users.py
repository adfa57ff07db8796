"""The user of a request, found as the settings say."""

from collections.abc import Callable
from typing import Any

from antiphon.dialects.kay.conf import Settings


def user_source(settings: Settings) -> Callable[[Any], Any] | None:
    """Return the method ``get_user`` of the class AUTH_USER_BACKEND; None without that setting."""
    backend = settings.load("AUTH_USER_BACKEND")
    if backend is None:
        return None
    find: Callable[[Any], Any] = (backend() if isinstance(backend, type) else backend).get_user
    return find


def checked(find: Callable[[Any], Any], settings: Settings) -> Callable[[Any], Any]:
    """Return a function that finds the user, and checks that it is of the class AUTH_USER_MODEL, if that is set.

    The user may be None, or an object whose ``is_anonymous()`` is true. Raises TypeError for any other object.
    """

    def find_user(request: Any) -> Any:
        user = find(request)
        model = settings.load("AUTH_USER_MODEL")
        if model is None or isinstance(user, model) or is_anonymous(user):
            return user
        raise TypeError(f"the user is a {type(user).__name__}, and AUTH_USER_MODEL is {model.__name__}")

    return find_user


def is_anonymous(user: Any) -> bool:
    """Return True for None, and for a user who says so."""
    if user is None:
        return True
    says = getattr(user, "is_anonymous", False)
    return bool(says() if callable(says) else says)
