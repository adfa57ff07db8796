"""The backend for users with passwords, stored by the project's own class."""

from typing import Any

from antiphon.dialects.kay.auth import KEY
from antiphon.dialects.kay.auth.models import AnonymousUser
from antiphon.dialects.kay.conf import settings


class DatastoreBackend:
    """A backend that finds users by the key in the session and logs them in by name and password.

    The AUTH_USER_MODEL class must define ``get(key)`` and ``get_by_key_name(name)``, which return a user or None. A
    user must define ``check_password(password)`` and ``key()``, which returns text that no other user ever has.
    """

    def get_user(self, request: Any) -> Any:
        """Return the request's user, or an ``AnonymousUser``."""
        key = request.session.get(KEY)
        user = None if key is None else _model().get(key)
        return AnonymousUser() if user is None else user

    def login(self, request: Any, user_name: str, password: str) -> bool:
        """Log in the user with this name and return True if the password is right. Otherwise, nothing changes."""
        model = _model()
        user = model.get_by_key_name(getattr(model, "get_key_name", str)(user_name))
        if user is None or not user.check_password(password):
            return False
        self.store_user(user, request)
        return True

    def store_user(self, user: Any, request: Any) -> bool:
        """Assign the session to a user and give it a new key. Its data is kept unless it belonged to another user."""
        key, session = str(user.key()), request.session
        if session.get(KEY) not in (None, key):
            session.clear()
        session.rotate(key)
        session[KEY] = key
        request.user = user
        return True


def _model() -> Any:
    model = settings.load("AUTH_USER_MODEL")
    if model is None:
        raise LookupError("DatastoreBackend needs AUTH_USER_MODEL in settings.py: the class of users, or its name")
    return model
