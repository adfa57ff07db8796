"""The Cache-Status field, with which a cache explains a response (RFC 9211)."""

from typing import Any

from antiphon.handler.errors import is_debug
from antiphon.http.structured_fields import Item, Token
from antiphon.response.response import Response

NAME = "Antiphon"
"""The name of the cache in Cache-Status."""


def hit_status(ttl: int, *, is_collapsed: bool) -> str:
    """Return the member of Cache-Status for a response that was stored, and is fresh for so many seconds more."""
    return f"{NAME};hit;ttl={ttl};collapsed" if is_collapsed else f"{NAME};hit;ttl={ttl}"


def tell(response: Response, reason: str | None = None, **parameters: Any) -> Response:
    """Add a member to Cache-Status, and return the response. In debug mode it includes the reason why nothing was
    stored.
    """
    known: dict[str, Any] = {
        name.replace("_", "-"): Token(value) if isinstance(value, str) else value
        for name, value in parameters.items()
        if value is not None
    }
    if reason is not None and is_debug():
        known["detail"] = reason
    response.headers.add("cache-status", str(Item(Token(NAME), known)))
    return response
