"""Dictionaries with several values per key: plain, nested, read-only, and one that writes its changes to the query."""

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, cast
from urllib.parse import urlencode

from antiphon.http import format_query

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


E = TypeVar("E")


class Sequential(Generic[E]):
    """A live view of a multidict's keys, values or pairs, in order. It compares equal to lists."""

    def __init__(self, read: Callable[[], Iterable[E]], size: Callable[[], int]) -> None:
        self._read = read
        self._size = size

    def __iter__(self) -> Iterator[E]:
        return iter(self._read())

    def __reversed__(self) -> Iterator[E]:
        return reversed([*self._read()])

    def __len__(self) -> int:
        return self._size()

    def __contains__(self, element: object) -> bool:
        return any(element == each for each in self._read())

    def __getitem__(self, index: Any) -> Any:
        return [*self._read()][index]

    def __eq__(self, other: object) -> bool:
        return [*self._read()] == [*other] if isinstance(other, (list, Sequential)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # the view is mutable

    def __repr__(self) -> str:
        return repr([*self._read()])


K = TypeVar("K")
V = TypeVar("V")

RAISE: Any = object()
"""The default that makes a missing value raise KeyError."""


class MultiDict(MutableMapping[K, V]):
    """An ordered dictionary with several values per key. ``[]`` returns the last one, ``getall`` all of them."""

    _items: list[tuple[K, V]]
    _index: dict[K, list[V]] | None = None
    _is_view = False
    _charset = "UTF-8"

    def __init__(self, *args: Any, **kw: V) -> None:
        if len(args) > 1:
            raise TypeError(f"MultiDict can only be called with one positional argument, not {len(args)}")
        self._items = pairs_of(args[0]) if args else []
        if kw:
            self._items.extend(cast("Any", kw).items())

    @classmethod
    def over(cls, items: list[tuple[K, V]]) -> Self:
        """Return a multidict that takes over a list of pairs without copying it."""
        made = cls.__new__(cls)
        made._items = items  # noqa: SLF001 - of the same class
        return made

    @classmethod
    def view_list(cls, lst: list[tuple[K, V]]) -> Self:
        """Return a multidict that is a live view of a list of pairs. Changes to either affect the other."""
        if not isinstance(lst, list):
            raise TypeError(f"{cls.__name__}.view_list(obj) takes only actual list objects, not {lst!r:.200}")
        view = cls.over(lst)
        view._is_view = True  # noqa: SLF001
        return view

    @classmethod
    def from_fieldstorage(cls, fs: Any) -> Self:
        """Return the text fields and files of a parsed form, such as a ``cgi.FieldStorage``."""
        from antiphon.dialects.webob.field_storage import fields_of

        return cls(fields_of(fs))

    # Reading

    def _values(self) -> dict[K, list[V]] | None:
        """Return an index of values by key, or None for a view, whose list may change unnoticed."""
        if self._is_view:
            return None
        index = self._index
        if index is None:
            index = self._index = {}
            for key, value in self._items:
                index.setdefault(key, []).append(value)
        return index

    def __getitem__(self, key: K) -> V:
        index = self._values()
        if index is not None:
            return index[key][-1]
        for known, value in reversed(self._items):
            if known == key:
                return value
        raise KeyError(key)

    def get(self, key: K, default: Any = None) -> Any:
        """Return a key's last value, or ``default`` if it is missing."""
        try:
            return self[key]
        except KeyError:
            return default

    def getall(self, key: K) -> list[V]:
        """Return a new list of a key's values, in order. It is empty if the key is missing."""
        index = self._values()
        if index is not None:
            return [*index.get(key, ())]
        return [value for known, value in self._items if known == key]

    def getone(self, key: K) -> V:
        """Return a key's only value. Raises KeyError unless it has exactly one."""
        values = self.getall(key)
        if not values:
            raise KeyError(f"Key not found: {key!r}")
        if len(values) > 1:
            raise KeyError(f"Multiple values match {key!r}: {values!r:.200}")
        return values[0]

    def mixed(self) -> dict[K, V | list[V]]:
        """Return a dictionary that maps keys to single values, or to lists if there are several."""
        return {key: values[0] if len(values) == 1 else values for key, values in self.dict_of_lists().items()}

    def dict_of_lists(self) -> dict[K, list[V]]:
        lists: dict[K, list[V]] = {}
        for key, value in self._pairs():
            lists.setdefault(key, []).append(value)
        return lists

    def __contains__(self, key: object) -> bool:
        return self.get(cast("K", key), RAISE) is not RAISE

    def has_key(self, key: object) -> bool:
        """Return True if a key has a value."""
        return key in self

    def __len__(self) -> int:
        return len(self._items)

    def __bool__(self) -> bool:
        return len(self) > 0

    def copy(self) -> "MultiDict[K, V]":
        return self.__class__(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self._pairs())})"

    # Iteration

    def _pairs(self) -> list[tuple[K, V]]:
        return self._items

    def iterkeys(self) -> Iterator[K]:
        """Return an iterator over the keys, one for each pair."""
        return iter([key for key, _ in self._pairs()])

    def itervalues(self) -> Iterator[V]:
        return iter([value for _, value in self._pairs()])

    def iteritems(self) -> Iterator[tuple[K, V]]:
        return iter(self._pairs())

    def __iter__(self) -> Iterator[K]:
        return self.iterkeys()

    def keys(self) -> Any:
        """Return the keys in order, including repetitions."""
        return Sequential(self.iterkeys, self.__len__)

    def values(self) -> Any:
        """Return all values in order."""
        return Sequential(self.itervalues, self.__len__)

    def items(self) -> Any:
        """Return all pairs in order."""
        return Sequential(self._pairs, self.__len__)

    # Writing

    def _replace(self, items: Iterable[tuple[K, V]]) -> None:
        self._index = None
        self._items[:] = items

    def __setitem__(self, key: K, value: V) -> None:
        self._replace([*[pair for pair in self._items if pair[0] != key], (key, value)])

    def __delitem__(self, key: K) -> None:
        left = [pair for pair in self._items if pair[0] != key]
        if len(left) == len(self._items):
            raise KeyError(key)
        self._replace(left)

    def add(self, key: K, value: V) -> None:
        if self._index is not None:
            self._index.setdefault(key, []).append(value)
        self._items.append((key, value))

    def clear(self) -> None:
        self._replace(())

    def setdefault(self, key: K, default: Any = None) -> Any:
        """Return a key's first value, first adding ``default`` if it is missing."""
        for known, value in self._items:
            if known == key:
                return value
        MultiDict.add(self, key, default)
        return default

    def pop(self, key: K, *args: Any) -> Any:
        """Remove a key's first pair and return its value, or the default. Raises KeyError without either."""
        if len(args) > 1:
            raise TypeError(f"pop expected at most 2 arguments, got {1 + len(args)}")
        for number, (known, value) in enumerate(self._items):
            if known == key:
                self._index = None
                del self._items[number]
                return value
        if args:
            return args[0]
        raise KeyError(key)

    def popitem(self) -> tuple[K, V]:
        """Remove the last pair and return it. Raises IndexError if the multidict is empty."""
        self._index = None
        return self._items.pop()

    def update(self, *args: Any, **kw: V) -> None:
        """Replace each key's values. Warns if several values are given for a key, since only the last one is kept."""
        if len(args) > 1:
            raise TypeError(f"update accepts one mapping or one list of pairs, not {len(args)}")
        given = [*(pairs_of(args[0]) if args else ()), *cast("Any", kw).items()]
        single = dict(given)
        if len(single) < len(given) - len(kw):
            from warnings import warn

            warn(
                "Behavior of MultiDict.update() has changed and overwrites duplicate keys. Consider using .extend()",
                UserWarning,
                stacklevel=2,
            )
        # A key's last position wins, as if the keys had been set one after another.
        order = dict.fromkeys(key for key, _ in reversed(given))
        kept = [pair for pair in self._items if pair[0] not in single]
        self._replace([*kept, *[(key, single[key]) for key in reversed(order)]])

    def extend(self, other: Any = None, **kwargs: V) -> None:
        """Add the pairs of a mapping or list and set the keyword arguments."""
        self._index = None
        if other is not None:
            self._items.extend(pairs_of(other))
        if kwargs:
            MultiDict.update(self, kwargs)


