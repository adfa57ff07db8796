"""The parts of a request that outlive it: session, messages, tokens, user and rate limits."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from antiphon import BadSignature, Dependency
from antiphon import Request as NativeRequest
from antiphon.dialects.asok import auth
from antiphon.dialects.asok.exceptions import RateLimitExceeded
from antiphon.dialects.asok.session import COOKIE as SESSION_COOKIE
from antiphon.dialects.asok.session import Session, flash, get_flashed_messages, regenerate, session_of
from antiphon.embedding import is_async
from antiphon.features import BadCSRFToken, CSRFTokens, csp_nonce, csrf_token
from antiphon.features.html import Markup
from antiphon.features.rate_limits import parse_rate
from antiphon.http import TooManyRequests

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request import Request
    from antiphon.features import RateLimit as NativeLimit
    from antiphon.features import Store


LIFETIME = 3600
"""The number of seconds for which a magic link is valid, unless MAGIC_LINK_TTL is set."""
_SKEW = 300
"""The number of seconds by which clocks may differ: the link may be valid for so long by another one."""


class BearerToken:
    """Tokens for a user's programs, signed with SECRET_KEY. They can't be revoked, so let each of them expire."""

    @staticmethod
    def create(request: "RequestState", user_id: Any, expires_in: int | None = None) -> str:
        """Return a token for a user's id. It expires after the given number of seconds; None means never."""
        return _sign(request, "bearer", str(user_id), expires_in)

    @staticmethod
    def verify(request: "RequestState", token: str | None) -> str | None:
        """Return the id that a token contains, as text; None if the token is expired or forged."""
        found = _unsign(request, "bearer", token)
        return found[0] if found else None


class MagicLink:
    """Tokens for links in emails. Anyone who can read the email can log in. Each token works once."""

    @staticmethod
    def create_token(request: "RequestState", email: str, expires_in: int | None = None) -> str:
        """Return a token for an email address. It expires after MAGIC_LINK_TTL seconds, by default an hour."""
        seconds = request.app.config.get("MAGIC_LINK_TTL", LIFETIME) if expires_in is None else expires_in
        return _sign(request, "magic link", email, seconds)

    @staticmethod
    def verify_token(request: "RequestState", token: str | None) -> str | None:
        """Return the address that a token contains, but only once; None for a used, expired or forged token."""
        found = _unsign(request, "magic link", token)
        if found is None:
            return None
        email, end = found
        signed = str(token).rpartition(".")[0]  # several base64 spellings of the signature are valid
        used = request.app.session_store.native.add(f"magic link\n{signed}", {}, ttl=end - time.time() + _SKEW)
        return None if used is None else email

    @staticmethod
    def send(*_: Any, **__: Any) -> NoReturn:
        """Raise NotImplementedError, since the dialect does not send email."""
        raise NotImplementedError(
            "asok.Mail is not supported: make a token with create_token, and send the link yourself"
        )


class Auth:
    """The token makers of an application: ``magic`` and ``token``."""

    magic = MagicLink
    token = BearerToken

    @property
    def oauth(self) -> NoReturn:
        """Raise NotImplementedError with a pointer to OAuth logins through Authlib."""
        raise NotImplementedError("request.auth.oauth is not supported: use Authlib, as docs/how-to/oauth.md shows")


def _sign(request: "RequestState", purpose: str, name: str, seconds: float | None) -> str:
    end = None if seconds is None else time.time() + seconds
    signed: str = request.native.app.signer(f"asok {purpose}").sign([name, end])
    return signed


def _unsign(request: "RequestState", purpose: str, token: str | None) -> tuple[str, Any] | None:
    try:
        name, end = request.native.app.signer(f"asok {purpose}").unsign(token)
    except BadSignature:
        return None
    return None if end is not None and end <= time.time() else (name, end)


COOKIE = "asok_csrf"
"""The cookie that gives scripts the token. It is set with each page that has a token, and never read."""


def install_csrf(native: "App", config: "Mapping[str, Any]") -> None:
    """Make an application refuse writes without a valid token, unless the CSRF setting is false."""
    if config["CSRF"]:
        native.use(CSRFTokens())


def advise(app: "Asok", native: NativeRequest, error: Exception) -> None:
    """Log once that a write was refused because its session may be in another process's memory."""
    is_away = isinstance(error, BadCSRFToken) and error.reason == "expired" and SESSION_COOKIE in native.cookies
    if is_away and app.session_store.backend == "memory":
        app.advice.give(
            "A write whose session is unknown to this process",
            'SESSION_BACKEND="file", a store that all workers share and that survives a restart',
        )


