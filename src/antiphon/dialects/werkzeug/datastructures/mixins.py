"""Mixins for immutable lists, dictionaries and headers."""

from collections.abc import Iterable
from itertools import repeat
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, TypeVar, cast

from antiphon.dialects._environ.attributes import UpdateDictMixin

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.datastructures.structures import MultiDict

__all__ = [
    "ImmutableDictMixin", "ImmutableHeadersMixin", "ImmutableListMixin", "ImmutableMultiDictMixin",
    "UpdateDictMixin", "is_immutable",
]  # fmt: skip

K = TypeVar("K")
V = TypeVar("V")


def is_immutable(self: object, *arguments: object, **options: object) -> NoReturn:  # noqa: ARG001 - any arguments
    """Raise TypeError. This replaces the methods that would change an immutable object."""
    raise TypeError(f"{type(self).__name__!r} objects are immutable")


class ImmutableListMixin(list[V]):
    """A mixin for immutable lists. They are hashable if their items are."""

    _hash_cache: int | None = None

    def __hash__(self) -> int:  # type: ignore[override]  # immutable
        if self._hash_cache is None:
            self._hash_cache = hash(tuple(self))
        return self._hash_cache

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(self),)

    __delitem__ = __iadd__ = __imul__ = __setitem__ = is_immutable
    append = clear = extend = insert = pop = remove = reverse = sort = is_immutable


class ImmutableDictMixin(dict[K, V]):
    """A mixin for immutable dictionaries. They are hashable if their values are."""

    _hash_cache: int | None = None

    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: Any = None) -> Self:  # type: ignore[override]  # returns this class
        return cls(zip(keys, repeat(value)))

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (dict(self),)

    def _iter_hashitems(self) -> Iterable[object]:
        return self.items()

    def __hash__(self) -> int:  # type: ignore[override]  # immutable
        if self._hash_cache is None:
            self._hash_cache = hash(frozenset(self._iter_hashitems()))
        return self._hash_cache

    __delitem__ = __ior__ = __setitem__ = is_immutable
    clear = pop = popitem = setdefault = update = is_immutable


class ImmutableMultiDictMixin(ImmutableDictMixin[K, V]):
    """A mixin for immutable MultiDicts. They are hashable if their values are."""

    def _iter_hashitems(self) -> Iterable[object]:
        return cast("MultiDict[K, V]", self).items(multi=True)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return type(self), (list(cast("MultiDict[K, V]", self).items(multi=True)),)

    add = popitemlist = poplist = setlist = setlistdefault = is_immutable


class ImmutableHeadersMixin:
    """A mixin for read-only headers. They are not hashable, since their source may change."""

    __delitem__ = __ior__ = __setitem__ = is_immutable
    add = add_header = clear = extend = insert = pop = popitem = remove = is_immutable
    set = setdefault = setlist = setlistdefault = update = is_immutable
