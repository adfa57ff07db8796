"""Dictionaries and lists that are immutable, convert values or report changes, and ordered sets of names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSet
from typing import Any, Self, SupportsIndex, TypeVar, overload

from antiphon.dialects._environ.attributes import UpdateDictMixin
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableDictMixin, ImmutableListMixin
from antiphon.dialects.werkzeug.tokens import quote_header_value

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")
C = TypeVar("C")


class ImmutableList(ImmutableListMixin[V], list[V]):
    """An immutable, hashable list."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list.__repr__(self)})"


class ImmutableDict(ImmutableDictMixin[K, V], dict[K, V]):
    """An immutable dictionary, hashable if its values are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"

    def copy(self) -> dict[K, V]:
        return dict(self)

    def __copy__(self) -> Self:
        return self


class TypeConversionDict(dict[K, V]):
    """A dictionary whose ``get`` can convert the value."""

    @overload
    def get(self, key: K, default: None = None, type: None = None) -> V | None: ...
    @overload
    def get(self, key: K, default: D, type: None = None) -> V | D: ...
    @overload
    def get(self, key: K, default: None = None, *, type: Callable[[V], C]) -> C | None: ...
    @overload
    def get(self, key: K, default: D, type: Callable[[V], C]) -> C | D: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # it can convert
        self,
        key: K,
        default: object = None,
        type: Callable[[V], object] | None = None,  # noqa: A002 - Werkzeug's name
    ) -> object:
        """Return a key's value, converted by ``type`` if given.

        Returns ``default`` if the key is missing or the conversion fails.
        """
        try:
            value = self[key]
        except KeyError:
            return default
        if type is None:
            return value
        try:
            return type(value)
        except (ValueError, TypeError):
            return default


class ImmutableTypeConversionDict(ImmutableDictMixin[K, V], TypeConversionDict[K, V]):
    def copy(self) -> TypeConversionDict[K, V]:
        return TypeConversionDict(self)

    def __copy__(self) -> Self:
        return self


class CallbackDict(UpdateDictMixin[K, V]):
    """A dictionary that calls ``on_update`` with itself after each change."""

    def __init__(
        self,
        initial: Mapping[K, V] | Iterable[tuple[K, V]] | None = None,
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(() if initial is None else initial)
        self.on_update = on_update

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"


class Directives(CallbackDict[str, V]):
    """The base class for headers with named directives, such as Cache-Control.

    ``provided`` is False if the directives were made from None, which means that the message has no such header.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = (),
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def to_header(self) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join([f'{name}={value!r}' for name, value in sorted(self.items())])}>"


def converted(
    values: Iterable[V], convert: Callable[[V], C], refused: tuple[type[Exception], ...] = (ValueError, TypeError)
) -> list[C]:
    """Return the converted values, without those whose conversion raises one of the ``refused`` errors."""
    found = []
    for value in values:
        try:
            found.append(convert(value))
        except refused:
            continue
    return found


class HeaderSet(MutableSet[str]):
    """An ordered, case-insensitive set of strings. It calls ``on_update`` with itself after each change."""

    def __init__(self, headers: Iterable[str] | None = None, on_update: Callable[[Any], None] | None = None) -> None:
        self._headers = list(headers or ())
        self._names = [each.lower() for each in self._headers]
        self.on_update = on_update

    def _tell(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def add(self, value: str) -> None:
        """Append an element unless the set contains it."""
        self.update((value,))

    def update(self, iterable: Iterable[str]) -> None:
        before = len(self._names)
        for header in iterable:
            name = header.lower()
            if name not in self._names:
                self._names.append(name)
                self._headers.append(header)
        if len(self._names) != before:
            self._tell()

    def remove(self, value: str) -> None:
        """Remove an element. Raises KeyError if it is missing."""
        name = value.lower()
        if name not in self._names:
            raise KeyError(value)
        self._headers = [each for each in self._headers if each.lower() != name]
        self._names = [each for each in self._names if each != name]
        self._tell()

    def discard(self, value: str) -> None:
        """Remove an element if the set contains it."""
        if value in self:
            self.remove(value)

    def clear(self) -> None:
        self._headers.clear()
        self._names.clear()
        self._tell()

    def find(self, header: str) -> int:
        """Return the index of an element, or -1 if it is missing."""
        name = header.lower()
        return self._names.index(name) if name in self._names else -1

    def index(self, header: str) -> int:
        """Return the index of an element. Raises IndexError if it is missing."""
        place = self.find(header)
        if place < 0:
            raise IndexError(header)
        return place

    def as_set(self, preserve_casing: bool = False) -> set[str]:
        """Return a plain set, in lower case unless ``preserve_casing`` is True."""
        return set(self._headers if preserve_casing else self._names)

    def to_header(self) -> str:
        return ", ".join([quote_header_value(each) for each in self._headers])

    def __getitem__(self, idx: SupportsIndex) -> str:
        return self._headers[idx]

    def __delitem__(self, idx: SupportsIndex) -> None:
        del self._headers[idx], self._names[idx]
        self._tell()

    def __setitem__(self, idx: SupportsIndex, value: str) -> None:
        self._headers[idx] = value
        self._names[idx] = value.lower()
        self._tell()

    def __contains__(self, header: object) -> bool:
        return str.lower(header) in self._names  # type: ignore[arg-type]  # otherwise TypeError

    def __len__(self) -> int:
        return len(set(self._names))

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._headers!r})"