def token_of(request: "RequestState") -> str:
    """Return the token for the response; empty if the CSRF setting is false."""
    if not request.app.config["CSRF"]:
        return ""
    token = csrf_token(request.native)
    if not request.tells_token:
        request.tells_token = True
        secure = "; Secure" if request.native.is_secure else ""
        cookie = f"{COOKIE}={token}; Max-Age=86400; Path=/{secure}; SameSite=Strict"
        cast("Request", request).header("Set-Cookie", cookie)
    return token


def input_of(request: "RequestState") -> Markup:
    """Return the hidden input with the token, as HTML that templates do not escape."""
    return Markup(f'<input type="hidden" name="csrf_token" value="{token_of(request)}">')


F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_read_rate = re.compile(r" *([0-9]{1,9}) */ *([smhd])[a-z]* *", re.IGNORECASE).fullmatch
_is_name = re.compile(r"[ -!#-\[\]-~]{1,80}").fullmatch
_CALLER = Dependency[str | None]("caller of a limit")


class RateLimit:
    """A limit on the requests of one caller: "60/m", or a number of requests per ``window`` seconds, by default 60.

    A caller is identified by its address, or by the text that ``key_func`` returns for the request. Limits with the
    same ``prefix`` and rate share a count. A limit is also a middleware: ``app.use(RateLimit("100/m"))``. Raises
    ValueError for an invalid rate.
    """

    def __init__(
        self,
        limit: str | int = 60,
        window: int | None = None,
        key_func: "Callable[[Request], str | None] | None" = None,
        *,
        prefix: str = "rl",
    ) -> None:
        self.key_func = key_func
        self.prefix = _short(prefix)
        self._rate = native_rate(limit, window)
        parse_rate(self._rate)

    def check(self, request: "RequestState") -> None:
        """Count a request. Raises RateLimitExceeded (429) above the limit."""
        native, has_key = request.native, self.key_func is not None
        limit = _limit(request.app.counters, self._rate, self.prefix, has_key)
        if self.key_func is not None:
            native[_CALLER] = self.key_func(cast("Request", request))
        try:
            limit(native)
        except TooManyRequests as error:
            raise RateLimitExceeded(str(error.detail), retry_after=_seconds(error)) from error

    def __call__(self, request: "Request", next_handler: "Callable[[Request], Any]") -> Any:
        self.check(request)
        return next_handler(request)


def rate_limit(limit: str | int, window: int | None = None, **options: Any) -> Callable[[F], F]:
    """Limit how often one caller may request a page: ``@rate_limit("5/m")``, with the options of ``RateLimit``.

    Each decorated function has its own count unless a ``prefix`` is given.
    """

    def decorate(function: Any) -> Any:
        limiter = RateLimit(limit, window, **{"prefix": f"{function.__module__}.{function.__qualname__}", **options})

        if is_async(function):

            @wraps(function)
            async def limited_async(request: "Request", *args: Any, **kwargs: Any) -> Any:
                limiter.check(request)
                return await function(request, *args, **kwargs)

            return limited_async

        @wraps(function)
        def limited(request: "Request", *args: Any, **kwargs: Any) -> Any:
            limiter.check(request)
            return function(request, *args, **kwargs)

        return limited

    return decorate


def check_rate(request: "RequestState", limit: str | int, window: int | None = None, prefix: str | None = None) -> None:
    """Count a request for its page, or for all pages with the same ``prefix``.

    Raises RateLimitExceeded (429). Requests that match no page share one count, since clients choose their paths.
    """
    RateLimit(limit, window, prefix=prefix or request.native.endpoint or "no page").check(request)


def native_rate(limit: str | int, window: int | None) -> str:
    """Convert a rate to the native format: "60/m" becomes "60/minute". Raises ValueError if it is malformed."""
    if isinstance(limit, int):
        return f"{limit} per {60 if window is None else window} seconds"
    found = _read_rate(limit)
    if found is None:
        raise ValueError(f'a rate must be text like "60/m", "5/minute", "10/s", "1000/h" or "1/day", not {limit!r}')
    return f"{int(found[1])}/{_UNITS[found[2].lower()]}"


