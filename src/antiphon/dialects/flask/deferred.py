"""Class attributes of applications that are imported on first use, so that no program loads what it does not use."""

from collections.abc import Callable
from typing import Any


class deferred:  # noqa: N801 - used as a declaration, like property
    """A class attribute that is what a function returns, which is called once. Assignments replace it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: list[Any] = []

    def __get__(self, instance: object | None, owner: type) -> Any:
        if not self._made:
            self._made.append(self._make())
        return self._made[0]
