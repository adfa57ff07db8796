"""Sessions: a visitor's data in a cookie with a signed token, which anyone can read but nobody can change."""

import hmac
import json
import time
import warnings
from base64 import urlsafe_b64encode
from calendar import timegm
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.dispatch import call_decorated
from antiphon.dialects.microdot.request import Request, vary_by
from antiphon.dialects.microdot.response import Response
from antiphon.features.stores.tagged_json import from_base64

_TIMES = ("exp", "iat", "nbf")
_CLAIMS = frozenset({*_TIMES, "aud", "sub", "jti"})
"""The payload members that determine when and for whom a token is valid."""


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _encoded(value: object) -> bytes:
    return _base64(_encode(value).encode())


_HEADER = _encoded({"alg": "HS256", "typ": "JWT"})


def encode_token(payload: dict[str, Any], key: str | bytes) -> str:
    """Return a signed token with a payload.

    The members ``exp``, ``iat`` and ``nbf`` may be datetimes. Raises TypeError for invalid values.
    """
    times = {name: timegm(payload[name].utctimetuple()) for name in _TIMES if isinstance(payload.get(name), datetime)}
    signed = _HEADER + b"." + _encoded({**payload, **times} if times else payload)
    return (signed + b"." + _signature(signed, key)).decode()


def decode_token(token: str, key: str | bytes) -> dict[str, Any] | None:
    """Return a token's payload, or None if it isn't signed with the key or isn't valid now (RFC 7519 §4.1)."""
    signed, _, signature = token.encode(errors="replace").rpartition(b".")
    if not hmac.compare_digest(signature, _signature(signed, key)):
        return None
    try:
        header, encoded = signed.split(b".")
        payload = json.loads(from_base64(encoded))
        is_valid = (header == _HEADER or _is_hs256(json.loads(from_base64(header)))) and _counts(payload, time.time())
    except (ValueError, TypeError, OverflowError, AttributeError):
        return None
    return payload if is_valid else None


def _signature(signed: bytes, key: str | bytes) -> bytes:
    return _base64(hmac.digest(key.encode() if isinstance(key, str) else key, signed, "sha256"))


def _is_hs256(header: dict[str, Any]) -> bool:
    """Return True unless a token is signed differently, is of another kind, or needs an extension."""
    kind = str(header.get("typ", "jwt")).lower().removeprefix("application/")
    return header.get("alg") == "HS256" and kind == "jwt" and "crit" not in header and header.get("b64", True) is True


def _counts(payload: dict[str, Any], now: float) -> bool:
    """Return True if a token is already valid, has not expired, and declares no audience.

    Malformed times raise errors.
    """
    if payload.keys().isdisjoint(_CLAIMS):
        return True
    begun = [int(payload[name]) <= now for name in ("iat", "nbf") if name in payload]
    ended = "exp" in payload and int(payload["exp"]) <= now
    names = [payload.get(name, "") for name in ("sub", "jti")]
    return all(begun) and not ended and not payload.get("aud") and all(isinstance(name, str) for name in names)


_COOKIE = "session"
_SHORTEST_KEY = 32
"""The length in bytes of the shortest key that is as hard to guess as the signature (RFC 7518 §3.2)."""


class SessionDict(dict[str, Any]):
    """A session's data, which can be changed. ``save`` stores the changes."""

    def __init__(self, request: Request, session_dict: dict[str, Any]) -> None:
        super().__init__(session_dict)
        self.request = request

    def save(self) -> None:
        """Make the response set the session cookie to the current data.

        Raises TypeError for values that JSON can't represent.
        """
        session_of(self.request).update(self.request, self)

    def delete(self) -> None:
        session_of(self.request).delete(self.request)


class Session:
    """An application's sessions: JSON Web Tokens in a cookie named ``session``.

    ``secret_key``, text or bytes, signs the tokens. ``cookie_options`` are passed to ``Response.set_cookie``. By
    default, the cookie is sent for all paths and hidden from scripts. Microdot and this dialect can read each other's
    cookies.
    """

    def __init__(
        self,
        app: Microdot | None = None,
        secret_key: str | bytes | None = None,
        cookie_options: dict[str, Any] | None = None,
    ) -> None:
        self.secret_key = secret_key
        self.cookie_options = cookie_options or {}
        if app is not None:
            self._keep(app)

    def initialize(
        self, app: Microdot, secret_key: str | bytes | None = None, cookie_options: dict[str, Any] | None = None
    ) -> None:
        """Set up an application's sessions. Warns if the key is easier to guess than a signature."""
        if secret_key is not None:
            self.secret_key = secret_key
        if cookie_options is not None:
            self.cookie_options = cookie_options
        self._keep(app)

    def _keep(self, app: Microdot) -> None:
        self.cookie_options = {"path": "/", "http_only": True, **self.cookie_options}
        app._session = self  # noqa: SLF001 - Microdot's name
        if self.secret_key and len(self.secret_key) < _SHORTEST_KEY:
            message = f"the secret key has fewer than {_SHORTEST_KEY} bytes: make one with secrets.token_urlsafe()"
            warnings.warn(message, stacklevel=3)

    def _key(self) -> str | bytes:
        if not self.secret_key:
            raise ValueError("The session secret key is not configured: pass one as in Session(app, secret_key=...)")
        return self.secret_key

    def get(self, request: Request) -> SessionDict:
        """Return the session for a request; empty if it has no valid one. Raises ValueError without a secret key."""
        self._key()
        session: SessionDict | None = getattr(request.g, "_session", None)
        if session is None:
            vary_by(request, "cookie")
            cookie = request.cookies.get(_COOKIE)
            session = SessionDict(request, self.decode(cookie) if cookie else {})
            request.g._session = session  # noqa: SLF001 - Microdot's name
        return session

    def update(self, request: Request, session: dict[str, Any]) -> None:
        """Make the response set the session cookie to the data. Raises ValueError without a secret key."""
        encoded = self.encode(session)

        def set_cookie(response: Response) -> None:
            response.set_cookie(_COOKIE, encoded, **self.cookie_options)

        change_response(request, set_cookie)

    def delete(self, request: Request) -> None:

        def delete_cookie(response: Response) -> None:
            response.delete_cookie(_COOKIE, **self.cookie_options)

        change_response(request, delete_cookie)

    def encode(self, payload: dict[str, Any], secret_key: str | bytes | None = None) -> str:
        """Return data as a signed token.

        Raises TypeError for values that JSON can't represent, or ValueError without a secret key.
        """
        return encode_token(payload, secret_key or self._key())

    def decode(self, session: str, secret_key: str | bytes | None = None) -> dict[str, Any]:
        """Return the data in a signed token; empty if it is not valid. Raises ValueError without a secret key."""
        return decode_token(session, secret_key or self._key()) or {}


def session_of(request: Request) -> Session:
    """Return the current application's sessions. Raises RuntimeError with a hint if there are none."""
    sessions = request.app._session  # noqa: SLF001 - Microdot's name
    if sessions is None:
        raise RuntimeError("the application has no sessions: create them with Session(app, secret_key=...)")
    return sessions


def change_response(request: Request, change: Callable[[Response], None]) -> None:
    """Register a function that changes the response to a request, unless that is an error response."""

    @request.after_request
    async def after(_request: Request, response: Response) -> None:
        change(response)


def with_session(f: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the session to a handler, after the request. Handlers must save their changes. Used as a decorator."""

    @wraps(f)
    async def wrapper(request: Request, *args: Any, **kwargs: Any) -> Any:
        return await call_decorated(f, request, session_of(request).get(request), *args, **kwargs)

    return wrapper
