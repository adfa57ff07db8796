"""MultiDicts that keep the order of pairs between keys. They are deprecated in Werkzeug 3.1."""

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, Self, SupportsIndex, TypeVar, cast

from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableMultiDictMixin
from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict, Pairs, iter_multi_items

K = TypeVar("K")
V = TypeVar("V")


class OrderedMultiDict(MultiDict[K, V]):
    """A MultiDict whose pairs stay in the order in which they were added."""

    def __init__(self, mapping: Pairs[K, V] | None = None) -> None:
        super().__init__()
        self._order: list[K] = []
        for key, value in iter_multi_items(() if mapping is None else mapping):
            OrderedMultiDict.add(self, key, value)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(self.items(multi=True)),)

    def items(self, multi: bool = False) -> Iterator[tuple[K, V]]:  # type: ignore[override]  # no view
        """Return each key with its first value; with ``multi``, all pairs in order."""
        if not multi:
            yield from super().items()
            return
        values = {key: iter(listed) for key, listed in self.lists()}
        for key in self._order.copy():
            yield key, next(values[key])

    def __setitem__(self, key: K, value: V) -> None:
        """Set a key to one value, at the end. It replaces all values that the key had."""
        self.setlist(key, [value])

    def setlist(self, key: K, new_list: Iterable[V]) -> None:
        """Set a key to several values, at the end. They replace all values that the key had."""
        values = list(new_list)
        self.poplist(key)
        for value in values:
            self.add(key, value)

    def add(self, key: K, value: V) -> None:
        """Add a pair at the end."""
        super().add(key, value)
        self._order.append(key)

    def setlistdefault(self, *arguments: object, **options: object) -> NoReturn:  # noqa: ARG002 - as it was called
        """Raise TypeError: values that are added to such a list would have no place in the order."""
        raise TypeError("setlistdefault is unsupported for ordered multi dicts")

    def poplist(self, key: K) -> list[V]:
        """Remove a key and return its values; an empty list if there are none."""
        if key in self:
            self._order = [each for each in self._order if each != key]
        return cast("list[V]", dict.pop(self, key, []))

    def popitemlist(self) -> tuple[K, list[V]]:
        """Remove the last key and return it with its values. Raises KeyError if there is none."""
        key, values = super().popitemlist()
        self._order = [each for each in self._order if each != key]
        return key, values

    def __delitem__(self, key: K) -> None:
        self.pop(key)

    def clear(self) -> None:
        """Remove all pairs."""
        super().clear()
        self._order.clear()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedMultiDict):
            return list(self.items(multi=True)) == list(other.items(multi=True))
        return dict(self.lists()) == dict(other.lists()) if isinstance(other, MultiDict) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other  # dict has its own __ne__

    __hash__ = None  # type: ignore[assignment]  # it can be changed


class ImmutableOrderedMultiDict(ImmutableMultiDictMixin[K, V], OrderedMultiDict[K, V]):  # type: ignore[misc]  # a hash
    """An OrderedMultiDict that can't be changed. It has a hash if its values have one."""

    def _iter_hashitems(self) -> Iterable[object]:
        return enumerate(self.items(multi=True))

    def copy(self) -> OrderedMultiDict[K, V]:
        """Return an OrderedMultiDict with the same pairs, which can be changed."""
        return OrderedMultiDict(self)

    def __copy__(self) -> Self:
        return self
