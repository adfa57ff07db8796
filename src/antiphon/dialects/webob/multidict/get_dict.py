"""The fields of a query, which write themselves to the environ."""

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from antiphon.dialects.webob.multidict.multidict import MultiDict, shown
from antiphon.http import format_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class GetDict(MultiDict[str, str]):
    """The fields of a query. Changes are written directly to the environ."""

    def __init__(self, data: Any, env: "WSGIEnvironment") -> None:
        self.env = env
        super().__init__(data)

    @classmethod
    def over(cls, items: list[tuple[str, str]], env: "WSGIEnvironment | None" = None) -> Self:
        """Return the fields of the query of ``env``, which take over a list."""
        made = super().over(items)
        made.env = {} if env is None else env
        return made

    def on_change(self) -> None:
        """Write the fields to QUERY_STRING."""
        pairs = [(str(key), str(value)) for key, value in self._items]
        query = format_query(pairs) if self._charset == "UTF-8" else urlencode(pairs, encoding=self._charset)
        self.env["QUERY_STRING"] = query
        self.env["webob._parsed_query_vars"] = (self, query)

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.on_change()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.on_change()

    def add(self, key: str, value: str) -> None:
        """Add a value to those of a key."""
        super().add(key, value)
        self.on_change()

    def clear(self) -> None:
        """Remove all fields."""
        super().clear()
        self.on_change()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the first value of a key, after adding ``default`` if it is missing."""
        value = super().setdefault(key, default)
        self.on_change()
        return value

    def pop(self, key: str, *args: Any) -> Any:
        """Remove the first pair of a key and return its value, or a default. Raises KeyError if there is neither."""
        value = super().pop(key, *args)
        self.on_change()
        return value

    def popitem(self) -> tuple[str, str]:
        """Remove the last field and return it. Raises IndexError if there is none."""
        pair = super().popitem()
        self.on_change()
        return pair

    def update(self, *args: Any, **kw: str) -> None:
        """Set the only value of each key."""
        super().update(*args, **kw)
        self.on_change()

    def extend(self, other: Any = None, **kwargs: str) -> None:
        """Add fields, and set the keywords."""
        super().extend(other, **kwargs)
        self.on_change()

    def copy(self) -> "MultiDict[str, str]":
        """Return a multidict with these fields, which no longer writes to the environ."""
        return MultiDict(self)

    def __repr__(self) -> str:
        return f"GET({shown(self._items)})"
