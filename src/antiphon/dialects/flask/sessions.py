"""Sessions, and the interface with which an application opens and saves them: by default in a signed cookie."""

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
    """Return secret keys as bytes. Raises TypeError for other values."""
    keys = [key.encode() if isinstance(key, str) else key for key in secret_keys]
    if wrong := {type(key).__name__ for key in keys if not isinstance(key, bytes)}:
        raise TypeError(f"SECRET_KEY and SECRET_KEY_FALLBACKS have texts or bytes, and not {', '.join(sorted(wrong))}")
    return keys


class CookieSerializer:
    """Writes and reads cookies as a ``URLSafeTimedSerializer`` does, with an HMAC of SHA-1, but derives its keys once.

    The last of the ``secret_keys`` signs, all of them verify.
    """

    def __init__(self, secret_keys: tuple[str | bytes, ...], salt: str, serializer: "TaggedJSONSerializer") -> None:
        self._signer = TimedSigner(encoded_keys(secret_keys), salt, "sha1")
        self._serializer = serializer

    def dumps(self, data: object) -> str:
        """Return data as a cookie's value."""
        return self._signer.sign(pack(self._serializer.dumps(data)), time.time()).decode()

    def loads(self, value: str, max_age: int) -> Any:
        """Return the data of a value. Raises BadSignature for one that no key signed, SignatureExpired for one older
        than ``max_age`` seconds, and BadPayload for one that can't be read.
        """
        unsigned = self._signer.unsign(want_bytes(value))
        if unsigned is None:
            raise BadSignature("the cookie was not signed with a key of this application")
        payload, signed_at = unsigned
        try:
            age = int(time.time()) - int.from_bytes(from_base64(signed_at))
        except ValueError as error:
            raise BadSignature("the cookie was signed at no time") from error
        if not 0 <= age <= max_age:
            raise SignatureExpired(f"the cookie was signed {age} seconds ago")
        try:
            return self._serializer.loads(unpack(payload))
        except Exception as error:  # of a tag, too
            raise BadPayload("the cookie was signed, and can't be read", error) from error


cookie_serializer = lru_cache(16)(CookieSerializer)
"""Return the serializer for these keys: each application has one, until its keys are changed."""


MOST_DECOMPRESSED = 64 << 10
"""The most bytes of data to search in a cookie that is not verified yet."""


