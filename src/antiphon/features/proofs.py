"""Proofs that a client has a key: JSON Web Tokens signed by the public key that they contain, or by a known one."""

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = ("ES256", "RS256")
_MEMBERS = {"EC": ("crv", "x", "y"), "RSA": ("n", "e")}
"""The members of public keys (RFC 7518 §6)."""
_LONGEST = 4096
"""The maximum number of characters of a proof. One with an RSA key of 2048 bits has about 950."""


def read_proof(
    sent: str | None, kind: str, key: dict[str, str] | None = None
) -> tuple[dict[str, str], dict[str, Any]] | None:
    """Return the public key that has signed a proof of a kind, and its claims; None for anything else.

    Without a known ``key``, it is that in the proof's header.
    """
    from joserfc.errors import JoseError

    try:
        return None if sent is None or len(sent) > _LONGEST else _verified(sent, kind, key)
    except (JoseError, TypeError, ValueError, KeyError, RecursionError):  # joserfc raises these for malformed proofs
        return None


def is_token_of(kind: Collection[str], header: Mapping[str, Any]) -> bool:
    """Return True if a token's header has one of these values, in lower case, as its ``typ``, or none, which is "jwt",
    and if it needs no extension (RFC 7515 §4.1.9, §4.1.11; RFC 8725 §3.11). An empty list of extensions is malformed.
    """
    named = header.get("typ", "jwt")
    return "crit" not in header and isinstance(named, str) and named.lower().removeprefix("application/") in kind


def thumbprint_of(key: dict[str, str]) -> str:
    """Return the thumbprint by which others name a public key (RFC 7638)."""
    return _imported(key).thumbprint()


def _verified(sent: str, kind: str, key: dict[str, str] | None) -> tuple[dict[str, str], dict[str, Any]] | None:
    from joserfc import jws

    registry = jws.JWSRegistry(algorithms=ALGORITHMS)
    registry.max_header_length = registry.max_payload_length = _LONGEST  # the default is less than an RSA key's
    proof = jws.extract_compact(sent.encode(), registry=registry)
    signer = _public(proof.protected["jwk"]) if key is None else key
    if signer is None or not is_token_of((kind,), proof.protected):
        return None
    claims = json.loads(proof.payload)
    is_signed = jws.validate_compact(proof, _imported(signer), registry=registry)
    return (signer, claims) if is_signed and isinstance(claims, dict) else None


def _public(jwk: Any) -> dict[str, str] | None:
    """Return the members that make a public key; None for a private key, a weak one, or one that takes long to check.

    Raises KeyError or TypeError for what is no such key.
    """
    names = _MEMBERS[jwk["kty"]]
    if "d" in jwk or ("n" in names and not 342 <= len(jwk["n"]) <= 683):  # 2048 to 4096 bits
        return None
    return {"kty": jwk["kty"], **{name: jwk[name] for name in names}}


def _imported(key: dict[str, Any]) -> "ECKey | RSAKey":
    from joserfc.jwk import ECKey, RSAKey

    return ECKey.import_key(key) if key["kty"] == "EC" else RSAKey.import_key(key)
