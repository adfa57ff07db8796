"""The headers of a response as a multidict: a view of its list of lines, with names in any case."""

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from antiphon.dialects.webob.lines import Lines, check_line, first_value, pairs_of, put_line, remove_lines

_RAISE: Any = object()


class ResponseHeaders(MutableMapping[str, str]):
    """A multidict of header lines, by names in any case. Each change is made in the list of lines at once.

    ``[]`` gives the last line's value. Raises ValueError for a name or value with CR, LF or NUL.
    """

    def __init__(self, *args: Any, **kw: str) -> None:
        self._items: Lines = []
        self.extend(*args, **kw)

    @classmethod
    def view_list(cls, lst: Lines) -> "ResponseHeaders":
        """Return a view of a list of lines. Raises TypeError for anything else than a list."""
        if not isinstance(lst, list):
            raise TypeError(f"a view needs a list of lines, not {lst!r:.200}")
        self = cls.__new__(cls)
        self._items = lst
        return self

    @classmethod
    def from_fieldstorage(cls, fs: Any) -> "ResponseHeaders":
        """Raise TypeError: headers are no form."""
        raise TypeError(f"headers are made from lines, not from a form: {fs!r:.200}")

    # Reading

    def __getitem__(self, key: str) -> str:
        name = key.lower()
        for known, value in reversed(self._items):
            if known == key or known.lower() == name:
                return value
        raise KeyError(name)

    def getall(self, key: str) -> list[str]:
        """Return the value of each line with a name, in order."""
        name = key.lower()
        return [value for known, value in self._items if known.lower() == name]

    def getone(self, key: str) -> str:
        """Return the value of the only line with a name. Raises KeyError for none, and for several."""
        values = self.getall(key)
        if len(values) != 1:
            raise KeyError(f"{'several lines' if values else 'no line'} of {key!r}")
        return values[0]

    def mixed(self) -> dict[str, str | list[str]]:
        """Return a dictionary by names in lower case: a value for one line, a list of values for several."""
        return {name: values[0] if len(values) == 1 else values for name, values in self.dict_of_lists().items()}

    def dict_of_lists(self) -> dict[str, list[str]]:
        """Return a dictionary of lists of values, by names in lower case."""
        found: dict[str, list[str]] = {}
        for name, value in self._items:
            found.setdefault(name.lower(), []).append(value)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and first_value(self._items, key.lower()) is not None

    has_key = __contains__

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._items])

    def __len__(self) -> int:
        return len(self._items)

    def keys(self) -> Any:
        """Return the name of each line, in order."""
        return iter(self)

    def values(self) -> Any:
        """Return the value of each line, in order."""
        return iter([value for _, value in self._items])

    def items(self) -> Any:
        """Return the lines, in order."""
        return iter([*self._items])

    def copy(self) -> "ResponseHeaders":
        """Return headers of their own with the same lines."""
        return self.view_list([*self._items])

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join([f'({name!r}, {value!r})' for name, value in self._items])}])"

    # Writing

    def __setitem__(self, key: str, value: str) -> None:
        put_line(self._items, key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key.lower())
        remove_lines(self._items, key.lower())

    def add(self, key: str, value: str) -> None:
        """Add a line."""
        check_line(key, value)
        self._items.append((key, value))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of the first line with a name, after adding one with ``default`` if there is none."""
        value = first_value(self._items, key.lower())
        if value is None:
            self.add(key, default)
        return default if value is None else value

    def pop(self, key: str, default: Any = _RAISE) -> Any:
        """Remove the first line with a name, and return its value, or ``default``. Raises KeyError without either."""
        name = key.lower()
        for index, (known, value) in enumerate(self._items):
            if known.lower() == name:
                del self._items[index]
                return value
        if default is _RAISE:
            raise KeyError(name)
        return default

    def popitem(self) -> tuple[str, str]:
        """Remove the last line and return it. Raises IndexError if there is none."""
        return self._items.pop()

    def clear(self) -> None:
        """Remove all lines."""
        self._items.clear()

    def extend(self, other: Any = None, **kwargs: str) -> None:
        """Add the lines of a mapping or of pairs, and one for each keyword."""
        for name, value in [*_lines_of(other), *kwargs.items()]:
            self.add(name, value)

    def update(self, *args: Any, **kw: str) -> None:
        """Set the only line for each name of a mapping or of pairs, and for each keyword."""
        for other in (*args, kw):
            for name, value in _lines_of(other):
                self[name] = value


def _lines_of(other: Any) -> Iterable[tuple[str, str]]:
    if other is None:
        return ()
    if not hasattr(other, "items") and hasattr(other, "keys"):
        return [(name, other[name]) for name in other.keys()]  # noqa: SIM118 - that is all it has
    return list(pairs_of(other))
