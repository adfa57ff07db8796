"""Tokens that a project signs for its users: ``request.auth.token`` and ``request.auth.magic``."""

import time
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon import BadSignature

if TYPE_CHECKING:
    from antiphon.dialects.asok.request_state import RequestState

LIFETIME = 3600
"""Seconds for which a magic link is valid, unless MAGIC_LINK_TTL says otherwise."""


class BearerToken:
    """Tokens for the programs of a user, signed with SECRET_KEY. A token can't be revoked: give each an end."""

    @staticmethod
    def create(request: "RequestState", user_id: Any, expires_in: int | None = None) -> str:
        """Return a token for the id of a user. It expires after some seconds; None means never."""
        return _sign(request, "bearer", str(user_id), expires_in)

    @staticmethod
    def verify(request: "RequestState", token: str | None) -> str | None:
        """Return the id, as text, that a token was made for; None if it has expired or was not made here."""
        found = _unsign(request, "bearer", token)
        return found[0] if found else None


class MagicLink:
    """Tokens for links in e-mails that log in those who can read them. Each works once."""

    @staticmethod
    def create_token(request: "RequestState", email: str, expires_in: int | None = None) -> str:
        """Return a token for an address. It expires after some seconds, by default MAGIC_LINK_TTL, or an hour."""
        seconds = request.app.config.get("MAGIC_LINK_TTL", LIFETIME) if expires_in is None else expires_in
        return _sign(request, "magic link", email, seconds)

    @staticmethod
    def verify_token(request: "RequestState", token: str | None) -> str | None:
        """Return the address that a token was made for, the first time; None for one that is used, old or forged."""
        found = _unsign(request, "magic link", token)
        if found is None:
            return None
        email, end = found
        signed = str(token).rpartition(".")[0]  # base64 has several spellings of the signature behind it
        used = request.app.session_store.native.add(f"magic link\n{signed}", {}, ttl=max(end - time.time(), 1))
        return None if used is None else email

    @staticmethod
    def send(*_: Any, **__: Any) -> NoReturn:
        """Raise NotImplementedError, since the dialect sends no e-mails."""
        raise NotImplementedError(
            "asok.Mail is not offered: make a token with create_token, and send the link yourself"
        )


class Auth:
    """The tokens of an application: ``magic`` and ``token``."""

    magic = MagicLink
    token = BearerToken

    @property
    def oauth(self) -> NoReturn:
        """Raise NotImplementedError, which names the way to log in with other services."""
        raise NotImplementedError("request.auth.oauth is not offered: use Authlib, as docs/how-to/oauth.md shows")


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
