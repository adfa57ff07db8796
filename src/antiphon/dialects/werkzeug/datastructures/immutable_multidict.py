"""MultiDicts that stay as they are."""

from typing import Self, TypeVar

from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableMultiDictMixin
from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict

K = TypeVar("K")
V = TypeVar("V")


class ImmutableMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):
    """A MultiDict that can't be changed, and has a hash if its values have one."""

    def copy(self) -> MultiDict[K, V]:
        """One with the same values, which can be changed."""
        return MultiDict(self)

    def __copy__(self) -> Self:
        return self