def may_say(value: str, text: bytes) -> bool:
    """Return False if the data of a cookie does not contain this text. Nothing is verified."""
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
    """The attributes of a session, in addition to its data, which behaves like a dict."""

    new = False
    """True for a new session, as far as its interface knows."""
    modified = True
    """True if the data has changed, as far as its interface knows. Changes inside a value are not noticed."""
    accessed = False
    """True once code has used the session. The response then has ``Vary: Cookie``."""

    @property
    def permanent(self) -> bool:
        """True for a session that lasts for PERMANENT_SESSION_LIFETIME instead of until the browser is closed."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


def _note_change(session: "SecureCookieSession") -> None:
    session.modified = True


class SecureCookieSession(CallbackDict[str, Any], SessionMixin):  # pyright: ignore[reportIncompatibleMethodOverride]  # pop
    """The session of a cookie. After a change inside a value, set ``session.modified = True``."""

    modified = False

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(initial, _note_change)


class NullSession(SecureCookieSession):
    """An empty, read-only session, used without a secret key."""

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable, since there is no secret key to sign its cookie: set the application's"
            " secret_key to a text that nobody can guess"
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _fail
    del _fail


class SessionInterface:
    """How an application opens and saves sessions: a base class, whose subclasses define ``open_session`` and
    ``save_session``.

    Set as ``session_interface`` of an application.
    """

    null_session_class = NullSession
    """The class of sessions where ``open_session`` returns None."""
    pickle_based = False
    """True if sessions can contain any value that can be pickled."""

    def make_null_session(self, app: "Flask") -> NullSession:  # noqa: ARG002 - subclasses use it
        """Return the session of a request for which none could be opened."""
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Return True for a session that is never saved."""
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: "Flask") -> str:
        """Return the name of the cookie."""
        return app.config["SESSION_COOKIE_NAME"]  # type: ignore[no-any-return]

    def get_cookie_domain(self, app: "Flask") -> str | None:
        """Return the domain of the cookie, all of whose hosts get it, or None for only this host."""
        return app.config["SESSION_COOKIE_DOMAIN"]  # type: ignore[no-any-return]

    def get_cookie_path(self, app: "Flask") -> str:
        """Return the path below which the cookie is sent: SESSION_COOKIE_PATH, else APPLICATION_ROOT."""
        return app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]  # type: ignore[no-any-return]

    def get_cookie_httponly(self, app: "Flask") -> bool:
        """Return True to hide the cookie from scripts."""
        return app.config["SESSION_COOKIE_HTTPONLY"]  # type: ignore[no-any-return]

    def get_cookie_secure(self, app: "Flask") -> bool:
        """Return True to have the cookie sent over https only."""
        return app.config["SESSION_COOKIE_SECURE"]  # type: ignore[no-any-return]

    def get_cookie_samesite(self, app: "Flask") -> str | None:
        """Return "Strict" or "Lax" to have browsers keep the cookie from other sites' requests."""
        return app.config["SESSION_COOKIE_SAMESITE"]  # type: ignore[no-any-return]

    def get_cookie_partitioned(self, app: "Flask") -> bool:
        """Return True for a cookie that frames in other sites keep separately for each site."""
        return app.config["SESSION_COOKIE_PARTITIONED"]  # type: ignore[no-any-return]

    def get_expiration_time(self, app: "Flask", session: SessionMixin) -> datetime | None:
        """Return the time when the cookie expires, or None for the end of the browser's session."""
        return datetime.now(UTC) + app.permanent_session_lifetime if session.permanent else None

    def should_set_cookie(self, app: "Flask", session: SessionMixin) -> bool:
        """Return True for a session whose cookie the response sets: a changed one, and by default a permanent one."""
        return session.modified or (session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"])

    def open_session(self, app: "Flask", request: "Request") -> SessionMixin | None:
        """Return the session of a request, or None if there can be none. Called before the request is routed."""
        raise NotImplementedError

    def save_session(self, app: "Flask", session: SessionMixin, response: "Response") -> None:
        """Save a session, and set its cookie. Called with each response, but not for null sessions."""
        raise NotImplementedError


session_json_serializer = TaggedJSONSerializer()
"""Reads and writes the data in cookies."""


def _lazy_sha1(string: bytes = b"") -> Any:
    """Return a SHA-1 hash. Some builds of Python lack it, and there only its use fails."""
    return hashlib.sha1(string)  # noqa: S324 - in an HMAC


class SecureCookieSessionInterface(SessionInterface):
    """Sessions in a signed cookie: anyone who has the cookie can read the data, but not change it."""

    salt = "cookie-session"
    """The purpose of the signature, which other signatures with the same key don't share."""
    digest_method: Callable[..., Any] = staticmethod(_lazy_sha1)
    """The hash of the signature."""
    key_derivation = "hmac"
    """How itsdangerous derives the key of the signature."""
    serializer: Any = session_json_serializer
    """Reads and writes the data: an object with ``dumps`` and ``loads``."""
    session_class: type[SecureCookieSession] = SecureCookieSession
    """The class of sessions."""

    def get_signing_serializer(self, app: "Flask") -> "URLSafeTimedSerializer | None":
        """Return the serializer of cookie values, or None without a secret key.

        The application's ``secret_key`` signs. Signatures of the SECRET_KEY_FALLBACKS count, too.
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
        """Return the serializer of ``get_signing_serializer``, or one that does so faster."""
        if not self._is_usual():
            return self.get_signing_serializer(app)
        if not app.secret_key:
            return None
        return cookie_serializer(_secret_keys(app), self.salt, self.serializer)

    def _is_usual(self) -> bool:
        """Return True if cookies are signed in the standard way, whatever they contain."""
        return (
            getattr(self.get_signing_serializer, "__func__", None) is _usual_signing
            and self.digest_method is _lazy_sha1
            and self.key_derivation == "hmac"
            and isinstance(self.salt, str)
            and isinstance(self.serializer, TaggedJSONSerializer)
        )

    def open_session(self, app: "Flask", request: "Request") -> SecureCookieSession | None:
        """Return the session of the request's cookie; None without a secret key.

        It is empty for a cookie that was not signed here, that is older than PERMANENT_SESSION_LIFETIME, or that can't
        be read.
        """
        is_usual = self._is_usual()
        if not app.secret_key if is_usual else self.get_signing_serializer(app) is None:
            return None
        name = self.get_cookie_name(app)
        environ = getattr(request, "environ", None)  # stand-ins for requests lack it
        if environ is not None and name not in environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        value = request.cookies.get(name)
        if is_usual and self._reads_later():
            return _UnreadSession(self, app, value)
        return self.session_class(self._read_cookie(app, value)) if value else self.session_class()

    def _reads_later(self) -> bool:
        """Return True if late reading has no visible effect, and the cookie's content is visible unverified."""
        classes = type(self), self.session_class, type(self.serializer)
        return classes == (SecureCookieSessionInterface, SecureCookieSession, TaggedJSONSerializer)

    def _read_cookie(self, app: "Flask", value: str) -> dict[str, Any]:
        """Return the data of a cookie, without any if it does not count."""
        serializer = self._serializer(app)
        assert serializer is not None  # noqa: S101 - as in open_session
        try:
            data = serializer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds()))
        except BadData:
            return {}
        return data if isinstance(data, dict) else {}

    def save_session(self, app: "Flask", session: SessionMixin, response: "Response") -> None:
        """Set the cookie if the session was changed, or is permanent; delete it if the session was emptied."""
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
            assert serializer is not None  # noqa: S101 - or there would be no session
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
    """Return the keys: all of them verify, and the last one signs. Raises TypeError for a text instead of a list."""
    fallbacks = app.config["SECRET_KEY_FALLBACKS"] or ()
    if isinstance(fallbacks, str | bytes):
        raise TypeError("SECRET_KEY_FALLBACKS is a list of keys: of a text, each letter would be one")
    return (*fallbacks, app.secret_key)


