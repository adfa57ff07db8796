"""Request headers as a view of the environ, and response headers as a view of a list of lines."""

import re
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.heads import ENVIRON_KEYS, UNPREFIXED
from antiphon.dialects._environ.heads import field_name as environ_name
from antiphon.dialects.webob.multidict import MultiDict
from antiphon.http.headers import field_name

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


Lines = list[tuple[str, str]]

find_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""Find the first control character that is not allowed in a response's head (RFC 9110 §5.5)."""
find_break = re.compile(r"[\r\n\0]").search
"""Find the first character that would end a line early."""


def check_sent_line(name: Any, value: Any) -> None:
    """Check a line before it is sent.

    Raises ValueError as ``check_line`` does, or if the name is not a token (RFC 9110 §5.1).
    """
    check_line(name, value)
    if isinstance(name, str):
        field_name(name)


def check_line(name: Any, value: Any) -> None:
    """Raise ValueError for control characters in a name or value. Most are allowed in Location, which escapes them.

    Values that are not text are accepted, since the server rejects them.
    """
    if isinstance(name, str) and find_control(name):
        raise broken(name, value)
    if isinstance(value, str) and find_control(value):
        check_value(name, value)


def check_value(name: str, value: str) -> None:
    """Raise ValueError for control characters in a value. Most are allowed in Location, which escapes them."""
    if (find_break if name.lower() == "location" else find_control)(value):
        raise broken(name, value)


def broken(name: Any, value: Any) -> ValueError:
    """Return the error for a header line with control characters."""
    return ValueError(
        f"a header must not contain CR, LF, NUL or other control characters: {name!r:.80}, {value!r:.200}"
    )


def first_value(lines: Lines, name: str) -> str | None:
    """Return the value of the first line with the given name (in lower case), or None if there is no such line."""
    for key, value in lines:
        if key.lower() == name:
            return value
    return None


def last_value(lines: Lines, name: str) -> str | None:
    """Return the value of the last line with the given name (in lower case), or None if there is no such line."""
    for key, value in reversed(lines):
        if key.lower() == name:
            return value
    return None


def remove_lines(lines: Lines, name: str) -> None:
    """Remove all lines with the given name (in lower case) from the list, in place."""
    for line in lines:
        if line[0].lower() == name:
            lines[:] = [line for line in lines if line[0].lower() != name]
            return


def replace_line(lines: Lines, name: str, line: tuple[str, str]) -> None:
    """Replace all lines that have the given name (in lower case) with one line, in place and without checks."""
    for known in lines:
        if known[0].lower() == name:
            lines[:] = [other for other in lines if other[0].lower() != name]
            break
    lines.append(line)


def put_line(lines: Lines, name: str, value: str) -> None:
    """Replace all lines that have the given name with one line, in place. Raises ValueError as ``check_line`` does."""
    check_line(name, value)
    replace_line(lines, name.lower(), (name, value))


def pairs_of(lines: Any) -> Any:
    """Convert a mapping to pairs. Anything else is returned unchanged."""
    return lines.items() if hasattr(lines, "items") else lines


class ResponseHeaders(MultiDict[str, str]):
    """A multidict of header lines with case-insensitive names. Changes apply directly to the list of lines.

    Raises ValueError if a name or value contains CR, LF or NUL.
    """

    _is_view = True

    def __init__(self, *args: Any, **kw: str) -> None:
        super().__init__(*args, **kw)
        for line in self._items:
            check_line(*line)

    # Reading

    def __getitem__(self, key: str) -> str:
        value = last_value(self._items, key.lower())
        if value is None:
            raise KeyError(key.lower())
        return value

    def getall(self, key: str) -> list[str]:
        """Return the values of all lines with the given name, in order."""
        name = key.lower()
        return [value for known, value in self._items if known.lower() == name]

    def dict_of_lists(self) -> dict[str, list[str]]:
        """Return a dictionary that maps lowercase names to lists of values."""
        lists: dict[str, list[str]] = {}
        for name, value in self._items:
            lists.setdefault(name.lower(), []).append(value)
        return lists

    # Writing

    def __setitem__(self, key: str, value: str) -> None:
        check_line(key, value)
        replace_line(self._items, key.lower(), (key, value))

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key.lower())
        remove_lines(self._items, key.lower())

    def add(self, key: str, value: str) -> None:
        check_line(key, value)
        self._items.append((key, value))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of the first line with the given name. If there is none, add one with ``default``."""
        value = first_value(self._items, key.lower())
        if value is None:
            self.add(key, default)
        return default if value is None else value

    def pop(self, key: str, *args: Any) -> Any:
        """Remove the first line with the given name and return its value, or the default. Raises KeyError without
        either.
        """
        name = key.lower()
        return super().pop(next((known for known, _ in self._items if known.lower() == name), name), *args)

    def extend(self, other: Any = None, **kwargs: str) -> None:
        """Add a line for each item of a mapping, each pair, and each keyword argument."""
        for line in [*ResponseHeaders(() if other is None else other).items(), *kwargs.items()]:
            self.add(*line)

    def update(self, *args: Any, **kw: str) -> None:
        """Set the only line for each name in a mapping, in pairs, or in keyword arguments."""
        for name, value in ResponseHeaders(*args, **kw).items():
            self[name] = value


__all__ = ["EnvironHeaders", "ResponseHeaders"]


class EnvironHeaders(MutableMapping[str, str]):
    """A request's header fields with case-insensitive names. Changes apply directly to the environ."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.environ = environ

    def __getitem__(self, hname: str) -> str:
        value: str = self.environ[ENVIRON_KEYS[hname]]
        return value

    def get(self, hname: str, default: Any = None) -> Any:
        """Return a field's value, or ``default`` if it is missing."""
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
        for key in [key for key in self.environ if key in UNPREFIXED or str(key).startswith("HTTP_")]:
            del self.environ[key]

    def keys(self) -> Any:
        return iter(self)


def _trans_key(key: object) -> str | None:
    """Return the field name for an environ key, or None if the key doesn't stand for a header."""
    return environ_name(key) if isinstance(key, str) else None


def _trans_name(name: str) -> str:
    return ENVIRON_KEYS[name]
