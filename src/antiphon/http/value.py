"""Equality by value, for all immutable headers."""


class Value:
    """An object that equals others of its class with the same ``_identity()``, by default its printed text."""

    __slots__ = ()

    def _identity(self) -> object:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())