_usual_signing = SecureCookieSessionInterface.get_signing_serializer


def _vary(response: "Response") -> None:
    if response.headers.get("Vary") is None:
        response.headers["Vary"] = "Cookie"
    else:
        response.vary.add("Cookie")


class _UnreadSession(SecureCookieSession):
    """The session of a request, whose cookie is verified and parsed when code first asks for it. It becomes a
    SecureCookieSession then.

    Code in C asks none of a dict's methods, and would find none of the data: a session is read once it is accessed.
    """

    def __init__(self, interface: SecureCookieSessionInterface, app: "Flask", cookie: str | None) -> None:
        self.unread = interface, app, cookie

    @property
    def accessed(self) -> bool:
        """False, before it is set."""
        return False

    @accessed.setter
    def accessed(self, value: bool) -> None:
        self._read()
        self.accessed = value

    def stays(self, interface: SecureCookieSessionInterface) -> bool:
        """Return True if the cookie needs no other one, as far as can be told without verifying it."""
        if self.modified or getattr(interface.should_set_cookie, "__func__", None) is not _usual_setting:
            return False
        cookie = self.unread[2]
        return not (cookie and may_say(cookie, b"_permanent"))

    def _read(self) -> None:
        interface, app, cookie = self.__dict__.get("unread", _READ)
        data = interface._read_cookie(app, cookie) if interface and cookie else None  # noqa: SLF001 - of this file
        with _becoming:
            if type(self) is _UnreadSession:  # and no other thread was first
                SecureCookieSession.__init__(self, data)
                del self.unread
                self.__class__ = SecureCookieSession  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


_READ = (None, None, None)
"""The replacement of an unread session, once another thread has read it."""

_becoming = Lock()
"""Held for as long as a session changes its class."""

_usual_setting = SessionInterface.should_set_cookie


def _reading_first(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def read_first(session: _UnreadSession, *arguments: Any, **options: Any) -> Any:
        session._read()  # noqa: SLF001 - of this file
        return method(session, *arguments, **options)

    return read_first


for _name in (
    *("__contains__", "__eq__", "__getitem__", "__iter__", "__len__", "__ne__", "__or__", "__reduce_ex__", "__repr__"),
    *("__delitem__", "__ior__", "__reversed__", "__ror__", "__setitem__", "clear", "copy", "get", "items", "keys"),
    *("pop", "popitem", "setdefault", "update", "values"),
):
    setattr(_UnreadSession, _name, _reading_first(getattr(SecureCookieSession, _name)))
