"""JSON Web Tokens signed by HMAC with SHA-256 (RFC 7519; RFC 7518 §3.2), which PyJWT reads, and whose own are read."""

import hmac
import json
import time
from calendar import timegm
from datetime import datetime
from typing import Any

from antiphon.embedding import to_base64
from antiphon.features.stores.tagged_json import from_base64

_TIMES = ("exp", "iat", "nbf")
_CLAIMS = frozenset({*_TIMES, "aud", "sub", "jti"})
"""The members of a payload that say when and for whom it is valid."""


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _encoded(value: object) -> bytes:
    return to_base64(_encode(value).encode())


_HEADER = _encoded({"alg": "HS256", "typ": "JWT"})


def encode_token(payload: dict[str, Any], key: str | bytes) -> str:
    """Return a signed token. The members ``exp``, ``iat`` and ``nbf`` may be datetimes. Raises TypeError for values
    that JSON can't express.
    """
    times = {name: timegm(payload[name].utctimetuple()) for name in _TIMES if isinstance(payload.get(name), datetime)}
    signed = _HEADER + b"." + _encoded({**payload, **times} if times else payload)
    return (signed + b"." + _signature(signed, key)).decode()


def decode_token(token: str, key: str | bytes) -> dict[str, Any] | None:
    """Return the payload of a token, or None if the key has not signed it or it is not valid now (RFC 7519 §4.1)."""
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
    return to_base64(hmac.digest(key.encode() if isinstance(key, str) else key, signed, "sha256"))


def _is_hs256(header: dict[str, Any]) -> bool:
    """True unless a token is signed otherwise, or has parts that must be understood (RFC 7515 §4.1.11)."""
    return header.get("alg") == "HS256" and "crit" not in header and header.get("b64", True) is True


def _counts(payload: dict[str, Any], now: float) -> bool:
    """Return True for a token that has begun, has not ended, and has no other audience. Raises errors for malformed
    times.
    """
    if payload.keys().isdisjoint(_CLAIMS):
        return True
    begun = [int(payload[name]) <= now for name in ("iat", "nbf") if name in payload]
    ended = "exp" in payload and int(payload["exp"]) <= now
    names = [payload.get(name, "") for name in ("sub", "jti")]
    return all(begun) and not ended and not payload.get("aud") and all(isinstance(name, str) for name in names)
