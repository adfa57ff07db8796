"""Sessions stored in a signed cookie."""

import pickle
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.csrf import check_csrf_origin, check_csrf_token
from antiphon.dialects.pyramid.interfaces import ISession
from antiphon.dialects.pyramid.util import bytes_, text_
from antiphon.dialects.webob.cookies import JSONSerializer, SignedSerializer

__all__ = [
    "BaseCookieSessionFactory", "JSONSerializer", "PickleSerializer", "SignedCookieSessionFactory", "SignedSerializer",
    "check_csrf_origin", "check_csrf_token", "manage_accessed", "manage_changed",
]  # fmt: skip

LONGEST_COOKIE = 4064
"""The maximum number of bytes that browsers store of a cookie's value, not counting its name and attributes."""


def manage_accessed(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Make a session method record the access time, and resend the cookie if it is older than the reissue time."""

    @wraps(wrapped)
    def accessed(session: Any, *args: Any, **kw: Any) -> Any:
        session.accessed = now = int(time.time())
        due = session._reissue_time  # noqa: SLF001 - a session's attribute
        if due is not None and now - session.renewed > due:
            session.changed()
        return wrapped(session, *args, **kw)

    return accessed


def manage_changed(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Make a session method record the access time and resend the cookie."""

    @wraps(wrapped)
    def changed(session: Any, *args: Any, **kw: Any) -> Any:
        session.accessed = int(time.time())
        session.changed()
        return wrapped(session, *args, **kw)

    return changed


class PickleSerializer:
    """A pickle serializer for cookies from before Pyramid 2.0. Anyone who knows the secret can execute code."""

    def __init__(self, protocol: int = pickle.HIGHEST_PROTOCOL) -> None:
        self.protocol = protocol

    def loads(self, bstruct: bytes) -> Any:
        """Unpickle a value. Raises ValueError if that fails."""
        try:
            return pickle.loads(bstruct)  # noqa: S301 - see the class docstring
        except Exception as error:
            raise ValueError(f"no pickle: {error}") from None

    def dumps(self, appstruct: Any) -> bytes:
        return pickle.dumps(appstruct, self.protocol)


@implementer(ISession)
class _CookieSession(dict[str, Any]):
    """A session that is stored entirely in a cookie. Subclasses define the settings."""

    _serializer: Any
    _cookie_name: str
    _cookie_max_age: int | None
    _cookie_path: str
    _cookie_domain: str | None
    _cookie_secure: bool
    _cookie_httponly: bool
    _cookie_samesite: str | None
    _cookie_on_exception: bool
    _timeout: int | None
    _reissue_time: int | None
    _dirty = False

    def __init__(self, request: Any) -> None:
        self.request: Any = request
        now = time.time()
        found = self._read(request)
        self.new = found is None
        self.renewed, self.created, state = found or (now, now, {})
        self.accessed = self.renewed
        is_over = self._timeout is not None and now - self.renewed > self._timeout
        super().__init__({} if is_over else state)

    def _read(self, request: Any) -> tuple[float, float, dict[str, Any]] | None:
        """Return when the cookie was sent, when the session began, and its values; None if there is no valid cookie."""
        cookie = request.cookies.get(self._cookie_name)
        if cookie is None:
            return None
        try:
            renewed, created, state = self._serializer.loads(bytes_(cookie))
            return float(renewed), float(created), dict(state)
        except (TypeError, ValueError):  # the serializer may not sign
            return None

    def changed(self) -> None:
        """Send the cookie with the response. Call this after a change inside a value."""
        if not self._dirty:
            self._dirty = True
            self.request.add_response_callback(self._send)

    def _send(self, request: Any, response: Any) -> None:  # noqa: ARG002 - a response callback
        self._set_cookie(response)
        self.request = None  # the request refers to the session

    def invalidate(self) -> None:
        self.clear()

    get = manage_accessed(dict.get)
    __getitem__ = manage_accessed(dict.__getitem__)
    items = manage_accessed(dict.items)
    values = manage_accessed(dict.values)
    keys = manage_accessed(dict.keys)
    __contains__ = manage_accessed(dict.__contains__)
    __len__ = manage_accessed(dict.__len__)
    __iter__ = manage_accessed(dict.__iter__)

    clear = manage_changed(dict.clear)
    update = manage_changed(dict.update)
    setdefault = manage_changed(dict.setdefault)
    pop = manage_changed(dict.pop)
    popitem = manage_changed(dict.popitem)
    __setitem__ = manage_changed(dict.__setitem__)
    __delitem__ = manage_changed(dict.__delitem__)

    # Messages for the next page

    @manage_changed
    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Add a message to a queue. Without ``allow_duplicate``, skip a message that is already in the queue."""
        storage = self.setdefault(f"_f_{queue}", [])
        if allow_duplicate or msg not in storage:
            storage.append(msg)

    @manage_changed
    def pop_flash(self, queue: str = "") -> Any:
        return self.pop(f"_f_{queue}", [])

    @manage_accessed
    def peek_flash(self, queue: str = "") -> Any:
        return self.get(f"_f_{queue}", [])

    # CSRF tokens

    @manage_changed
    def new_csrf_token(self) -> str:
        token = self["_csrft_"] = secrets.token_hex(20)
        return token

    @manage_accessed
    def get_csrf_token(self) -> Any:
        """Return the token, after making one if there is none."""
        token = self.get("_csrft_", None)
        return self.new_csrf_token() if token is None else token

    def _set_cookie(self, response: Any) -> bool:
        """Set the cookie on a response. Raises ValueError if the values are too long for a cookie."""
        if not self._cookie_on_exception and getattr(self.request, "exception", None) is not None:
            return False
        value = text_(self._serializer.dumps((self.accessed, self.created, dict(self))))
        if len(value) > LONGEST_COOKIE:
            raise ValueError(f"Cookie value is too long to store ({len(value)} bytes)")
        response.set_cookie(
            self._cookie_name,
            value=value,
            max_age=self._cookie_max_age,
            path=self._cookie_path,
            domain=self._cookie_domain,
            secure=self._cookie_secure,
            httponly=self._cookie_httponly,
            samesite=self._cookie_samesite,
        )
        return True


def BaseCookieSessionFactory(  # noqa: N802 - Pyramid's name
    serializer: Any,
    cookie_name: str = "session",
    max_age: Any = None,
    path: str = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: str | None = "Lax",
    timeout: Any = 1200,
    reissue_time: Any = 0,
    set_on_exception: bool = True,
) -> Any:
    """Return a factory of sessions whose cookies are made by a serializer.

    The serializer must sign them, or clients can change the data.

    ``max_age`` is the cookie's lifetime in seconds. A session ends ``timeout`` seconds after its cookie was last sent.
    If the session is used ``reissue_time`` seconds after that, the cookie is sent again; None means never. With
    ``set_on_exception=False``, responses of exception views don't include the cookie.
    """
    settings = {
        "_serializer": serializer,
        "_cookie_name": cookie_name,
        "_cookie_max_age": _whole(max_age),
        "_cookie_path": path,
        "_cookie_domain": domain,
        "_cookie_secure": secure,
        "_cookie_httponly": httponly,
        "_cookie_samesite": samesite,
        "_cookie_on_exception": set_on_exception,
        "_timeout": _whole(timeout),
        "_reissue_time": _whole(reissue_time),
    }
    settings["__qualname__"] = f"{BaseCookieSessionFactory.__name__}.<locals>.CookieSession"  # tests compare its text
    return type("CookieSession", (_CookieSession,), settings)


def _whole(seconds: Any) -> int | None:
    return None if seconds is None else int(seconds)


def SignedCookieSessionFactory(  # noqa: N802 - Pyramid's name
    secret: Any,
    cookie_name: str = "session",
    max_age: Any = None,
    path: str = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: str | None = "Lax",
    set_on_exception: bool = True,
    timeout: Any = 1200,
    reissue_time: Any = 0,
    hashalg: str = "sha512",
    salt: Any = "pyramid.session.",
    serializer: Any = None,
) -> Any:
    """Return a factory of sessions with signed cookies. Clients can read the data, but can't change it.

    ``serializer`` converts the values to bytes; by default, it uses JSON. The other arguments are passed to
    ``BaseCookieSessionFactory``.
    """
    return BaseCookieSessionFactory(
        SignedSerializer(secret, salt, hashalg, serializer=serializer or JSONSerializer()),
        cookie_name=cookie_name,
        max_age=max_age,
        path=path,
        domain=domain,
        secure=secure,
        httponly=httponly,
        samesite=samesite,
        timeout=timeout,
        reissue_time=reissue_time,
        set_on_exception=set_on_exception,
    )
