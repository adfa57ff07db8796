"""Logins stored in the session and, optionally, in a separate long-lived cookie."""

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from antiphon.dialects.microdot.auth import set_user
from antiphon.dialects.microdot.dispatch import call_decorated, invoke_handler
from antiphon.dialects.microdot.mappings import urlencode
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import Response, redirect
from antiphon.dialects.microdot.session import SessionDict, change_response, session_of
from antiphon.http.redirect import redirect_location

Loader = TypeVar("Loader", bound=Callable[..., Any])
Handler = Callable[..., Any]

_COOKIE = "_remember"
_SHARED = ("path", "secure", "http_only")
"""The session cookie's options that the remember-me cookie also uses."""
_DAYS = 30
_DAY = 24 * 60 * 60


class Login:
    """A decorator that restricts handlers to logged-in users.

    Others are redirected to ``login_url``, with the requested path as ``next``. The user is ``request.g.current_user``.
    Requires a ``Session``.
    """

    def __init__(self, login_url: str = "/login") -> None:
        self.login_url = login_url
        self.user_loader_callback: Callable[..., Any] | None = None

    def user_loader(self, f: Loader) -> Loader:
        """Register the function that receives a user's id and returns the user or None. Used as a decorator."""
        self.user_loader_callback = f
        return f

    async def login_user(
        self, request: Request, user: Any, remember: bool | int = False, redirect_url: str = "/"
    ) -> Response:
        """Log a user in, identified by the ``id`` attribute, and return a redirect to the page that they requested.

        That page is the path in ``next``, or else ``redirect_url``. ``remember`` is the number of days for which the
        login outlasts the browser session; True means 30. Check the password first.
        """
        session = _session(request)
        session["_user_id"] = user.id
        session["_fresh"] = True
        session.save()
        set_user(request, user)
        if remember:
            _remember(request, user.id, _DAYS if remember is True else int(remember))
        return redirect(_own_path(request.args.get("next", "")) or redirect_url)

    async def logout_user(self, request: Request) -> None:
        """Log the user out and delete the remember-me cookie. Other session data is kept."""
        session = _session(request)
        session.pop("_user_id", None)
        session.pop("_fresh", None)
        session.save()
        set_user(request, None)
        if _COOKIE in request.cookies:
            _remember(request, None, 0)

    async def get_current_user(self, request: Request) -> Any:
        """Return the logged-in user, or None."""
        if not hasattr(request.g, "current_user"):
            user_id = _session(request).get("_user_id") or _remembered(request)
            set_user(request, await self._load(user_id) if user_id else None)
        return request.g.current_user

    def _load(self, user_id: Any) -> Awaitable[Any]:
        if self.user_loader_callback is None:
            raise RuntimeError("no function to load users is registered: register one with @login.user_loader")
        return invoke_handler(self.user_loader_callback, user_id)

    def __call__(self, f: Handler) -> Handler:
        """Call a handler for logged-in users. Others are redirected to the login page."""

        @wraps(f)
        async def for_users(request: Request, *args: Any, **kwargs: Any) -> Any:
            if not await self.get_current_user(request):
                return self._redirect_to_login(request)
            return await call_decorated(f, request, *args, **kwargs)

        return for_users

    def fresh(self, f: Handler) -> Handler:
        """Call a handler for users who have logged in during this browser session.

        Others are redirected to the login page.
        """
        for_users = self(f)

        @wraps(f)
        async def for_fresh_users(request: Request, *args: Any, **kwargs: Any) -> Any:
            if not _session(request).get("_fresh"):
                return self._redirect_to_login(request)
            return await for_users(request, *args, **kwargs)

        return for_fresh_users

    def _redirect_to_login(self, request: Request) -> Response:
        separator = "&" if "?" in self.login_url else "?"
        return redirect(f"{self.login_url}{separator}next={urlencode(request.native.url.target)}")


def _session(request: Request) -> SessionDict:
    return session_of(request).get(request)


def _remember(request: Request, user_id: Any, days: int) -> None:
    """Make the response set the remember-me cookie for a user. For 0 days, delete it."""
    sessions, seconds = session_of(request), days * _DAY
    token = sessions.encode({"user_id": user_id, "days": days, "exp": time.time() + seconds})
    options = {name: value for name, value in sessions.cookie_options.items() if name in _SHARED}

    def set_cookie(response: Response) -> None:
        response.set_cookie(_COOKIE, token, max_age=seconds, **options)

    change_response(request, set_cookie)


def _remembered(request: Request) -> Any:
    """Return the id of the user in the remember-me cookie, and store it in the session; None if there is no such user.

    A token that does not expire is rejected: it belongs to the session, which may contain a ``user_id`` of its own.
    """
    remembered = session_of(request).decode(request.cookies.get(_COOKIE, ""))
    user_id, days = remembered.get("user_id"), remembered.get("days")
    if not user_id or not days or "exp" not in remembered:
        return None
    _remember(request, user_id, days)
    session = _session(request)
    session |= {"_user_id": user_id, "_fresh": False}
    session.save()
    return user_id


def _own_path(location: str) -> str:
    """Return the path on this site that a client wants to visit next; empty for other sites."""
    return redirect_location(location, False, otherwise="") if location.startswith("/") else ""
