"""The attributes of a cookie as Set-Cookie has them."""

import re
from collections.abc import Callable
from typing import Any

from antiphon.dialects.webob._cookies.names import escape, quote, to_bytes

is_plain: Callable[[str], object] = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*+").fullmatch
"""Match a value that cookies have as it is."""
_find_control = re.compile(r"[\x00-\x1f;\x7f]").search


def print_value(value: str | bytes, encode: Callable[[bytes], bytes] = quote) -> str:
    """Return a value as it stands in a header, quoted or escaped if need be."""
    if isinstance(value, str) and is_plain(value):
        return value
    return encode(to_bytes(value)).decode("ascii")


def print_attributes(
    comment: Any, domain: Any, max_age: Any, path: Any, expires: Any, secure: Any, httponly: Any, samesite: Any
) -> list[str]:
    """Return the attributes that are there, each with its name. They may be text or bytes.

    Raises ValueError for SameSite=None without Secure, and for attributes that hold a second one.
    """
    parts = [f"Comment={print_value(comment)}"] if comment else []
    if domain:
        parts.append(f"Domain={print_value(domain, escape)}")
    if max_age:
        parts.append(f"Max-Age={print_value(max_age, escape)}")
    if path:
        parts.append(f"Path={print_value(path, escape)}")
    if expires:
        parts.append(f"expires={_without_controls(expires)}")
    if secure:
        parts.append("secure")
    if httponly:
        parts.append("HttpOnly")
    if samesite:
        parts.append(f"SameSite={_samesite(samesite, secure)}")
    return parts


def _samesite(value: str | bytes, secure: bool) -> str:
    text = _without_controls(value)
    if not secure and text.lower() == "none":
        raise ValueError("SameSite=None needs secure=True: browsers drop the cookie otherwise")
    return text


def _without_controls(value: str | bytes) -> str:
    text = value.decode("ascii") if isinstance(value, bytes) else value
    if _find_control(text):
        raise ValueError(f"an attribute of a cookie can't have control characters or semicolons: {text!r:.80}")
    return text
