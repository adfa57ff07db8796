"""Access tokens, their providers, and the checks that a token is valid, from a known provider and for this application.

Only the issuers that the application names are ever contacted, so that no token or header can cause a request to
another server. The functions here block: they run on threads.
"""

import json
import logging
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.client import HTTPException
from math import inf
from threading import Lock
from time import monotonic
from typing import IO, Any, NamedTuple, Self
from urllib.parse import quote_plus
from urllib.request import HTTPRedirectHandler, Request, build_opener

from antiphon import explained
from antiphon.features.proofs import is_token_of
from antiphon.features.users import TOKEN_LEEWAY, read_token_part
from antiphon.http import URL, ServiceUnavailable, format_query

_TIMEOUT = 10.0
_LARGEST = 1 << 20
"""The maximum size of a document in bytes."""
_PAUSE = 10.0
"""The minimum number of seconds between requests for the same document."""
_FRESH, _KEPT = 300.0, 3600.0
"""The seconds after which metadata and keys are fetched again, and for which they are used if that fails."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Introspection(NamedTuple):
    """The credentials with which the application asks a provider about tokens (RFC 7662): the ``client_id`` and the
    ``client_secret``. ``endpoint`` is taken from the provider's metadata by default. Provisional.
    """

    client_id: str
    client_secret: str
    endpoint: str | None = None

    def __repr__(self) -> str:
        return f"Introspection({self.client_id!r}, ...)"


def checked_url(text: str, what: str) -> str:
    """Return a URL that may be requested: https, or http on this machine. Raises ValueError for any other URL."""
    url = URL(text)
    is_safe = url.scheme == "https" or (url.scheme == "http" and url.host in _LOCAL)
    if not is_safe or not url.host or url.userinfo or url.fragment:
        raise explained("bad-feature-option", f"{what} must be an https URL, not {text!r}")
    return text


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:  # noqa: ARG002
        return None


_opener = cache(partial(build_opener, _NoRedirects))  # made once: it reads all certificates of the system, for 25 ms


def fetch(url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object at a URL. Redirects are not followed. Raises ServiceUnavailable (503) if there is none."""
    data = None if form is None else format_query(form).encode()
    request = Request(url, data, {"Accept": "application/json", **(headers or {})})  # noqa: S310 - checked_url
    try:
        with _opener().open(request, timeout=_TIMEOUT) as response:
            return _read(response)
    except (OSError, HTTPException, ValueError) as error:
        logging.getLogger("antiphon.oauth").warning("%s did not return a JSON object: %s", url, error)
        raise ServiceUnavailable("The identity provider does not respond.", retry_after=_PAUSE) from None


def _read(response: IO[bytes]) -> dict[str, Any]:
    body = response.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} bytes")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


