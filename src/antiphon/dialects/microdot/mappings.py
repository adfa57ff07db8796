"""Microdot's dictionaries: a case-insensitive one for headers, and a multi-valued one for fields."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self
from urllib.parse import quote, unquote

from antiphon.http.headers import read_raw_utf8


def urlencode(s: str) -> str:
    """Encode text as a value for a query. Slashes are not escaped."""
    return quote(s)


def urldecode(s: str | bytes) -> str:
    """Decode a value from a query, in which a plus sign is a space. Broken escapes are left as they are."""
    return unquote(s.replace("+", " ") if isinstance(s, str) else s.replace(b"+", b" "))


_LONGEST_KEPT = 2048
"""The maximum total length of a request's header names for which the spellings are cached."""


def _written_names(names: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Return the usual spellings of header names, both as a list and by lowercase name."""
    written = [name.title() for name in names]
    return written, dict(zip(names, written, strict=True))


_kept_names = lru_cache(maxsize=32)(_written_names)
"""A cached version of ``_written_names``, since clients keep sending the same names."""


class NoCaseDict(dict[str, Any]):
    """A dictionary with case-insensitive keys. Each keeps its first spelling."""

    _shares = False
    """True if the dictionary of spellings is shared with the cache."""

    def __init__(self, initial_dict: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self._written: dict[str, str] = {}
        if initial_dict:
            self.update(dict(initial_dict))

    @classmethod
    def of_request(cls, fields: Sequence[tuple[str, str]]) -> Self:
        """Make a dictionary of header fields.

        The given names must be distinct and lowercase. They are stored in the form ``Content-Type``.
        """
        self = cls()
        if fields:
            names, values = zip(*fields, strict=True)
            if not "".join(values).isascii():
                values = tuple(map(read_raw_utf8, values))
            of_names = _kept_names if sum(map(len, names)) <= _LONGEST_KEPT else _written_names
            written, self._written = of_names(names)
            self._shares = True
            dict.update(self, zip(written, values, strict=True))
        return self

    def _key(self, key: str) -> str:
        return self._written.get(key.lower(), key)

    def _own_names(self) -> dict[str, str]:
        """Return the dictionary of spellings for modification, copying it first if it is shared."""
        if self._shares:
            self._written, self._shares = self._written.copy(), False
        return self._written

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(self._own_names().setdefault(key.lower(), key), value)

    def __getitem__(self, key: str) -> Any:
        return dict.__getitem__(self, self._key(key))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(self._key(key))
        del self._own_names()[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._written

    def get(self, key: str, default: Any = None) -> Any:
        """Return a key's value, or ``default`` if it is missing."""
        return dict.get(self, self._key(key), default)

    def update(self, other_dict: Mapping[str, Any]) -> None:  # type: ignore[override]  # as narrow as Microdot's
        for key, value in other_dict.items():
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a key's value. If it is missing, first set it to ``default``."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        """Remove a key and return its value or, if it is missing, ``default``. Raises KeyError without a default."""
        value = super().pop(self._key(key), *default)
        self._own_names().pop(key.lower(), None)
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the most recently added key and return it with its value. Raises KeyError if there is none."""
        key, value = super().popitem()
        del self._own_names()[key.lower()]
        return key, value

    def clear(self) -> None:
        super().clear()
        self._own_names().clear()

    def copy(self) -> "NoCaseDict":
        return NoCaseDict(self)


class MultiDict(dict[str, Any]):
    """A dictionary with several values per key. Setting a key adds a value, and reading it returns the first."""

    def __init__(self, initial_dict: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if initial_dict:
            for key, value in initial_dict.items():
                self[key] = value

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> Self:
        self = cls.__new__(cls)
        for name, value in fields:
            self.setdefault(name, []).append(value)
        return self

    def __setitem__(self, key: str, value: Any) -> None:
        super().setdefault(key, []).append(value)

    def __getitem__(self, key: str) -> Any:
        return dict.__getitem__(self, key)[0]  # faster than super()

    def get(self, key: str, default: Any = None, type: Callable[[Any], Any] | None = None) -> Any:  # noqa: A002
        """Return a key's first value, converted by ``type``, or ``default``. Raises any error that ``type`` raises."""
        values: list[Any] | None = dict.get(self, key)
        if values is None:
            return default
        return values[0] if type is None else type(values[0])

    def getlist(self, key: str, type: Callable[[Any], Any] | None = None) -> list[Any]:  # noqa: A002
        """Return all of a key's values, converted by ``type``; empty if there are none."""
        values: list[Any] = dict.get(self, key, [])
        return values if type is None else [type(value) for value in values]