def pairs_of(source: Any) -> list[tuple[Any, Any]]:
    if hasattr(source, "items"):
        return [*source.items()]
    if hasattr(source, "keys"):
        return [(key, source[key]) for key in source.keys()]  # noqa: SIM118 - it may iterate over something else
    return [(key, value) for key, value in source]


def shown(pairs: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the pairs for ``repr``, with passwords hidden."""
    return [(key, "******" if _is_secret(key) else value) for key, value in pairs]


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and any(word in key for word in ("password", "passwd", "pwd"))


class NestedMultiDict(MultiDict[K, V]):
    """A read-only combination of multidicts. ``[]`` returns the last value from the first one that contains the key."""

    def __init__(self, *dicts: Any) -> None:
        self.dicts = dicts

    def _pairs(self) -> list[tuple[K, V]]:
        return [pair for each in self.dicts for pair in each.items()]

    def __getitem__(self, key: K) -> V:
        for each in self.dicts:
            value: V = each.get(key, RAISE)
            if value is not RAISE:
                return value
        raise KeyError(key)

    def getall(self, key: K) -> list[V]:
        """Return a key's values from all the multidicts, in order."""
        return [value for each in self.dicts for value in each.getall(key)]

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self.dicts)

    def __len__(self) -> int:
        return sum(map(len, self.dicts))

    def copy(self) -> "MultiDict[K, V]":
        return MultiDict(self)

    def _readonly(self, *args: object, **kw: object) -> NoReturn:  # noqa: ARG002 - replaces several methods
        raise KeyError("NestedMultiDict objects are read-only")

    __setitem__ = add = __delitem__ = clear = setdefault = pop = popitem = update = extend = _readonly