class Kept:
    """A document that is fetched when it is needed, and again after five minutes, since a key may be withdrawn.

    It is fetched again at most every ten seconds, however many tokens contain unknown keys, and no more often after a
    failure. While it is fetched, or can't be, the previous version is used, until that is an hour old.
    """

    def __init__(self, load: Callable[[], Any], clock: Callable[[], float] = monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = Lock()
        self._value: Any = None
        self._fetched = self._due_again = 0.0

    def _is_at_most(self, age: float) -> bool:
        return self._value is not None and self._clock() - self._fetched < age

    def get(self, *, anew: bool = False) -> Any:
        """Return the document or, with ``anew``, a new one if it may be fetched again. Raises ServiceUnavailable if
        there is none, or only an old one.
        """
        if (anew or not self._is_at_most(_FRESH)) and self._lock.acquire(blocking=not self._is_at_most(_KEPT)):
            try:
                if (anew or not self._is_at_most(_FRESH)) and self._clock() >= self._due_again:
                    self._fetch(anew=anew)
            finally:
                self._lock.release()
        if not self._is_at_most(_KEPT):
            raise ServiceUnavailable("The identity provider does not respond.", retry_after=_PAUSE)
        return self._value

    def _fetch(self, *, anew: bool) -> None:
        try:
            self._value = self._load()
        except ServiceUnavailable:
            self._due_again = self._clock() + _PAUSE
            if not self._is_at_most(_KEPT):
                raise
        else:
            self._fetched = self._clock()
            self._due_again = self._fetched + _PAUSE if anew else 0.0


class Provider:
    """An identity provider, identified by its issuer (RFC 8414 §2)."""

    def __init__(self, issuer: str) -> None:
        self.issuer = checked_url(issuer, "an issuer")
        self._metadata = Kept(self._fetch_metadata)
        self._keys = Kept(self._fetch_keys)

    def keys(self, *, anew: bool = False) -> Any:
        """Return the provider's ``KeySet``. Raises ServiceUnavailable."""
        return self._keys.get(anew=anew)

    def introspect(self, token: str, credentials: Introspection) -> dict[str, Any]:
        """Return what the provider reports about a token (RFC 7662 §2.2). Raises ServiceUnavailable."""
        endpoint = credentials.endpoint or self._endpoint("introspection_endpoint")
        pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"  # RFC 6749 §2.3.1
        fields = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        return fetch(endpoint, {"token": token, "token_type_hint": "access_token"}, fields)

    def _fetch_keys(self) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        found = fetch(self._endpoint("jwks_uri"))
        usable = [each for each in found.get("keys", ()) if isinstance(each, dict) and each.get("use", "sig") == "sig"]
        keys = []
        for each in usable:
            try:
                keys += KeySet.import_key_set({"keys": [each]}).keys
            except (JoseError, ValueError, TypeError, KeyError):  # a kind of key that is not supported here
                continue
        return KeySet(keys)

    def _endpoint(self, name: str) -> str:
        found = self._metadata.get().get(name)
        try:
            return checked_url(str(found), f"the {name} of {self.issuer}")
        except ValueError as error:
            logging.getLogger("antiphon.oauth").error("%s", error)
            raise ServiceUnavailable("The identity provider's metadata is not usable.") from None

    def _fetch_metadata(self) -> dict[str, Any]:
        """Return the metadata, from the URLs defined by RFC 8414 §3.1 or OpenID Connect Discovery §4."""
        url = URL(self.issuer)
        path = url.path.rstrip("/")
        places = (
            f"{url.origin}/.well-known/oauth-authorization-server{path}",
            f"{url.origin}{path}/.well-known/openid-configuration",
        )
        for at, place in enumerate(places):
            try:
                found = fetch(place)
            except ServiceUnavailable:
                if at + 1 == len(places):
                    raise
                continue
            if found.get("issuer") == self.issuer:
                return found
            logging.getLogger("antiphon.oauth").error("%s is of %r, not %r", place, found.get("issuer"), self.issuer)
        raise ServiceUnavailable("The identity provider's metadata is not usable.")


_LONGEST = 16 << 10
"""The maximum length of a token to examine, in characters."""
ALGORITHMS = ("RS256", "PS256", "ES256")
"""The signature algorithms accepted by default: those whose keys can be published."""


class AccessToken(str):
    """A verified access token: its text, with what the provider reports about it. Provisional.

    ``claims`` contains everything that the provider reports (RFC 9068 §2.2, RFC 7662 §2.2).
    """

    __slots__ = ("claims",)

    claims: Mapping[str, Any]

    def __new__(cls, text: str, claims: Mapping[str, Any]) -> Self:
        """Create a token, for tests of loaders."""
        made = super().__new__(cls, text)
        made.claims = claims
        return made

    @property
    def subject(self) -> str:
        """The user's identifier, unique only at this provider; a verified token has one."""
        found = self.claims.get("sub")
        return found if isinstance(found, str) else ""

    @property
    def issuer(self) -> str:
        """The provider's identifier."""
        found = self.claims.get("iss")
        return found if isinstance(found, str) else ""

    @property
    def scopes(self) -> frozenset[str]:
        """The permissions that the user granted the client."""
        found = self.claims.get("scope", self.claims.get("scp", ""))
        names = found.split() if isinstance(found, str) else found if isinstance(found, list) else ()
        return frozenset(each for each in names if isinstance(each, str))

    def __repr__(self) -> str:
        return f"<AccessToken of {self.subject!r}>"


def verified(
    token: str, provider: Provider, audience: str, algorithms: tuple[str, ...], key: str | None
) -> AccessToken | None:
    """Return a JSON Web Token that a provider signed for this audience (RFC 9068 §4), or None. ``key`` is the
    thumbprint of the key that the client has proven to have, to which the token must then be bound.

    If the token's key is unknown, the provider's keys are fetched once more. Raises ServiceUnavailable if the
    provider's keys can't be fetched.
    """
    claims = _decoded(token, provider.keys(), algorithms)
    if claims is None and not _has_key(token, provider):
        claims = _decoded(token, provider.keys(anew=True), algorithms)
    if claims is None or claims.get("iss") != provider.issuer:
        return None
    return AccessToken(token, claims) if is_for(claims, audience) and _is_usable(claims, key) else None


def introspected(
    token: str, provider: Provider, audience: str, credentials: Introspection, key: str | None
) -> AccessToken | None:
    """Return a token that its provider reports as active and as made for this audience, or None; ``key`` is as above.
    Raises ServiceUnavailable.
    """
    said = provider.introspect(token, credentials)
    if said.get("active") is not True or said.get("iss", provider.issuer) != provider.issuer:
        return None
    if not any(name in said for name in _KIND):
        logging.getLogger("antiphon.oauth").error(
            "%s does not report the token_type of a token (RFC 7662 §2.2), which may be a refresh token",
            provider.issuer,
        )
        return None
    is_usable = is_for(said, audience) and _is_usable({"exp": inf, **said}, key)
    return AccessToken(token, {"iss": provider.issuer, **said}) if is_usable else None


def claimed_issuer(token: str) -> str | None:
    """Return the issuer named in an unverified JSON Web Token, or None for other tokens."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST:
        return None
    found = read_token_part(parts[1]).get("iss")
    return found if isinstance(found, str) else None


def _decoded(token: str, keys: Any, algorithms: tuple[str, ...]) -> dict[str, Any] | None:
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        read = jwt.decode(token, keys, algorithms=[*algorithms])
        required = _REQUIRED if is_token_of(("at+jwt",), read.header) else ()
        return dict(read.claims) if is_token_of(_KINDS, read.header) and {*required} <= {*read.claims} else None
    except (JoseError, TypeError, ValueError, KeyError, RecursionError):  # joserfc raises these for malformed tokens
        return None


_KINDS = ("at+jwt", "jwt")
"""The kinds of access tokens (RFC 9068 §4). Many providers say only "JWT", or nothing."""
_REQUIRED = ("client_id", "iat", "jti")
"""The claims that tokens of the first kind must also have (RFC 9068 §2.2)."""
_KIND, _ACCESS = ("token_type", "token_use", "typ"), ("bearer", "access_token", "access", "at+jwt")
"""The claims in which providers say what a token is, and what they call an access token, in lower case."""


def _has_key(token: str, provider: Provider) -> bool:
    """True if the key named in a token is known, so that fetching the keys again would not help."""
    named = read_token_part(token.partition(".")[0]).get("kid")
    return any(each.kid == named for each in provider.keys().keys)


def is_for(claims: Mapping[str, Any], audience: str) -> bool:
    """True if a token was made for this resource (RFC 8707 §2). A slash directly after the host makes no difference."""
    found = claims.get("aud")
    named = [found] if isinstance(found, str) else found if isinstance(found, list) else ()
    return any(each in (audience, f"{audience}/" if audience.count("/") == 2 else audience) for each in named)


def _is_usable(claims: Mapping[str, Any], key: str | None) -> bool:
    """Return True for an access token of a user, which is valid now, and is bound to the key that its client has
    proven to have (RFC 9449 §6), or to none: a certificate can't be proven here (RFC 8705 §3).
    """
    is_bound_right = "cnf" not in claims if key is None else claims.get("cnf") == {"jkt": key}
    expires, begins, subject = claims.get("exp"), claims.get("nbf", 0), claims.get("sub")
    now = time.time()
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (expires, begins)):
        return False
    if not isinstance(subject, str) or not subject or not is_bound_right:
        return False
    kinds = _ACCESS if key is None else (*_ACCESS, "dpop")
    if any(str(claims[name]).lower() not in kinds for name in _KIND if name in claims):
        return False
    return bool(expires > now - TOKEN_LEEWAY and begins < now + TOKEN_LEEWAY)  # type: ignore[operator]
