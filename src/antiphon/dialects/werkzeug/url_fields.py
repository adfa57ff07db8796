"""Query strings as Werkzeug prints them, with as few escapes as possible."""

import re
from collections.abc import Iterable
from typing import Any

_needs_no_escape = re.compile(r"[A-Za-z0-9._~!$'()*,/:;?@-]*").fullmatch

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*,/:;?@")
_ESCAPES = [chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in range(256)]
_ESCAPES[ord(" ")] = "+"


def encode_fields(items: Iterable[tuple[Any, Any]]) -> str:
    """Return names and values as a query, in order. None is left out; text is escaped as UTF-8, and bytes as they are.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return "&".join([f"{_escape(name)}={_escape(value)}" for name, value in items if value is not None])


def _escape(value: Any) -> str:
    if type(value) is str and _needs_no_escape(value):
        return value
    raw = value if isinstance(value, bytes) else str(value).encode()
    return raw.decode("latin-1").translate(_ESCAPES)
