"""A dictionary that reports its changes: parsed header values that write themselves back."""

from collections.abc import Callable
from typing import Any, Self, TypeVar, cast, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

MISSING: Any = object()
"""The default of a parameter that may be None."""


class UpdateDictMixin(dict[K, V]):
    """A dictionary that calls ``on_update`` with itself after each change."""

    on_update: Callable[[Any], None] | None = None

    def _report(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._report()

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._report()

    def setdefault(self, key: K, default: V | None = None) -> V:
        """Return the value of a key, after setting it to ``default`` if it is missing."""
        if key not in self:
            self[key] = cast("V", default)
        return self[key]

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: D) -> V | D: ...
    def pop(self, key: K, default: object = MISSING) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]  # by name, too
        """Remove a key and return its value, or ``default``. Raises KeyError if there is neither."""
        if key not in self and default is not MISSING:
            return default
        value = super().pop(key)
        self._report()
        return value

    def popitem(self) -> tuple[K, V]:
        """Remove the last key and return it with its value. Raises KeyError if there is none."""
        item = super().popitem()
        self._report()
        return item

    def clear(self) -> None:
        """Remove all keys."""
        super().clear()
        self._report()

    def update(self, arg: Any = None, /, **kwargs: V) -> None:
        """Set the values of several keys."""
        super().update(() if arg is None else arg, **kwargs)
        self._report()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]  # of pairs too
        super().__ior__(other)
        self._report()
        return self
