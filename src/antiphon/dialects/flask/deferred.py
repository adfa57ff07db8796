"""Class attributes of applications that are imported on first use, so that no program loads what it does not use."""

from collections.abc import Callable
from typing import Any


class deferred:  # noqa: N801 - used as a declaration, like property
    """A class attribute that is what a function returns, which is called on first use. The result takes its place."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner
        self._name = name

    def __get__(self, instance: object | None, owner: type) -> Any:
        made = self._make()
        if vars(self._owner).get(self._name) is self:
            setattr(self._owner, self._name, made)
        return getattr(self._owner, self._name)
