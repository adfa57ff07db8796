"""The middleware that provides and stores ``request.session``."""

from threading import Lock
from typing import Any

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.kay.conf import settings
from antiphon.dialects.kay.dependencies import provide
from antiphon.dialects.kay.sessions.sessionstore import GAESessionStore
from antiphon.dialects.kay.werkzeug.wrappers import Request
from antiphon.embedding import environ_request
from antiphon.features import Sessions
from antiphon.features.tracked_session import TrackedSession

_NATIVE = "antiphon.kay.session"
"""The environ key of the Antiphon request whose session was read."""


class SessionMiddleware:
    """Middleware that provides ``request.session``: a dict whose data is kept between a visitor's requests.

    It is loaded on first access and stored if it has changed, including inside nested lists and dicts. The settings are
    SESSION_STORE, COOKIE_NAME and COOKIE_AGE (in seconds).
    """

    def __init__(self) -> None:
        self._made: Sessions | None = None
        self._lock = Lock()

    def process_request(self, request: Any) -> None:
        provide(request.environ, Request.session, self._open)

    def process_response(self, request: Any, response: Any) -> Any:
        """Store the session and return the response with its cookie.

        If the session was used, the response is marked as private to keep it out of shared caches.
        """
        native: NativeRequest | None = request.environ.pop(_NATIVE, None)
        if native is None:
            return response
        session = native.session
        if isinstance(session, TrackedSession) and session.is_used:
            response.vary.add("Cookie")
            response.cache_control.public = response.cache_control.s_maxage = None
            response.cache_control.private = True
        told = NativeResponse()
        self._sessions.access.save(native, told)
        for line in told.headers.getall("set-cookie"):
            response.headers.add("Set-Cookie", line)
        return response

    def _open(self, request: Any) -> Any:
        native = environ_request(request.environ)
        native.session = self._sessions.access.load(native)
        request.environ[_NATIVE] = native
        return native.session

    @property
    def _sessions(self) -> Sessions:
        """Antiphon's session feature, made on first use from the application's settings."""
        with self._lock:
            if self._made is None:
                store = settings.load("SESSION_STORE") or GAESessionStore
                age = settings.COOKIE_AGE
                self._made = Sessions(
                    store() if isinstance(store, type) else store, idle=age, lifetime=age, cookie=settings.COOKIE_NAME
                )
            return self._made
