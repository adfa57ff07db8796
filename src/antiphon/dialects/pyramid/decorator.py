"""Attributes that are computed only once."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any


class reify:  # noqa: N801 - Pyramid's name
    """A decorator that turns a method into an attribute: it calls the method on first use and stores the result."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]  # it is shown as that method

    def __get__(self, inst: Any, objtype: type | None = None) -> Any:
        if inst is None:
            return self
        value = self.wrapped(inst)
        setattr(inst, self.wrapped.__name__, value)
        return value
