"""Sessions, and the interface that opens and saves them, by default in a signed cookie."""

import hashlib
import time
import zlib
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache, wraps
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn

from itsdangerous import BadData, BadPayload, BadSignature, SignatureExpired, URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes

from antiphon.dialects.flask.json.tag import TaggedJSONSerializer
from antiphon.dialects.werkzeug.datastructures import CallbackDict
from antiphon.embedding import TimedSigner
from antiphon.features.stores.tagged_json import from_base64, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.wrappers import Request, Response


def encoded_keys(secret_keys: "Iterable[str | bytes]") -> list[bytes]:
    """Return secret keys as bytes. Raises TypeError if any is neither text nor bytes."""
    keys = [key.encode() if isinstance(key, str) else key for key in secret_keys]
    if wrong := {type(key).__name__ for key in keys if not isinstance(key, bytes)}:
        raise TypeError(f"SECRET_KEY and SECRET_KEY_FALLBACKS must be text or bytes, not {', '.join(sorted(wrong))}")
    return keys


class CookieSerializer:
    """A cookie serializer compatible with ``URLSafeTimedSerializer`` and HMAC-SHA-1 that derives its keys only once.

    The last of the ``secret_keys`` signs; any of them verifies.
    """

    def __init__(self, secret_keys: tuple[str | bytes, ...], salt: str, serializer: "TaggedJSONSerializer") -> None:
        self._signer = TimedSigner(encoded_keys(secret_keys), salt, "sha1")
        self._serializer = serializer

    def dumps(self, data: object) -> str:
        return self._signer.sign(pack(self._serializer.dumps(data)), time.time()).decode()

    def loads(self, value: str, max_age: int) -> Any:
        """Return the data in a cookie's value.

        Raises BadSignature if no key has signed it, SignatureExpired if it is older than ``max_age`` seconds, or
        BadPayload if it can't be decoded.
        """
        unsigned = self._signer.unsign(want_bytes(value))
        if unsigned is None:
            raise BadSignature("the cookie was not signed with a key of this application")
        payload, signed_at = unsigned
        try:
            age = int(time.time()) - int.from_bytes(from_base64(signed_at))
        except ValueError as error:
            raise BadSignature("the cookie's signature has no timestamp") from error
        if not 0 <= age <= max_age:
            raise SignatureExpired(f"the cookie was signed {age} seconds ago")
        try:
            return self._serializer.loads(unpack(payload))
        except Exception as error:  # including errors from a tag
            raise BadPayload("the cookie is signed, but can't be decoded", error) from error


cookie_serializer = lru_cache(16)(CookieSerializer)
"""Return the serializer for the given keys. It is cached until the keys change."""


MOST_DECOMPRESSED = 64 << 10
"""The maximum number of bytes to search in an unverified cookie."""


def may_say(value: str, text: bytes) -> bool:
    """Return False if a cookie's data can't contain this text. The signature is not verified."""
    payload = value.rpartition(".")[0].rpartition(".")[0]
    try:
        data = from_base64(payload.encode())
        if not payload.startswith("."):
            return text in data
        decompressor = zlib.decompressobj()
        return text in decompressor.decompress(data, MOST_DECOMPRESSED) or bool(decompressor.unconsumed_tail)
    except (ValueError, zlib.error):
        return False


