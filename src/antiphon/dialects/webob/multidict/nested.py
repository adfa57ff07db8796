"""Several multidicts as one."""

from typing import Any, NoReturn, TypeVar

from antiphon.dialects.webob.multidict.multidict import RAISE, MultiDict

K = TypeVar("K")
V = TypeVar("V")


class NestedMultiDict(MultiDict[K, V]):
    """Several multidicts as one, which can only be read. The first that has a key gives its last value."""

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
        """Return the values of a key in all dictionaries, in order."""
        return [value for each in self.dicts for value in each.getall(key)]

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self.dicts)

    def __len__(self) -> int:
        return sum(map(len, self.dicts))

    def copy(self) -> "MultiDict[K, V]":
        """Return a multidict with these pairs, which can be changed."""
        return MultiDict(self)

    def _readonly(self, *args: object, **kw: object) -> NoReturn:  # noqa: ARG002 - those of all
        raise KeyError("a multidict of several others can only be read; change one of those, or a copy()")

    __setitem__ = add = __delitem__ = clear = setdefault = pop = popitem = update = extend = _readonly
