"""Headers: those of a request as a view of its environ."""

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.headers import ENVIRON_KEYS, UNPREFIXED, field_name
from antiphon.dialects.webob.response_headers import ResponseHeaders

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["EnvironHeaders", "ResponseHeaders"]


class EnvironHeaders(MutableMapping[str, str]):
    """The header fields of a request, by case-insensitive names. Each change is made directly in the environ."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.environ = environ

    def __getitem__(self, hname: str) -> str:
        value: str = self.environ[ENVIRON_KEYS[hname]]
        return value

    def get(self, hname: str, default: Any = None) -> Any:
        """Return the value of a field; ``default`` without one."""
        return self.environ.get(ENVIRON_KEYS[hname], default)

    def __setitem__(self, hname: str, value: str) -> None:
        self.environ[ENVIRON_KEYS[hname]] = value

    def __delitem__(self, hname: str) -> None:
        del self.environ[ENVIRON_KEYS[hname]]

    def __contains__(self, hname: object) -> bool:
        return isinstance(hname, str) and ENVIRON_KEYS[hname] in self.environ

    def __iter__(self) -> Iterator[str]:
        return iter([name for key in self.environ if (name := _trans_key(key))])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove all fields."""
        for key in [key for key in self.environ if key in UNPREFIXED or str(key).startswith("HTTP_")]:
            del self.environ[key]

    def keys(self) -> Any:
        """Return an iterator over the names."""
        return iter(self)


def _trans_key(key: object) -> str | None:
    """Return the name of the field under a key of an environ, or None for any other key."""
    return field_name(key) if isinstance(key, str) else None


def _trans_name(name: str) -> str:
    """Return the key of an environ for the name of a field."""
    return ENVIRON_KEYS[name]