def install_rate_limit(native: "App", config: Mapping[str, Any]) -> None:
    """Limit all clients of an application if RATE_LIMIT_PER_MINUTE is set."""
    if (most := config.get("RATE_LIMIT_PER_MINUTE")) and config.get("RATE_LIMIT", True):
        from antiphon.features import RateLimit as NativeLimit  # imported late: it loads msgspec

        native.use(NativeLimit(f"{int(most)}/minute"))


@lru_cache(maxsize=1024)
def _limit(counters: "Store", rate: str, prefix: str, has_key: bool) -> "NativeLimit":
    """Return the limit for a rate and a prefix.

    The counts are kept in the store, where limits with the same name share them.
    """
    from antiphon.features import RateLimit as NativeLimit

    return NativeLimit(rate, counters, name=f"{prefix} {rate}", by=_caller_of if has_key else None)


def _short(prefix: str) -> str:
    """Return a prefix, or its hash if it is long or not a name. Pages may build prefixes from client data."""
    return prefix if _is_name(prefix) else sha256(prefix.encode("utf-8", "surrogatepass")).hexdigest()


def _caller_of(native: Any) -> str | None:
    caller: str | None = native[_CALLER]
    return caller


def _seconds(error: TooManyRequests) -> int:
    return int(dict(error.headers).get("retry-after", 60))


class RequestState:
    """The attributes of a request that depend on its session."""

    app: "Asok"
    native: NativeRequest
    tells_token = False
    """True if the response sets the cookie with the CSRF token for scripts."""

    @property
    def session(self) -> "Session":
        """The visitor's data, kept between requests, as a mapping."""
        return session_of(self)

    def session_regenerate(self) -> None:
        """Give the session a new key but keep its data, for example after a change of permissions."""
        regenerate(self)

    def flash(self, category_or_message: Any, message: Any = None) -> None:
        """Queue a message for this page or the next: ``request.flash("success", "It is saved.")``."""
        flash(self, category_or_message, message)

    def get_flashed_messages(
        self, with_categories: bool = True, category_filter: Iterable[str] | None = None
    ) -> list[Any]:
        """Return the messages waiting for the visitor, each a ``FlashMessage``, or text if categories are off."""
        return get_flashed_messages(self, with_categories, category_filter)

    @property
    def csrf_token_value(self) -> str:
        """The CSRF token for this response, as text."""
        return token_of(self)

    def csrf_token(self) -> str:
        return token_of(self)

    def csrf_input(self) -> Markup:
        """Return the hidden input for a form with the CSRF token, as HTML."""
        return input_of(self)

    def verify_csrf(self) -> None:
        """Do nothing, since a write without a valid token is refused before the page is called."""

    @property
    def nonce(self) -> str:
        """The nonce with which this response's policy allows scripts."""
        return csp_nonce(self.native)

    # The user

    @property
    def user(self) -> Any:
        """The logged-in user; None for an anonymous visitor."""
        return auth.user_of(self)

    @user.setter
    def user(self, user: Any) -> None:
        auth.set_user(self, user)

    @property
    def is_authenticated(self) -> bool:
        """True if a user is logged in."""
        return self.user is not None

    def login(self, user: Any, remember: bool = False) -> None:
        """Log a user in by assigning the session to them. Check the password first."""
        auth.login(self, user, remember)

    def logout(self) -> None:
        """Log the user out and end the session."""
        auth.logout(self)

    def authenticate(self, password_field: str = "password", **credentials: Any) -> Any:  # noqa: S107
        """Find a user by credentials and a password, and log the user in. Return the user or None."""
        return auth.authenticate(self, password_field, **credentials)

    @property
    def auth(self) -> Auth:
        """Tokens for users: ``request.auth.token`` for programs, ``request.auth.magic`` for links in emails."""
        return Auth()

    def has_role(self, *roles: str) -> bool:
        """Return True if the user has any of the roles."""
        return auth.has_role(self, *roles)

    def require_role(self, *roles: str, redirect_url: str = "/") -> None:
        auth.require_role(self, *roles, redirect_url=redirect_url)

    def require_auth(self, redirect_url: str = "/login") -> None:
        """Redirect a request without a user to the login page, with the return path as ``next``."""
        auth.require_auth(self, redirect_url)

    def login_required(self) -> None:
        """Refuse a request without a user (401)."""
        auth.login_required(self)

    def rate_limit(self, limit: str | int, window: int | None = None, prefix: str | None = None) -> None:
        """Count a request against a limit for this page, such as "5/minute". Raises RateLimitExceeded (429)."""
        check_rate(self, limit, window, prefix)
