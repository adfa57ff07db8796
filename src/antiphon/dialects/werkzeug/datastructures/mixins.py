"""What makes a list, a dictionary or headers refuse to change, or tell of each change."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, TypeVar, cast, overload

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

MISSING: Any = object()
"""The default of a parameter that may be None."""


def is_immutable(self: object, *arguments: object, **options: object) -> NoReturn:  # noqa: ARG001 - of any method
    """Raise TypeError: a method of what can't be changed."""
    raise TypeError(f"{type(self).__name__!r} objects are immutable")


class ImmutableListMixin(list[V]):
    """Makes a list that can't be changed, and has a hash if its items have one."""

    _hash_cache: int | None = None

    def __hash__(self) -> int:  # type: ignore[override]  # it can't be changed
        if self._hash_cache is None:
            self._hash_cache = hash(tuple(self))
        return self._hash_cache

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(self),)

    __delitem__ = __iadd__ = __imul__ = __setitem__ = is_immutable
    append = clear = extend = insert = pop = remove = reverse = sort = is_immutable


class ImmutableDictMixin(dict[K, V]):
    """Makes a dictionary that can't be changed, and has a hash if its values have one."""

    _hash_cache: int | None = None

    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: Any = None) -> Self:  # type: ignore[override]  # of its class
        """One with the same value for each key."""
        return cls(zip(keys, repeat(value)))

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (dict(self),)

    def _iter_hashitems(self) -> Iterable[object]:
        return self.items()

    def __hash__(self) -> int:  # type: ignore[override]  # it can't be changed
        if self._hash_cache is None:
            self._hash_cache = hash(frozenset(self._iter_hashitems()))
        return self._hash_cache

    __delitem__ = __ior__ = __setitem__ = is_immutable
    clear = pop = popitem = setdefault = update = is_immutable


class ImmutableMultiDictMixin(ImmutableDictMixin[K, V]):
    """Makes a MultiDict that can't be changed, and has a hash if its values have one."""

    def _iter_hashitems(self) -> Iterable[object]:
        return cast("MultiDict[K, V]", self).items(multi=True)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(cast("MultiDict[K, V]", self).items(multi=True)),)

    add = popitemlist = poplist = setlist = setlistdefault = is_immutable


class ImmutableHeadersMixin:
    """Makes headers that can't be changed through it. They have no hash: what they show may change elsewhere."""

    __delitem__ = __ior__ = __setitem__ = is_immutable
    add = add_header = clear = extend = insert = pop = popitem = remove = is_immutable
    set = setdefault = setlist = setlistdefault = update = is_immutable


class UpdateDictMixin(dict[K, V]):
    """Makes a dictionary call ``on_update`` with itself after each change."""

    on_update: Callable[[Any], None] | None = None

    def _tell(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._tell()

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._tell()

    def setdefault(self, key: K, default: V | None = None) -> V:
        """The value of a key, which gets ``default`` if it has none."""
        if key not in self:
            self[key] = cast("V", default)
        return self[key]

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: D) -> V | D: ...
    def pop(self, key: K, default: object = MISSING) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]  # by name, too
        """Remove a key and give its value, or ``default``. Raises KeyError when there is neither."""
        if key not in self and default is not MISSING:
            return default
        value = super().pop(key)
        self._tell()
        return value

    def popitem(self) -> tuple[K, V]:
        """Remove the last key and give it with its value. Raises KeyError when there is none."""
        item = super().popitem()
        self._tell()
        return item

    def clear(self) -> None:
        """Remove all keys."""
        super().clear()
        self._tell()

    def update(self, arg: Any = None, /, **kwargs: V) -> None:
        """Set the values of several keys."""
        super().update(() if arg is None else arg, **kwargs)
        self._tell()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]  # of pairs too
        super().__ior__(other)
        self._tell()
        return self
