"""Percent-encoding as Werkzeug had it before 3.0: with a charset, and with safe and unsafe characters."""

import re
from functools import lru_cache
from typing import overload

from antiphon.http.urls.percent import percent_decode

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~$!'()*+,;")
_escape = re.compile(rb"%([0-9A-Fa-f]{2})")


def url_quote(
    string: object, charset: str = "utf-8", errors: str = "strict", safe: str | bytes = "/:", unsafe: str | bytes = ""
) -> str:
    """Percent-encode text or bytes, except letters, digits, ``-._~$!'()*+,;`` and the ``safe`` characters."""
    text = string if isinstance(string, (str, bytes, bytearray)) else str(string)
    escapes = _escapes(_raw(safe, charset, errors), _raw(unsafe, charset, errors))
    return _raw(text, charset, errors).decode("latin-1").translate(escapes)


def url_quote_plus(string: object, charset: str = "utf-8", errors: str = "strict", safe: str = "") -> str:
    """Percent-encode text for a query: a space becomes a plus sign."""
    return url_quote(string, charset, errors, f"{safe} ", "+").replace(" ", "+")


@overload
def url_unquote(s: str | bytes, charset: None, errors: str = "replace", unsafe: str | bytes = "") -> bytes: ...
@overload
def url_unquote(s: str | bytes, charset: str = "utf-8", errors: str = "replace", unsafe: str | bytes = "") -> str: ...
def url_unquote(
    s: str | bytes, charset: str | None = "utf-8", errors: str = "replace", unsafe: str | bytes = ""
) -> str | bytes:
    """Undo percent-escapes, except those of ``unsafe`` characters. Broken escapes stay. Without a charset, return
    bytes.
    """
    raw = s.encode() if isinstance(s, str) else s
    kept = frozenset(_raw(unsafe))
    if kept:
        raw = _escape.sub(lambda found: b"%25" + found[1] if int(found[1], 16) in kept else found[0], raw)
    decoded = percent_decode(raw)
    return decoded if charset is None else decoded.decode(charset, errors)


@overload
def url_unquote_plus(s: str | bytes, charset: None, errors: str = "replace") -> bytes: ...
@overload
def url_unquote_plus(s: str | bytes, charset: str = "utf-8", errors: str = "replace") -> str: ...
def url_unquote_plus(s: str | bytes, charset: str | None = "utf-8", errors: str = "replace") -> str | bytes:
    """Undo percent-escapes of a query: a plus sign becomes a space."""
    return url_unquote(_raw(s).replace(b"+", b" "), charset, errors)


def _raw(text: str | bytes | bytearray, charset: str = "utf-8", errors: str = "strict") -> bytes:
    return text.encode(charset, errors) if isinstance(text, str) else bytes(text)


@lru_cache(64)
def _escapes(safe: bytes, unsafe: bytes) -> list[str]:
    kept = (_KEPT | frozenset(safe)) - frozenset(unsafe)
    return [chr(byte) if byte in kept else f"%{byte:02X}" for byte in range(256)]
