"""Two ways to put work off until it is needed: attributes computed on first read, and names imported on first use."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - used as a decorator, like property
    """Turn a method without arguments into an attribute that is computed once.

    It is a non-data descriptor: the value is stored on the instance under the method's own name, so that later
    reads never come here.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "lazy[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "lazy[T] | T":
        if instance is None:
            return self
        value = self.compute(instance)
        setattr(instance, self.name, value)
        return value


def import_on_use(package: str, modules: Mapping[str, str]) -> tuple[list[str], Callable[[str], Any]]:
    """Return the ``__all__`` and the ``__getattr__`` of a package that imports each name on first use (PEP 562).

    ``modules`` has the names of each module, separated by spaces. A module is written as below `antiphon`.
    """
    where = {name: f"antiphon.{module}" for module, names in modules.items() for name in names.split()}

    def import_name(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(where[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return sorted(where), import_name
