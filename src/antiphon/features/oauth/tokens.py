"""Access tokens, and the checks that a token was made by a known provider, for this application, and is still valid."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Self

from antiphon.features.oauth.provider import Introspection, Provider

_LONGEST = 16 << 10
"""The longest token that is looked at, in characters."""
_LEEWAY = 60
"""Seconds by which clocks may differ."""
ALGORITHMS = ("RS256", "PS256", "ES256")
"""The algorithms of signatures that are accepted by default: those whose keys can be published."""


class AccessToken(str):
    """An access token that was verified: its text, with what the provider says about it.

    ``claims`` are all of that (RFC 9068 §2.2, RFC 7662 §2.2).
    """

    __slots__ = ("claims",)

    claims: Mapping[str, Any]

    def __new__(cls, text: str, claims: Mapping[str, Any]) -> Self:
        """Make a token, for tests of loaders."""
        made = super().__new__(cls, text)
        made.claims = claims
        return made

    @property
    def subject(self) -> str:
        """The user's identifier at the provider, unique there only; empty if there is none."""
        found = self.claims.get("sub")
        return found if isinstance(found, str) else ""

    @property
    def issuer(self) -> str:
        """The provider's identifier."""
        found = self.claims.get("iss")
        return found if isinstance(found, str) else ""

    @property
    def scopes(self) -> frozenset[str]:
        """The rights that the user gave the client."""
        found = self.claims.get("scope", self.claims.get("scp", ""))
        names = found.split() if isinstance(found, str) else found if isinstance(found, list) else ()
        return frozenset(each for each in names if isinstance(each, str))

    def __repr__(self) -> str:
        return f"<AccessToken of {self.subject!r}>"


def verified(token: str, provider: Provider, audience: str, algorithms: tuple[str, ...]) -> AccessToken | None:
    """Return a JSON Web Token that a provider signed for this audience (RFC 9068 §4), or None.

    A key that is not known is looked for once more. Raises ServiceUnavailable if the provider gives no keys.
    """
    claims = _decoded(token, provider.keys(), algorithms)
    if claims is None and not _has_key(token, provider):
        claims = _decoded(token, provider.keys(anew=True), algorithms)
    if claims is None or claims.get("iss") != provider.issuer:
        return None
    return AccessToken(token, claims) if is_for(claims, audience) and _is_in_time(claims) else None


def introspected(token: str, provider: Provider, audience: str, credentials: Introspection) -> AccessToken | None:
    """Return a token that its provider calls active, and made for this audience, or None. Raises ServiceUnavailable."""
    said = provider.introspect(token, credentials)
    if said.get("active") is not True or said.get("iss", provider.issuer) != provider.issuer:
        return None
    in_time = "exp" not in said or _is_in_time(said)
    return AccessToken(token, {"iss": provider.issuer, **said}) if is_for(said, audience) and in_time else None


def claimed_issuer(token: str) -> str | None:
    """Return the issuer that a JSON Web Token names, which nothing has verified; None for other tokens."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST:
        return None
    found = _json(parts[1]).get("iss")
    return found if isinstance(found, str) else None


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _decoded(token: str, keys: Any, algorithms: tuple[str, ...]) -> dict[str, Any] | None:
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        return dict(jwt.decode(token, keys, algorithms=[*algorithms]).claims)
    except (JoseError, TypeError, ValueError, KeyError, RecursionError):  # joserfc raises these for malformed tokens
        return None


def _has_key(token: str, provider: Provider) -> bool:
    """True if the key that a token names is known, so that its signature is wrong."""
    named = _json(token.partition(".")[0]).get("kid")
    return any(each.kid == named for each in provider.keys().keys)


def is_for(claims: Mapping[str, Any], audience: str) -> bool:
    """True if a token was made for this resource (RFC 8707 §2). A slash after the host alone makes no difference."""
    found = claims.get("aud")
    named = [found] if isinstance(found, str) else found if isinstance(found, list) else ()
    return any(each in (audience, f"{audience}/" if audience.count("/") == 2 else audience) for each in named)


def _is_in_time(claims: Mapping[str, Any]) -> bool:
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    now = time.time()
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (expires, begins)):
        return False
    return bool(expires > now - _LEEWAY and begins < now + _LEEWAY)  # type: ignore[operator]
