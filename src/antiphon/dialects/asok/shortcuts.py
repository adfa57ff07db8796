"""Methods of the current request, as functions."""

from collections.abc import Iterable
from typing import Any, NoReturn

from antiphon.dialects.asok.context import current_request, find_request
from antiphon.dialects.asok.exceptions import abort, redirect

__all__ = [
    "abort", "authenticate", "back", "current_user", "flash", "login", "logout", "redirect", "render_block",
    "render_blocks", "render_template",
]  # fmt: skip


def back(default: str = "/") -> NoReturn:
    """End the current request with a redirect to the previous page, or to ``default``."""
    current_request.back(default)


def render_template(filepath: str, **context: Any) -> str:
    """Render a template for the current request and return the text."""
    return current_request.html(filepath, **context)


def render_block(filepath: str, block_name: str | None = None, **context: Any) -> str:
    """Render one block of a template for the current request and return the text."""
    return current_request.block(filepath, block_name, **context)


def render_blocks(filepath: str, block_names: Iterable[str], **context: Any) -> str:
    """Render blocks of a template for the current request and return the text."""
    return current_request.blocks(filepath, block_names, **context)


def flash(category_or_message: Any, message: Any = None) -> None:
    """Queue a message for the current request's page or the next one."""
    current_request.flash(category_or_message, message)


def login(user: Any, remember: bool = False) -> None:
    """Log a user in. Check the password first."""
    current_request.login(user, remember)


def logout() -> None:
    """Log out the user of the current request."""
    current_request.logout()


def authenticate(password_field: str = "password", **credentials: Any) -> Any:  # noqa: S107
    """Find a user by credentials and a password, and log the user in. Return the user or None."""
    return current_request.authenticate(password_field, **credentials)


class _CurrentUser:
    """A proxy for the current request's user. It is falsy for an anonymous visitor."""

    __slots__ = ()

    def _user(self) -> Any:
        request = find_request()
        return None if request is None else request.user

    def __getattr__(self, name: str) -> Any:
        return getattr(self._user(), name)

    def __bool__(self) -> bool:
        return bool(self._user())

    def __repr__(self) -> str:
        return repr(self._user() or "<nobody>")

    def __str__(self) -> str:
        return str(self._user() or "")


current_user: Any = _CurrentUser()
