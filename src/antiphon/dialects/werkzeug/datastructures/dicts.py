"""Dictionaries and lists that convert their values, that can't be changed, or that report changes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, overload

from antiphon.dialects._environ.updating import UpdateDictMixin
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableDictMixin, ImmutableListMixin

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")
C = TypeVar("C")


class ImmutableList(ImmutableListMixin[V], list[V]):
    """A list that can't be changed. It has a hash."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list.__repr__(self)})"


class ImmutableDict(ImmutableDictMixin[K, V], dict[K, V]):
    """A dictionary that can't be changed. It has a hash if its values have one."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"

    def copy(self) -> dict[K, V]:
        """Return a dictionary with the same values, which can be changed."""
        return dict(self)

    def __copy__(self) -> Self:
        return self


class TypeConversionDict(dict[K, V]):
    """A dictionary whose ``get`` converts the value."""

    @overload
    def get(self, key: K, default: None = None, type: None = None) -> V | None: ...
    @overload
    def get(self, key: K, default: D, type: None = None) -> V | D: ...
    @overload
    def get(self, key: K, default: None = None, *, type: Callable[[V], C]) -> C | None: ...
    @overload
    def get(self, key: K, default: D, type: Callable[[V], C]) -> C | D: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # it converts
        self,
        key: K,
        default: object = None,
        type: Callable[[V], object] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> object:
        """Return the value of a key, converted by ``type`` if given; ``default`` if that fails or the key is
        missing.
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
    """A TypeConversionDict that can't be changed."""

    def copy(self) -> TypeConversionDict[K, V]:
        """Return a TypeConversionDict with the same values, which can be changed."""
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
    """The directives of one header by name, such as those of Cache-Control: a base class.

    ``provided`` is False if the directives were made of None: the message has no such header.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = (),
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def to_header(self) -> str:
        """Return the header's value."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join([f'{name}={value!r}' for name, value in sorted(self.items())])}>"


def converted(
    values: Iterable[V], convert: Callable[[V], C], refused: tuple[type[Exception], ...] = (ValueError, TypeError)
) -> list[C]:
    """Return the values, converted, without those for which one of the errors is raised."""
    found = []
    for value in values:
        try:
            found.append(convert(value))
        except refused:
            continue
    return found
