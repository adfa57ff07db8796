"""The attributes of a cookie as Set-Cookie has them."""

import re
from collections.abc import Callable

from antiphon.dialects.webob._cookies.names import escape, quote, to_bytes

is_plain: Callable[[str], object] = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*+").fullmatch
"""Match a value that needs no quoting in a cookie."""
_find_control = re.compile(r"[\x00-\x1f;\x7f]").search


def print_value(value: str | bytes, encode: Callable[[bytes], bytes] = quote) -> str:
    """Return a value as in a header, quoted or escaped if needed."""
    if isinstance(value, str) and is_plain(value):
        return value
    return encode(to_bytes(value)).decode("ascii")


def print_attributes(
    comment: str | bytes | None,
    domain: str | bytes | None,
    max_age: str | None,
    path: str | bytes | None,
    expires: str | None,
    secure: object,
    httponly: object,
    samesite: str | None,
) -> list[str]:
    """Return the given attributes, each with its name. Max-Age, Expires and SameSite are already printed.

    Raises ValueError for SameSite=None without Secure.
    """
    parts = [f"Comment={print_value(comment)}"] if comment else []
    if domain:
        parts.append(f"Domain={print_value(domain, escape)}")
    if max_age:
        parts.append(f"Max-Age={max_age}")
    if path:
        parts.append("Path=/" if path == "/" else f"Path={print_value(path, escape)}")
    if expires:
        parts.append(f"expires={expires}")
    if secure:
        parts.append("secure")
    if httponly:
        parts.append("HttpOnly")
    if samesite:
        if not secure and samesite.lower() == "none":
            raise ValueError("SameSite=None needs secure=True: browsers drop the cookie otherwise")
        parts.append(f"SameSite={samesite}")
    return parts


def without_controls(value: str | bytes | None) -> str | None:
    """Return an attribute as text. Raises ValueError if it contains another attribute."""
    text = value.decode("ascii") if isinstance(value, bytes) else value
    if text and _find_control(text):
        raise ValueError(f"an attribute of a cookie can't have control characters or semicolons: {text!r:.80}")
    return text
