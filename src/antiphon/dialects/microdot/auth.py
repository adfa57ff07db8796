"""Authentication of routes by username and password, or by token (RFC 9110 §11)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from antiphon.dialects.microdot.dispatch import call_decorated, invoke_handler
from antiphon.dialects.microdot.errors import abort
from antiphon.dialects.microdot.request import Request
from antiphon.http import Authorization

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[..., Any]


def set_user(request: Request, user: Any) -> None:
    """Set a request's current user, which is also the native request's, for the log and other features around."""
    request.g.current_user = request.native.user = user


class BaseAuth:
    """A decorator for handlers. ``request.g.current_user`` is the user that the callback returns."""

    def __init__(self) -> None:
        self.auth_callback: Handler | None = None
        self.error_callback: Handler

    def _get_auth(self, request: Request) -> tuple[str, ...] | None:
        """Return a request's credentials, or None if they are missing or malformed."""
        raise NotImplementedError

    async def _current_user(self, request: Request) -> Any:
        """Return the user that the callback returns for the credentials, or None."""
        credentials = self._get_auth(request)
        if not credentials:
            return None
        if self.auth_callback is None:
            raise RuntimeError("no function to authenticate users is registered: register one with @auth.authenticate")
        return await invoke_handler(self.auth_callback, request, *credentials)

    def __call__(self, f: Handler) -> Handler:
        """Call a handler only for known users. Other requests get the error callback's response."""

        @wraps(f)
        async def authenticated(request: Request, *args: Any, **kwargs: Any) -> Any:
            user = await self._current_user(request)
            if not user:
                return await invoke_handler(self.error_callback, request)
            set_user(request, user)
            return await call_decorated(f, request, *args, **kwargs)

        return authenticated

    def optional(self, f: Handler) -> Handler:
        """Call a handler for every request. Without valid credentials, the current user is None."""

        @wraps(f)
        async def authenticated(request: Request, *args: Any, **kwargs: Any) -> Any:
            set_user(request, await self._current_user(request))
            return await call_decorated(f, request, *args, **kwargs)

        return authenticated

    def authenticate(self, f: F) -> F:
        """Register the function that receives the request and credentials and returns the user or None."""
        self.auth_callback = f
        return f


class BasicAuth(BaseAuth):
    """Authentication by username and password (RFC 7617), which are both passed to the callback."""

    def __init__(
        self, realm: str = "Please login", charset: str = "UTF-8", scheme: str = "Basic", error_status: int = 401
    ) -> None:
        super().__init__()
        self.realm = realm
        self.charset = charset
        self.scheme = scheme
        self.error_status = error_status
        self.error_callback = self.authentication_error

    def _get_auth(self, request: Request) -> tuple[str, ...] | None:
        try:
            credentials = Authorization.parse(request.headers.get("Authorization", ""))
        except ValueError:
            return None
        if credentials.username is None or credentials.password is None:
            return None
        return credentials.username, credentials.password

    async def authentication_error(self, request: Request) -> Any:  # noqa: ARG002 - the signature of all callbacks
        """Return the response that asks for a username and password."""
        challenge = f'{self.scheme} realm="{self.realm}", charset="{self.charset}"'
        return "", self.error_status, {"WWW-Authenticate": challenge}


class TokenAuth(BaseAuth):
    """Authentication by token, which follows a scheme in Authorization, or is the whole value of another header.

    The callback receives the token.
    """

    def __init__(self, header: str = "Authorization", scheme: str = "Bearer", error_status: int = 401) -> None:
        super().__init__()
        self.header = header
        self.scheme = scheme.lower()
        self.error_status = error_status
        self.error_callback = self.authentication_error

    def _get_auth(self, request: Request) -> tuple[str, ...] | None:
        value: str | None = request.headers.get(self.header)
        if value and self.header == "Authorization":
            scheme, _, value = value.partition(" ")
            value = value.strip() if scheme.lower() == self.scheme else None
        return (value,) if value else None

    def errorhandler(self, f: F) -> F:
        """Register the function that responds to unknown users."""
        self.error_callback = f
        return f

    async def authentication_error(self, request: Request) -> Any:  # noqa: ARG002 - the signature of all callbacks
        abort(self.error_status)