class SessionMixin(MutableMapping[str, Any]):
    """A session's attributes. Its data is available as in a dict."""

    new = False
    """True if the interface considers the session new."""
    modified = True
    """True if the interface knows that the data has changed. Changes inside a value go unnoticed."""
    accessed = False
    """True once code has used the session. The response then varies by cookie (``Vary: Cookie``)."""

    @property
    def permanent(self) -> bool:
        """True if the session lasts for PERMANENT_SESSION_LIFETIME rather than until the browser is closed."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


def _note_change(session: "SecureCookieSession") -> None:
    session.modified = True


class SecureCookieSession(CallbackDict[str, Any], SessionMixin):  # pyright: ignore[reportIncompatibleMethodOverride]  # pop
    """A session stored in a cookie. After a change inside a value, set ``session.modified = True``."""

    modified = False

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(initial, _note_change)


class NullSession(SecureCookieSession):
    """An empty, read-only session, used without a secret key."""

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable because no secret key was set. Set the secret_key on the application to"
            " something unique and secret."
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _fail
    del _fail


class SessionInterface:
    """The base class for an interface that opens and saves an application's sessions.

    Subclasses define ``open_session`` and ``save_session``. An instance is set as the application's
    ``session_interface``.
    """

    null_session_class = NullSession
    """The class of the session to use if ``open_session`` returns None."""
    pickle_based = False
    """True if sessions can contain any picklable value."""

    def make_null_session(self, app: "Flask") -> NullSession:  # noqa: ARG002 - subclasses use it
        """Return a session for a request whose session could not be opened."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Return True for a session that is never saved."""
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: "Flask") -> str:
        return app.config["SESSION_COOKIE_NAME"]  # type: ignore[no-any-return]

    def get_cookie_domain(self, app: "Flask") -> str | None:
        """Return the domain whose hosts all get the cookie, or None for this host only."""
        return app.config["SESSION_COOKIE_DOMAIN"]  # type: ignore[no-any-return]

    def get_cookie_path(self, app: "Flask") -> str:
        """Return the path below which the cookie is sent: SESSION_COOKIE_PATH, or else APPLICATION_ROOT."""
        return app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]  # type: ignore[no-any-return]

    def get_cookie_httponly(self, app: "Flask") -> bool:
        """Return True if the cookie is hidden from JavaScript."""
        return app.config["SESSION_COOKIE_HTTPONLY"]  # type: ignore[no-any-return]

    def get_cookie_secure(self, app: "Flask") -> bool:
        """Return True if the cookie is sent only over HTTPS."""
        return app.config["SESSION_COOKIE_SECURE"]  # type: ignore[no-any-return]

    def get_cookie_samesite(self, app: "Flask") -> str | None:
        """Return "Strict" or "Lax" if browsers must not send the cookie with other sites' requests."""
        return app.config["SESSION_COOKIE_SAMESITE"]  # type: ignore[no-any-return]

    def get_cookie_partitioned(self, app: "Flask") -> bool:
        """Return True if browsers keep a separate cookie for each site that embeds this one in a frame."""
        return app.config["SESSION_COOKIE_PARTITIONED"]  # type: ignore[no-any-return]

    def get_expiration_time(self, app: "Flask", session: SessionMixin) -> datetime | None:
        """Return the cookie's expiration time, or None if it ends with the browser session."""
        return datetime.now(UTC) + app.permanent_session_lifetime if session.permanent else None

    def should_set_cookie(self, app: "Flask", session: SessionMixin) -> bool:
        """Return True if the response should set the cookie, as for a changed or, by default, a permanent session."""
        return session.modified or (session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"])

    def open_session(self, app: "Flask", request: "Request") -> SessionMixin | None:
        """Return a request's session, or None if it can't be opened. Called before the request is routed."""
        raise NotImplementedError

    def save_session(self, app: "Flask", session: SessionMixin, response: "Response") -> None:
        """Save a session and set its cookie. Called for each response unless the session is a null session."""
        raise NotImplementedError


session_json_serializer = TaggedJSONSerializer()
"""The serializer for the data in session cookies."""


def _lazy_sha1(string: bytes = b"") -> Any:
    """Return a SHA-1 hash. If a Python build lacks SHA-1, only this call fails."""
    return hashlib.sha1(string)  # noqa: S324 - in an HMAC


class SecureCookieSessionInterface(SessionInterface):
    """Sessions stored in a signed cookie. Clients can read the data, but can't change it."""

    salt = "cookie-session"
    """The purpose of the signature. The same key's signatures for other purposes are not accepted."""
    digest_method: Callable[..., Any] = staticmethod(_lazy_sha1)
    """The signature's hash function."""
    key_derivation = "hmac"
    """The method that itsdangerous uses to derive the signature's key."""
    serializer: Any = session_json_serializer
    """The data serializer: an object with ``dumps`` and ``loads``."""
    session_class: type[SecureCookieSession] = SecureCookieSession
    """The session class."""

    def get_signing_serializer(self, app: "Flask") -> "URLSafeTimedSerializer | None":
        """Return the serializer for cookie values, or None if there is no secret key.

        The application's ``secret_key`` signs values. Signatures made with SECRET_KEY_FALLBACKS are also accepted.
        """
        from itsdangerous import URLSafeTimedSerializer

        if not app.secret_key:
            return None
        return URLSafeTimedSerializer(
            encoded_keys(_secret_keys(app)),
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )

    def _serializer(self, app: "Flask") -> "CookieSerializer | URLSafeTimedSerializer | None":
        """Return the serializer of ``get_signing_serializer``, or a faster equivalent."""
        if not self._is_usual():
            return self.get_signing_serializer(app)
        if not app.secret_key:
            return None
        return cookie_serializer(_secret_keys(app), self.salt, self.serializer)

    def _is_usual(self) -> bool:
        """Return True if cookies are signed in the standard way, whatever their contents."""
        return (
            getattr(self.get_signing_serializer, "__func__", None) is _usual_signing
            and self.digest_method is _lazy_sha1
            and self.key_derivation == "hmac"
            and isinstance(self.salt, str)
            and isinstance(self.serializer, TaggedJSONSerializer)
        )

    def open_session(self, app: "Flask", request: "Request") -> SecureCookieSession | None:
        """Return the session in the request's cookie, or None if there is no secret key.

        The session is empty if the cookie's signature is wrong, if it is older than PERMANENT_SESSION_LIFETIME, or if
        it can't be decoded.
        """
        is_usual = self._is_usual()
        if not app.secret_key if is_usual else self.get_signing_serializer(app) is None:
            return None
        name = self.get_cookie_name(app)
        environ = getattr(request, "environ", None)  # mock requests have none
        if environ is not None and name not in environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        value = request.cookies.get(name)
        if is_usual and self._reads_later():
            return _UnreadSession(self, app, value)
        return self.session_class(self._read_cookie(app, value)) if value else self.session_class()

    def _reads_later(self) -> bool:
        """Return True if reading late has no visible effect and unverified cookies can be searched."""
        classes = type(self), self.session_class, type(self.serializer)
        return classes == (SecureCookieSessionInterface, SecureCookieSession, TaggedJSONSerializer)

    def _read_cookie(self, app: "Flask", value: str) -> dict[str, Any]:
        """Return a cookie's data, or an empty dict if the cookie is not valid."""
        serializer = self._serializer(app)
        assert serializer is not None  # noqa: S101 - as in open_session
        try:
            data = serializer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds()))
        except BadData:
            return {}
        return data if isinstance(data, dict) else {}

    def save_session(self, app: "Flask", session: SessionMixin, response: "Response") -> None:
        """Set the cookie if the session was changed or is permanent. Delete it if the session was emptied."""
        if session.accessed:
            _vary(response)
        if isinstance(session, _UnreadSession) and session.stays(self):
            return
        if not session:
            if session.modified:
                response.delete_cookie(self.get_cookie_name(app), **self._attributes(app))
                _vary(response)
        elif self.should_set_cookie(app, session):
            serializer = self._serializer(app)
            assert serializer is not None  # noqa: S101 - otherwise there would be no session
            value = serializer.dumps(dict(session))
            expires = self.get_expiration_time(app, session)
            response.set_cookie(self.get_cookie_name(app), value, expires=expires, **self._attributes(app))
            _vary(response)

    def _attributes(self, app: "Flask") -> dict[str, Any]:
        return {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
            "partitioned": self.get_cookie_partitioned(app),
        }


