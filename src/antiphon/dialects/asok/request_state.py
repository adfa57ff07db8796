"""The part of a request that lasts longer than it: its session, messages, tokens, user and limits."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from antiphon import Request as NativeRequest
from antiphon.dialects.asok import auth
from antiphon.dialects.asok.csrf import input_of, token_of
from antiphon.dialects.asok.flashing import flash, get_flashed_messages
from antiphon.dialects.asok.rate_limits import check_rate
from antiphon.dialects.asok.session import Session, regenerate, session_of
from antiphon.dialects.asok.tokens import Auth
from antiphon.features import csp_nonce
from antiphon.features.markup import Markup

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok


class RequestState:
    """The attributes of a request that depend on sessions."""

    app: "Asok"
    native: NativeRequest
    tells_token = False
    """True if the response sends the CSRF token to scripts in a cookie."""

    @property
    def session(self) -> "Session":
        """The data of the visitor, kept between requests, with the interface of a dict."""
        return session_of(self)

    def session_regenerate(self) -> None:
        """Give the session a new key, and keep its data, as after a change of rights."""
        regenerate(self)

    def flash(self, category_or_message: Any, message: Any = None) -> None:
        """Queue a message for this page or the next: ``request.flash("success", "It is saved.")``."""
        flash(self, category_or_message, message)

    def get_flashed_messages(
        self, with_categories: bool = True, category_filter: Iterable[str] | None = None
    ) -> list[Any]:
        """Return the messages that wait for the visitor, each a ``FlashMessage``, or a text without categories."""
        return get_flashed_messages(self, with_categories, category_filter)

    @property
    def csrf_token_value(self) -> str:
        """The CSRF token for this response, as text."""
        return token_of(self)

    def csrf_token(self) -> str:
        """Return the CSRF token for this response."""
        return token_of(self)

    def csrf_input(self) -> Markup:
        """Return the hidden input of a form that has the CSRF token, as HTML."""
        return input_of(self)

    def verify_csrf(self) -> None:
        """Return: a write without a token that counts has been refused before any page was called."""

    @property
    def nonce(self) -> str:
        """The nonce of this response, with which its policy lets scripts run."""
        return csp_nonce(self.native)

    # The user

    @property
    def user(self) -> Any:
        """The user who has logged in, or None for an anonymous visitor."""
        return auth.user_of(self)

    @user.setter
    def user(self, user: Any) -> None:
        auth.set_user(self, user)

    @property
    def is_authenticated(self) -> bool:
        """True if a user has logged in."""
        return self.user is not None

    def login(self, user: Any, remember: bool = False) -> None:
        """Log a user in, after checking the password: the session now belongs to the user."""
        auth.login(self, user, remember)

    def logout(self) -> None:
        """Log the user out, and end the session."""
        auth.logout(self)

    def authenticate(self, password_field: str = "password", **credentials: Any) -> Any:  # noqa: S107
        """Log in the user whom the model finds by credentials with a password, and return the user, or None."""
        return auth.authenticate(self, password_field, **credentials)

    @property
    def auth(self) -> Auth:
        """The tokens of users: ``request.auth.token`` for programs, ``request.auth.magic`` for links in e-mails."""
        return Auth()

    def has_role(self, *roles: str) -> bool:
        """Return True if the user has one of some roles."""
        return auth.has_role(self, *roles)

    def require_role(self, *roles: str, redirect_url: str = "/") -> None:
        """Redirect a request whose user has none of some roles."""
        auth.require_role(self, *roles, redirect_url=redirect_url)

    def require_auth(self, redirect_url: str = "/login") -> None:
        """Redirect a request without a user to the login page, with the return path as ``next``."""
        auth.require_auth(self, redirect_url)

    def login_required(self) -> None:
        """Refuse a request without a user (401)."""
        auth.login_required(self)

    def rate_limit(self, limit: str | int, window: int | None = None, prefix: str | None = None) -> None:
        """Count a request for this page: ``request.rate_limit("5/minute")``. Raises RateLimitExceeded (429)."""
        check_rate(self, limit, window, prefix)
