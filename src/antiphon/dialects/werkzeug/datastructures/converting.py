"""Values of which those are left that can be converted."""

from collections.abc import Callable, Iterable
from typing import TypeVar

V = TypeVar("V")
C = TypeVar("C")


def converted(
    values: Iterable[V], convert: Callable[[V], C], refused: tuple[type[Exception], ...] = (ValueError, TypeError)
) -> list[C]:
    """The values, converted, without those for which one of the errors is raised."""
    found = []
    for value in values:
        try:
            found.append(convert(value))
        except refused:
            continue
    return found
