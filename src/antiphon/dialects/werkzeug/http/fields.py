"""Kinds of header fields, and the values of two isolation policies."""

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from antiphon.http.headers import HOP_BY_HOP

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.datastructures.headers import Headers

_ENTITY_HEADERS = frozenset({
    "allow", "content-encoding", "content-language", "content-length", "content-location", "content-md5",
    "content-range", "content-type", "expires", "last-modified",
})  # fmt: skip
_HOP_BY_HOP_HEADERS = HOP_BY_HOP.keys() - {"trailers"}


class COEP(Enum):
    """The values of Cross-Origin-Embedder-Policy."""

    UNSAFE_NONE = "unsafe-none"
    REQUIRE_CORP = "require-corp"


class COOP(Enum):
    """The values of Cross-Origin-Opener-Policy."""

    UNSAFE_NONE = "unsafe-none"
    SAME_ORIGIN_ALLOW_POPUPS = "same-origin-allow-popups"
    SAME_ORIGIN = "same-origin"


def is_entity_header(header: str) -> bool:
    """Return True if a field describes the content."""
    return header.lower() in _ENTITY_HEADERS


def is_hop_by_hop_header(header: str) -> bool:
    """Return True if a field is only for the next hop."""
    return header.lower() in _HOP_BY_HOP_HEADERS


def remove_entity_headers(
    headers: "Headers | list[tuple[str, str]]", allowed: Iterable[str] = ("expires", "content-location")
) -> None:
    """Remove, in place, the fields that describe the content, except the ``allowed`` ones."""
    kept = {name.lower() for name in allowed}
    headers[:] = [(name, value) for name, value in headers if not is_entity_header(name) or name.lower() in kept]


def remove_hop_by_hop_headers(headers: "Headers | list[tuple[str, str]]") -> None:
    """Remove, in place, the fields that are for the next hop only."""
    headers[:] = [(name, value) for name, value in headers if not is_hop_by_hop_header(name)]
