"""Anonymous users. App Engine's models are not supported: AUTH_USER_MODEL must name one of the project's classes."""

from typing import NoReturn

_ABSENT = frozenset({"DatastoreUser", "GoogleUser", "User"})


class AnonymousUser:
    """The user of a visitor who has not logged in."""

    is_admin = False

    def is_anonymous(self) -> bool:
        return True

    def __str__(self) -> str:
        return "AnonymousUser"


def __getattr__(name: str) -> NoReturn:
    if name in _ABSENT:
        raise ImportError(
            f"kay.auth.models.{name} is a model of App Engine: set AUTH_USER_MODEL to a class of your own with"
            " get(key), get_by_key_name(name), and the methods key() and check_password(password)",
            name=f"kay.auth.models.{name}",
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
