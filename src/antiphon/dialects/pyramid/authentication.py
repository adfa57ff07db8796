"""Authentication policies from before Pyramid 2.0, including the parts that current policies still use."""

import binascii
from typing import Any, NamedTuple

from zope.interface import implementer

from antiphon.dialects.pyramid.auth_tkt import (
    VALID_TOKEN,
    AuthTicket,
    AuthTktCookieHelper,
    BadTicket,
    b64decode,
    b64encode,
    calculate_digest,
    encode_ip_timestamp,
    parse_ticket,
)
from antiphon.dialects.pyramid.interfaces import IAuthenticationPolicy, IDebugLogger
from antiphon.dialects.pyramid.security import Authenticated, Everyone

__all__ = [
    "VALID_TOKEN", "AuthTicket", "AuthTktAuthenticationPolicy", "AuthTktCookieHelper", "BadTicket",
    "BasicAuthAuthenticationPolicy", "CallbackAuthenticationPolicy", "HTTPBasicCredentials",
    "RemoteUserAuthenticationPolicy", "RepozeWho1AuthenticationPolicy", "SessionAuthenticationHelper",
    "SessionAuthenticationPolicy", "b64decode", "b64encode", "calculate_digest", "encode_ip_timestamp",
    "extract_http_basic_credentials", "parse_ticket",
]  # fmt: skip


class CallbackAuthenticationPolicy:
    """A policy whose ``callback`` returns a user's groups, or None if the user is unknown.

    Subclasses define ``unauthenticated_userid``, ``remember`` and ``forget``. With ``debug``, all decisions are logged.
    """

    debug = False
    callback: Any = None

    def unauthenticated_userid(self, request: Any) -> Any:
        """Return the user id that the client claims, or None."""
        raise NotImplementedError

    def _log(self, msg: str, methodname: str, request: Any) -> None:
        logger = request.registry.queryUtility(IDebugLogger) if self.debug else None
        if logger:
            cls = type(self)
            logger.debug(f"{cls.__module__}.{cls.__name__}.{methodname}: {msg}")

    def _clean_principal(self, princid: Any) -> Any:
        """Return a user id, or None for a principal that stands for everyone."""
        return None if princid in (Authenticated, Everyone) else princid

    def _groups(self, userid: Any, request: Any) -> Any:
        """Return a user's groups, which are empty without a callback, or None if the user is unknown."""
        return () if self.callback is None else self.callback(userid, request)

    def _known(self, request: Any, methodname: str) -> tuple[Any, Any]:
        """Return the id and groups of a known user, or None for both."""
        userid = self.unauthenticated_userid(request)
        groups = None
        if userid is None:
            self._log("call to unauthenticated_userid returned None", methodname, request)
        elif self._clean_principal(userid) is None:
            self._log(f"use of userid {userid!r} is disallowed by any policy", methodname, request)
        else:
            groups = self._groups(userid, request)
            self._log(f"the groups of {userid!r} are {groups!r}", methodname, request)
        return (None, None) if groups is None else (userid, groups)

    def authenticated_userid(self, request: Any) -> Any:
        """Return the id of a known user, or None."""
        return self._known(request, "authenticated_userid")[0]

    def effective_principals(self, request: Any) -> list[Any]:
        """Return the user's principals: Everyone and, if the user is known, Authenticated, the id and the groups."""
        userid, groups = self._known(request, "effective_principals")
        return [Everyone] if groups is None else [Everyone, Authenticated, userid, *groups]


@implementer(IAuthenticationPolicy)
class RepozeWho1AuthenticationPolicy(CallbackAuthenticationPolicy):
    """A policy that identifies users through repoze.who, whose identity is passed to the callback."""

    def __init__(self, identifier_name: str = "auth_tkt", callback: Any = None) -> None:
        self.identifier_name = identifier_name
        self.callback = callback

    def _get_identity(self, request: Any) -> Any:
        return request.environ.get("repoze.who.identity")

    def _get_identifier(self, request: Any) -> Any:
        plugins = request.environ.get("repoze.who.plugins")
        return None if plugins is None else plugins[self.identifier_name]

    def _groups(self, userid: Any, request: Any) -> Any:  # noqa: ARG002 - the identity contains it
        return () if self.callback is None else self.callback(self._get_identity(request), request)

    def unauthenticated_userid(self, request: Any) -> Any:
        """Return the id in repoze.who's identity, or None."""
        identity = self._get_identity(request)
        return None if identity is None else identity["repoze.who.userid"]

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:
        """Return the headers with which repoze.who's plug-in makes a client remember the user."""
        identifier = self._get_identifier(request)
        if identifier is None:
            return []
        return identifier.remember(request.environ, {**kw, "repoze.who.userid": userid})

    def forget(self, request: Any) -> Any:
        """Return the headers with which repoze.who's plug-in makes a client forget the user."""
        identifier = self._get_identifier(request)
        return [] if identifier is None else identifier.forget(request.environ, self._get_identity(request))


@implementer(IAuthenticationPolicy)
class RemoteUserAuthenticationPolicy(CallbackAuthenticationPolicy):
    """A policy that identifies the user by an environ key that the server sets."""

    def __init__(self, environ_key: str = "REMOTE_USER", callback: Any = None, debug: bool = False) -> None:
        self.environ_key = environ_key
        self.callback = callback
        self.debug = debug

    def unauthenticated_userid(self, request: Any) -> Any:
        """Return the id in the environ, or None."""
        return request.environ.get(self.environ_key)

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:  # noqa: ARG002 - the server remembers
        return []

    def forget(self, request: Any) -> Any:  # noqa: ARG002 - the server remembers
        return []


