"""Percent-encoding for queries and path segments."""

from typing import Any
from urllib.parse import quote, quote_plus

from antiphon.dialects.pyramid.util import is_nonstr_iter


def url_quote(val: Any, safe: str = "") -> str:
    """Percent-encode bytes, or a value as UTF-8 text."""
    return quote(val if isinstance(val, bytes) else str(val).encode(), safe=safe)


def quote_plus_(val: Any, safe: str = "") -> str:
    """Percent-encode a value, with plus signs for spaces."""
    return quote_plus(val if isinstance(val, bytes) else str(val).encode(), safe=safe)


def urlencode(query: Any, doseq: bool = True, quote_via: Any = quote_plus_) -> str:  # noqa: ARG001 - Pyramid's name
    """Build a query from a mapping or from pairs.

    A list becomes one field per value, and None becomes a name without a value.
    """
    fields = []
    for name, value in query.items() if hasattr(query, "items") else query:
        key = quote_via(name)
        if is_nonstr_iter(value):
            fields += [f"{key}={quote_via(each)}" for each in value]
        elif value is None:
            fields.append(f"{key}=")
        else:
            fields.append(f"{key}={quote_via(value)}")
    return "&".join(fields)
