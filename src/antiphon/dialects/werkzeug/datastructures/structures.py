"""Dictionaries with several values per key. ``[]`` and ``get`` return the first value, ``getlist`` returns all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Literal, NoReturn, Self, SupportsIndex, TypeAlias, TypeVar, cast, overload

from antiphon.dialects._environ.attributes import MISSING
from antiphon.dialects.werkzeug.datastructures.dicts import (
    CallbackDict,
    HeaderSet,
    ImmutableDict,
    ImmutableList,
    ImmutableTypeConversionDict,
    TypeConversionDict,
    converted,
)
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableMultiDictMixin
from antiphon.dialects.werkzeug.exceptions.base import BadRequestKeyError

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")
C = TypeVar("C")

Pairs: TypeAlias = Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | Iterable[tuple[K, V]]

_MAPPINGS = (dict, Mapping)  # isinstance is fastest if the first one matches
_SEVERAL = (list, tuple, set)

# dict's own methods access the lists of values; MultiDict's return only the first values.
_list_of: Callable[..., Any] = dict.__getitem__
_list_or_none: Callable[..., Any] = dict.get
_lists_of: Callable[..., Any] = dict.items
_put: Callable[..., None] = dict.__setitem__


def iter_multi_items(mapping: Pairs[K, V]) -> Iterator[tuple[K, V]]:
    """Return each key with each of its values, from a MultiDict, a dictionary of values or lists, or pairs."""
    source: Any = mapping
    if isinstance(source, MultiDict):
        return source.items(multi=True)
    return _items_of_mapping(source) if isinstance(source, _MAPPINGS) else iter(source)


class MultiDict(TypeConversionDict[K, V]):
    """A dictionary with a list of values for each key, made from pairs, a dictionary, or another MultiDict.

    Reading a missing key with ``[]`` raises a KeyError that is also an HTTP exception: it becomes a 400 if not caught.
    """

    KeyError = BadRequestKeyError
    """The exception for a missing key, under its name up to Werkzeug 0.15."""

    def __init__(self, mapping: Pairs[K, V] | None = None) -> None:
        source: Any = mapping
        if source is not None:
            dict.update(self, _lists_from(source))

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "__getitem__" in vars(cls) and "get" not in vars(cls):
            cls.get = TypeConversionDict.get  # type: ignore[method-assign]  # it calls the class's own __getitem__

    def __getstate__(self) -> object:
        return dict(self.lists())

    def __setstate__(self, lists: Any) -> None:
        dict.clear(self)
        dict.update(self, lists)

    # Reading

    def __iter__(self) -> Iterator[K]:
        # Unless a class defines __iter__, dict() copies the lists instead of the first values.
        return super().__iter__()

    def __getitem__(self, key: K) -> V:
        try:
            value: V = _list_of(self, key)[0]
        except (KeyError, IndexError):
            raise BadRequestKeyError(key) from None
        return value

    @overload
    def get(self, key: K, default: None = None, type: None = None) -> V | None: ...
    @overload
    def get(self, key: K, default: D, type: None = None) -> V | D: ...
    @overload
    def get(self, key: K, default: None = None, *, type: Callable[[V], C]) -> C | None: ...
    @overload
    def get(self, key: K, default: D, type: Callable[[V], C]) -> C | D: ...
    def get(
        self,
        key: K,
        default: object = None,
        type: Callable[[V], object] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> object:
        """Return a key's first value, converted by ``type`` if given.

        Returns ``default`` if the key is missing or the conversion fails.
        """
        values: list[V] | None = _list_or_none(self, key)
        if not values:
            return default
        if type is None:
            return values[0]
        try:
            return type(values[0])
        except (ValueError, TypeError):
            return default

    @overload
    def getlist(self, key: K, type: None = None) -> list[V]: ...
    @overload
    def getlist(self, key: K, type: Callable[[V], C]) -> list[C]: ...
    def getlist(
        self,
        key: K,
        type: Callable[[V], Any] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> list[Any]:
        """Return a key's values without those that ``type`` can't convert. Empty if the key is missing."""
        values: list[V] | None = _list_or_none(self, key)
        if values is None:
            return []
        return values.copy() if type is None else converted(values, type)

    def items(self, multi: bool = False) -> Iterator[tuple[K, V]]:  # type: ignore[override]  # not a view
        """Return each key with its first value or, with ``multi``, with each of its values."""
        if multi:
            return iter([(key, value) for key, values in _lists_of(self) for value in values])
        return iter([(key, values[0]) for key, values in _lists_of(self)])

    def lists(self) -> Iterable[tuple[K, list[V]]]:
        return iter([(key, values.copy()) for key, values in _lists_of(self)])

    def values(self) -> Iterator[V]:  # type: ignore[override]  # not a view
        return iter([values[0] for _, values in _lists_of(self)])

    def listvalues(self) -> Iterable[list[V]]:
        return cast("Iterable[list[V]]", super().values())

    @overload
    def to_dict(self, flat: Literal[True] = ...) -> dict[K, V]: ...
    @overload
    def to_dict(self, flat: Literal[False]) -> dict[K, list[V]]: ...
    def to_dict(self, flat: bool = True) -> dict[K, V] | dict[K, list[V]]:
        """Return a dictionary with the first value of each key, or with lists of all values."""
        return dict(self.items()) if flat else dict(self.lists())

    def copy(self) -> Any:
        return self.__class__(self)

    def deepcopy(self, memo: dict[int, Any] | None = None) -> Self:
        return self.__class__(cast("Any", deepcopy(self.to_dict(flat=False), memo)))

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.deepcopy(memo)

    def __or__(self, other: object) -> Any:
        if not isinstance(other, Mapping):
            return NotImplemented
        united = self.copy()
        united.update(other)
        return united

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.items(multi=True))!r})"

    # Changing

    def __setitem__(self, key: K, value: V) -> None:
        _put(self, key, [value])

    def add(self, key: K, value: V) -> None:
        values = _list_or_none(self, key)
        if values is None:
            _put(self, key, [value])
        else:
            values.append(value)

    def setlist(self, key: K, new_list: Iterable[V]) -> None:
        _put(self, key, list(new_list))

    def setdefault(self, key: K, default: V | None = None) -> V:
        """Return a key's first value, first setting it to ``default`` if it is missing."""
        if key not in self:
            self[key] = cast("V", default)
        return self[key]

    def setlistdefault(self, key: K, default_list: Iterable[V] | None = None) -> list[V]:
        """Return a key's list of values, which may be modified. A missing key is first set to ``default_list``."""
        if key not in self:
            _put(self, key, list(default_list or ()))
        values: list[V] = _list_of(self, key)
        return values

    def update(self, mapping: Pairs[K, V]) -> None:  # type: ignore[override]  # adds values
        for key, value in iter_multi_items(mapping):
            self.add(key, value)

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]  # also accepts pairs
        if not isinstance(other, Mapping | Iterable):
            return NotImplemented
        self.update(other)
        return self

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: D) -> V | D: ...
    def pop(self, key: K, default: object = MISSING) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]  # default may be passed by name
        """Remove a key and all its values, and return the first one.

        If the key is missing, returns ``default`` or, without a default, raises KeyError.
        """
        values = self.poplist(key)
        if values:
            return values[0]
        if default is MISSING:
            raise BadRequestKeyError(key)
        return default

    def popitem(self) -> tuple[K, V]:
        """Remove the last key and return it with its first value. Raises KeyError if there is none."""
        key, values = self.popitemlist()
        if not values:
            raise BadRequestKeyError(key)
        return key, values[0]

    def poplist(self, key: K) -> list[V]:
        """Remove a key and return its values, or an empty list if the key is missing."""
        return cast("list[V]", super().pop(key, []))

    def popitemlist(self) -> tuple[K, list[V]]:
        """Remove the last key and return it with its values. Raises KeyError if there is none."""
        try:
            return cast("tuple[K, list[V]]", super().popitem())
        except KeyError as error:
            raise BadRequestKeyError(*error.args) from None

    # Names from Python 2

    def iterlists(self) -> Iterable[tuple[K, list[V]]]:
        """Return ``lists()``. The method's name in Python 2."""
        return self.lists()

    def iterlistvalues(self) -> Iterable[list[V]]:
        """Return ``listvalues()``. The method's name in Python 2."""
        return self.listvalues()

    def iteritems(self, multi: bool = False) -> Iterator[tuple[K, V]]:
        """Return ``items()``. The method's name in Python 2."""
        return self.items(multi)

    def itervalues(self) -> Iterator[V]:
        """Return ``values()``. The method's name in Python 2."""
        return self.values()

    def iterkeys(self) -> Iterator[K]:
        """Return ``keys()``. The method's name in Python 2."""
        return iter(self.keys())


class ImmutableMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):
    """An immutable MultiDict, hashable if its values are."""

    def copy(self) -> MultiDict[K, V]:
        return MultiDict(self)

    def __copy__(self) -> Self:
        return self


def _items_of_mapping(mapping: Mapping[K, Any]) -> Iterator[tuple[K, Any]]:
    for key, value in mapping.items():
        if isinstance(value, _SEVERAL):
            for each in value:
                yield key, each
        else:
            yield key, value


def _lists_from(source: Any) -> Any:
    """Return keys with lists of their values. Keys with empty lists are omitted."""
    if isinstance(source, list):
        return _lists_of_pairs(source)
    if isinstance(source, MultiDict):
        return source.lists()
    if isinstance(source, _MAPPINGS):
        return {
            key: values
            for key, value in source.items()
            if (values := list(value) if isinstance(value, _SEVERAL) else [value])
        }
    return _lists_of_pairs(source)


def _lists_of_pairs(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    lists: dict[K, list[V]] = {}
    for key, value in pairs:
        if key in lists:
            lists[key].append(value)
        else:
            lists[key] = [value]
    return lists


class CombinedMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):
    """A read-only view of several MultiDicts, in order."""

    def __init__(self, dicts: Iterable[MultiDict[K, V]] | None = None) -> None:
        super().__init__()
        self.dicts: list[MultiDict[K, V]] = list(dicts or ())

    @classmethod
    def fromkeys(cls, keys: object, value: object = None) -> NoReturn:  # noqa: ARG003 - dict's signature
        """Raise TypeError, since a CombinedMultiDict is made from dictionaries."""
        raise TypeError(f"cannot create {cls.__name__!r} instances by fromkeys")

    def __reduce_ex__(self, protocol: object) -> Any:
        return type(self), (self.dicts,)

    def __getitem__(self, key: K) -> V:
        for each in self.dicts:
            if key in each:
                return each[key]
        raise BadRequestKeyError(key)

    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # one signature for all uses
        self,
        key: K,
        default: Any = None,
        type: Callable[[V], Any] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> Any:
        """Return a key's first value that ``type``, if given, can convert, or ``default`` if there is none."""
        for each in self.dicts:
            if key in each:
                if type is None:
                    return each[key]
                try:
                    return type(each[key])
                except (ValueError, TypeError):
                    continue
        return default

    def getlist(
        self,
        key: K,
        type: Callable[[V], Any] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> list[Any]:
        """Return a key's values without those that ``type``, if given, can't convert."""
        return [value for each in self.dicts for value in each.getlist(key, type)]

    def keys(self) -> Any:
        """Return the keys of all dictionaries, without duplicates."""
        return dict.fromkeys(key for each in self.dicts for key in each).keys()

    def items(self, multi: bool = False) -> Iterator[tuple[K, V]]:  # type: ignore[override]  # not a view
        """Return each key with its first value or, with ``multi``, all pairs of each dictionary in turn."""
        found = set()
        for each in self.dicts:
            for key, value in each.items(multi):
                if multi:
                    yield key, value
                elif key not in found:
                    found.add(key)
                    yield key, value

    def values(self) -> Iterator[V]:  # type: ignore[override]  # not a view
        return iter([value for _, value in self.items()])

    def lists(self) -> Iterable[tuple[K, list[V]]]:
        """Return each key with a list of its values in all dictionaries."""
        lists: dict[K, list[V]] = {}
        for each in self.dicts:
            for key, values in each.lists():
                lists.setdefault(key, []).extend(values)
        return lists.items()

    def listvalues(self) -> Iterator[list[V]]:
        return iter([values for _, values in self.lists()])

    def copy(self) -> MultiDict[K, V]:
        return MultiDict(self)

    def deepcopy(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a combined view of copies of the dictionaries."""
        return type(self)(deepcopy(self.dicts, memo))

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self.dicts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultiDict):
            return NotImplemented
        return dict(self.lists()) == dict(other.lists())

    def __ne__(self, other: object) -> bool:
        return not self == other  # dict's own __ne__ would be used otherwise

    def __hash__(self) -> int:  # type: ignore[override]  # immutable
        return super().__hash__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dicts!r})"


class OrderedMultiDict(MultiDict[K, V]):
    """A MultiDict whose pairs keep the order in which they were added."""

    def __init__(self, mapping: Pairs[K, V] | None = None) -> None:
        super().__init__()
        self._order: list[K] = []
        for key, value in iter_multi_items(() if mapping is None else mapping):
            OrderedMultiDict.add(self, key, value)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(self.items(multi=True)),)

    def items(self, multi: bool = False) -> Iterator[tuple[K, V]]:  # type: ignore[override]  # not a view
        """Return each key with its first value or, with ``multi``, all pairs in order."""
        if not multi:
            yield from super().items()
            return
        values = {key: iter(listed) for key, listed in self.lists()}
        for key in self._order.copy():
            yield key, next(values[key])

    def __setitem__(self, key: K, value: V) -> None:
        """Replace a key's values with one value at the end."""
        self.setlist(key, [value])

    def setlist(self, key: K, new_list: Iterable[V]) -> None:
        """Replace a key's values with the given ones, at the end."""
        values = list(new_list)
        self.poplist(key)
        for value in values:
            self.add(key, value)

    def add(self, key: K, value: V) -> None:
        super().add(key, value)
        self._order.append(key)

    def setlistdefault(self, *arguments: object, **options: object) -> NoReturn:  # noqa: ARG002 - any arguments
        """Raise TypeError, since values added to the returned list would have no position in the order."""
        raise TypeError("setlistdefault is unsupported for ordered multi dicts")

    def poplist(self, key: K) -> list[V]:
        """Remove a key and return its values, or an empty list if the key is missing."""
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
        super().clear()
        self._order.clear()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedMultiDict):
            return list(self.items(multi=True)) == list(other.items(multi=True))
        return dict(self.lists()) == dict(other.lists()) if isinstance(other, MultiDict) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other  # dict's own __ne__ would be used otherwise

    __hash__ = None  # type: ignore[assignment]  # mutable


class ImmutableOrderedMultiDict(ImmutableMultiDictMixin[K, V], OrderedMultiDict[K, V]):  # type: ignore[misc]  # hash
    """An immutable OrderedMultiDict, hashable if its values are."""

    def _iter_hashitems(self) -> Iterable[object]:
        return enumerate(self.items(multi=True))

    def copy(self) -> OrderedMultiDict[K, V]:
        """Return a mutable OrderedMultiDict with the same pairs."""
        return OrderedMultiDict(self)

    def __copy__(self) -> Self:
        return self


_ImmutableOrderedMultiDict = ImmutableOrderedMultiDict
_OrderedMultiDict = OrderedMultiDict

__all__ = [
    "CallbackDict", "CombinedMultiDict", "HeaderSet", "ImmutableDict", "ImmutableList", "ImmutableMultiDict",
    "ImmutableOrderedMultiDict", "ImmutableTypeConversionDict", "MultiDict", "OrderedMultiDict",
    "TypeConversionDict", "iter_multi_items",
]  # fmt: skip
