"""Names and values of cookies, as bytes and as text."""

import re
from warnings import warn

from antiphon.dialects._environ.caching import cache_short
from antiphon.http import parse_cookies
from antiphon.http.grammar import is_token

ATTRIBUTES = frozenset({b"comment", b"domain", b"expires", b"httponly", b"max-age", b"path", b"samesite", b"secure"})
"""Attributes of Set-Cookie, which are not names of cookies."""

_find_invalid = re.compile(rb"[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+").findall
_ESCAPES = [b"\\%03o" % byte if byte != 0x20 and _find_invalid(bytes([byte])) else bytes([byte]) for byte in range(256)]


def to_bytes(text: str | bytes, encoding: str = "latin-1") -> bytes:
    """Return bytes as they are, and text encoded. Raises UnicodeEncodeError, a ValueError."""
    return text.encode(encoding) if isinstance(text, str) else text


@cache_short(128)
def is_cookie_name(name: str) -> bool:
    """Return True if a text is a token, does not begin with a dollar sign, and is not an attribute."""
    return is_token(name) and name[0] != "$" and name.lower().encode() not in ATTRIBUTES


def escape(value: bytes) -> bytes:
    """Return a value with octal escapes of the bytes that a cookie must not have, other than spaces."""
    return b"".join([_ESCAPES[byte] for byte in value])


def quote(value: bytes) -> bytes:
    """Return a value as cookies have it. One with bytes that need quotes is a RuntimeWarning."""
    if invalid := _find_invalid(value):
        warn(f"a cookie's value is sent in quotes because of {b''.join(invalid)!r:.80}", RuntimeWarning, stacklevel=4)
        return b'"%b"' % escape(value)
    return value


def read_cookies(header: str) -> list[tuple[str, str]]:
    """Return the names and values of a Cookie header in order, without those that have no valid name. Never raises."""
    return [(name, value) for name, value in parse_cookies(header) if is_cookie_name(name)]