def _secret_keys(app: "Flask") -> tuple[Any, ...]:
    """Return the keys: the last one signs, and all of them verify. Raises TypeError for a string instead of a list."""
    fallbacks = app.config["SECRET_KEY_FALLBACKS"] or ()
    if isinstance(fallbacks, str | bytes):
        raise TypeError("SECRET_KEY_FALLBACKS must be a list of keys: each letter of a string would be one")
    return (*fallbacks, app.secret_key)


_usual_signing = SecureCookieSessionInterface.get_signing_serializer


def _vary(response: "Response") -> None:
    if response.headers.get("Vary") is None:
        response.headers["Vary"] = "Cookie"
    else:
        response.vary.add("Cookie")


class _UnreadSession(SecureCookieSession):
    """A session whose cookie is verified and parsed only when code first uses the session.

    It then becomes a SecureCookieSession. This happens as soon as it is accessed, because C code bypasses a dict's
    methods and would otherwise find no data.
    """

    def __init__(self, interface: SecureCookieSessionInterface, app: "Flask", cookie: str | None) -> None:
        self.unread = interface, app, cookie

    @property
    def accessed(self) -> bool:
        """False until code sets it."""
        return False

    @accessed.setter
    def accessed(self, value: bool) -> None:
        self._read()
        self.accessed = value

    def stays(self, interface: SecureCookieSessionInterface) -> bool:
        """Return True if the cookie need not be replaced, as far as is known before it is verified."""
        if self.modified or getattr(interface.should_set_cookie, "__func__", None) is not _usual_setting:
            return False
        cookie = self.unread[2]
        return not (cookie and may_say(cookie, b"_permanent"))

    def _read(self) -> None:
        interface, app, cookie = self.__dict__.get("unread", _READ)
        data = interface._read_cookie(app, cookie) if interface and cookie else None  # noqa: SLF001 - same module
        with _becoming:
            if type(self) is _UnreadSession:  # unless another thread did so first
                SecureCookieSession.__init__(self, data)
                del self.unread
                self.__class__ = SecureCookieSession  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


_READ = (None, None, None)
"""A stand-in for ``unread`` once another thread has read the session."""

_becoming = Lock()
"""Held while a session changes its class."""

_usual_setting = SessionInterface.should_set_cookie


def _reading_first(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def read_first(session: _UnreadSession, *arguments: Any, **options: Any) -> Any:
        session._read()  # noqa: SLF001 - same module
        return method(session, *arguments, **options)

    return read_first


for _name in (
    *("__contains__", "__eq__", "__getitem__", "__iter__", "__len__", "__ne__", "__or__", "__reduce_ex__", "__repr__"),
    *("__delitem__", "__ior__", "__reversed__", "__ror__", "__setitem__", "clear", "copy", "get", "items", "keys"),
    *("pop", "popitem", "setdefault", "update", "values"),
):
    setattr(_UnreadSession, _name, _reading_first(getattr(SecureCookieSession, _name)))