@implementer(IAuthenticationPolicy)
class AuthTktAuthenticationPolicy(CallbackAuthenticationPolicy):
    """A policy that identifies users by a signed cookie. For the other arguments, see ``AuthTktCookieHelper``."""

    def __init__(
        self,
        secret: Any,
        callback: Any = None,
        cookie_name: str = "auth_tkt",
        secure: bool = False,
        include_ip: bool = False,
        timeout: Any = None,
        reissue_time: Any = None,
        max_age: Any = None,
        path: str = "/",
        http_only: bool = False,
        wild_domain: bool = True,
        debug: bool = False,
        hashalg: str = "sha512",
        parent_domain: bool = False,
        domain: str | None = None,
        samesite: str | None = "Lax",
    ) -> None:
        self.cookie = AuthTktCookieHelper(
            secret,
            cookie_name=cookie_name,
            secure=secure,
            include_ip=include_ip,
            timeout=timeout,
            reissue_time=reissue_time,
            max_age=max_age,
            http_only=http_only,
            path=path,
            wild_domain=wild_domain,
            hashalg=hashalg,
            parent_domain=parent_domain,
            domain=domain,
            samesite=samesite,
        )
        self.callback = callback
        self.debug = debug

    def unauthenticated_userid(self, request: Any) -> Any:
        """Return the id in the cookie, or None."""
        found = self.cookie.identify(request)
        return found["userid"] if found else None

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:
        return self.cookie.remember(request, userid, **kw)

    def forget(self, request: Any) -> Any:
        return self.cookie.forget(request)


class SessionAuthenticationHelper:
    """A helper that stores the user id in the session, under a key that starts with ``prefix``."""

    def __init__(self, prefix: str = "auth.") -> None:
        self.userid_key = f"{prefix}userid"

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:  # noqa: ARG002 - the signature of policies
        """Store the id in the session. Return no headers."""
        request.session[self.userid_key] = userid
        return []

    def forget(self, request: Any, **kw: Any) -> Any:  # noqa: ARG002 - the signature of policies
        """Remove the id from the session. Return no headers."""
        if self.userid_key in request.session:
            del request.session[self.userid_key]
        return []

    def authenticated_userid(self, request: Any) -> Any:
        """Return the id in the session, or None."""
        return request.session.get(self.userid_key)


@implementer(IAuthenticationPolicy)
class SessionAuthenticationPolicy(CallbackAuthenticationPolicy):
    """A policy that identifies users by the session."""

    def __init__(self, prefix: str = "auth.", callback: Any = None, debug: bool = False) -> None:
        self.callback = callback
        self.debug = debug
        self.helper = SessionAuthenticationHelper(prefix)

    def unauthenticated_userid(self, request: Any) -> Any:
        """Return the id in the session, or None."""
        return self.helper.authenticated_userid(request)

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:
        """Store the id in the session. Return no headers."""
        return self.helper.remember(request, userid, **kw)

    def forget(self, request: Any) -> Any:
        """Remove the id from the session. Return no headers."""
        return self.helper.forget(request)


class HTTPBasicCredentials(NamedTuple):
    """A username and a password."""

    username: str
    password: str


def extract_http_basic_credentials(request: Any) -> HTTPBasicCredentials | None:
    """Return the username and password in the Authorization header (RFC 7617), or None."""
    scheme, space, encoded = (request.headers.get("Authorization") or "").partition(" ")
    if not space or scheme.lower() != "basic":
        return None
    try:
        credentials = b64decode(encoded.strip())
    except (binascii.Error, UnicodeEncodeError):
        return None
    try:
        text = credentials.decode()
    except UnicodeDecodeError:
        text = credentials.decode("latin-1")
    username, colon, password = text.partition(":")
    return HTTPBasicCredentials(username, password) if colon else None


@implementer(IAuthenticationPolicy)
class BasicAuthAuthenticationPolicy(CallbackAuthenticationPolicy):
    """A policy that identifies users through HTTP Basic authentication.

    ``check`` is called with a username, a password and the request. It returns the user's groups, or None if the
    password is wrong.
    """

    def __init__(self, check: Any, realm: str = "Realm", debug: bool = False) -> None:
        self.check = check
        self.realm = realm
        self.debug = debug

    def unauthenticated_userid(self, request: Any) -> Any:
        """Return the username, or None."""
        credentials = extract_http_basic_credentials(request)
        return credentials.username if credentials else None

    def callback(self, username: Any, request: Any) -> Any:  # noqa: ARG002 - the signature of callbacks
        """Return the user's groups, or None if the password is wrong."""
        credentials = extract_http_basic_credentials(request)
        return self.check(credentials.username, credentials.password, request) if credentials else None

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:  # noqa: ARG002 - the client remembers
        return []

    def forget(self, request: Any) -> Any:  # noqa: ARG002 - the signature of policies
        """Return the header that makes a client ask for new credentials."""
        return [("WWW-Authenticate", f'Basic realm="{self.realm}"')]