class NoVars:
    """An immutable, empty multidict, with the ``reason`` why it is empty."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason or "N/A"

    def __getitem__(self, key: object) -> NoReturn:
        raise KeyError(f"No key {key!r}: {self.reason}")

    def _refuse_to_add(self, *args: object, **kw: object) -> NoReturn:  # noqa: ARG002
        raise KeyError(f"Cannot add variables: {self.reason}")

    def _refuse_to_remove(self, *args: object, **kw: object) -> NoReturn:  # noqa: ARG002
        raise KeyError(f"No keys to delete: {self.reason}")

    __setitem__ = add = setdefault = update = extend = _refuse_to_add
    __delitem__ = clear = pop = popitem = _refuse_to_remove

    def get(self, key: object, default: Any = None) -> Any:  # noqa: ARG002 - it is always empty
        return default

    def getall(self, key: object) -> list[Any]:  # noqa: ARG002
        return []

    def getone(self, key: object) -> NoReturn:
        raise KeyError(f"No key {key!r}: {self.reason}")

    def mixed(self) -> dict[Any, Any]:
        return {}

    dict_of_lists = mixed

    def __contains__(self, key: object) -> bool:
        return False

    def has_key(self, key: object) -> bool:  # noqa: ARG002
        return False

    def copy(self) -> Self:
        """Return this object, which never changes."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.reason}>"

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def iterkeys(self) -> Iterator[Any]:
        return iter(())

    itervalues = iteritems = iterkeys

    def keys(self) -> Any:
        return Sequential(self.iterkeys, self.__len__)

    values = items = keys


class GetDict(MultiDict[str, str]):
    """The query's fields. Changes are written directly to the environ."""

    def __init__(self, data: Any, env: "WSGIEnvironment") -> None:
        self.env = env
        super().__init__(data)

    @classmethod
    def over(cls, items: list[tuple[str, str]], env: "WSGIEnvironment | None" = None) -> Self:
        """Return the fields of the query in ``env``, taking over a list of pairs without copying it."""
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
        super().add(key, value)
        self.on_change()

    def clear(self) -> None:
        super().clear()
        self.on_change()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a key's first value, first adding ``default`` if it is missing."""
        value = super().setdefault(key, default)
        self.on_change()
        return value

    def pop(self, key: str, *args: Any) -> Any:
        """Remove a key's first pair and return its value, or the default. Raises KeyError without either."""
        value = super().pop(key, *args)
        self.on_change()
        return value

    def popitem(self) -> tuple[str, str]:
        """Remove the last field and return it. Raises IndexError if there are no fields."""
        pair = super().popitem()
        self.on_change()
        return pair

    def update(self, *args: Any, **kw: str) -> None:
        super().update(*args, **kw)
        self.on_change()

    def extend(self, other: Any = None, **kwargs: str) -> None:
        """Add fields and set the keyword arguments."""
        super().extend(other, **kwargs)
        self.on_change()

    def copy(self) -> "MultiDict[str, str]":
        """Return a multidict with the same fields, whose changes are not written to the environ."""
        return MultiDict(self)

    def __repr__(self) -> str:
        return f"GET({shown(self._items)})"


__all__ = ["GetDict", "MultiDict", "NestedMultiDict", "NoVars"]
