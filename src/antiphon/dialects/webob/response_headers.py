"""The headers of a response as a multidict: a view of its list of lines, with names in any case."""

from typing import Any

from antiphon.dialects.webob.lines import check_line, first_value, last_value, remove_lines, replace_line
from antiphon.dialects.webob.multidict import MultiDict


class ResponseHeaders(MultiDict[str, str]):
    """A multidict of header lines, by case-insensitive names. Each change is made directly in the list of lines.

    Raises ValueError for a name or a value with CR, LF or NUL.
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
        """Return the value of each line with a name, in order."""
        name = key.lower()
        return [value for known, value in self._items if known.lower() == name]

    def dict_of_lists(self) -> dict[str, list[str]]:
        """Return a dictionary of lists of values, by names in lower case."""
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
        """Add a line."""
        check_line(key, value)
        self._items.append((key, value))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of the first line with a name, after adding one with ``default`` if there is none."""
        value = first_value(self._items, key.lower())
        if value is None:
            self.add(key, default)
        return default if value is None else value

    def pop(self, key: str, *args: Any) -> Any:
        """Remove the first line with a name and return its value, or a default. Raises KeyError if there is neither."""
        name = key.lower()
        return super().pop(next((known for known, _ in self._items if known.lower() == name), name), *args)

    def extend(self, other: Any = None, **kwargs: str) -> None:
        """Add the lines of a mapping or of pairs, and one for each keyword."""
        for line in [*ResponseHeaders(() if other is None else other).items(), *kwargs.items()]:
            self.add(*line)

    def update(self, *args: Any, **kw: str) -> None:
        """Set the only line with each name of a mapping or of pairs, and of each keyword."""
        for name, value in ResponseHeaders(*args, **kw).items():
            self[name] = value
