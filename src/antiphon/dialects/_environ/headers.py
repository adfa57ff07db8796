"""Header fields of a request in its environ, and the key of each field (PEP 3333)."""

from antiphon.dialects._environ.caching import cache_short

UNPREFIXED = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
"""Keys of the two fields that have no ``HTTP_`` before them. Servers set these without a header, too: to ""."""

_MOST_CACHED = 512
_DOUBLED = frozenset({"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"})


class _Keys(dict[str, str]):
    def __missing__(self, name: str) -> str:
        if not isinstance(name, str):
            raise KeyError(name)
        key = name.upper().replace("-", "_")
        key = key if key in UNPREFIXED else f"HTTP_{key}"
        if len(self) < _MOST_CACHED:
            self[name] = key
        return key


ENVIRON_KEYS = _Keys()
"""The key of an environ for each field name, in any case. Raises KeyError for a name that is not text."""


@cache_short(_MOST_CACHED)
def field_name(key: str) -> str | None:
    """Return the name of the header field under a key of an environ, or None for any other key."""
    if key in UNPREFIXED:
        return key.replace("_", "-").title()
    return key[5:].replace("_", "-").title() if key.startswith("HTTP_") and key not in _DOUBLED else None
