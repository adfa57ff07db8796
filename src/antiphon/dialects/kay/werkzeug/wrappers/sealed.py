"""Immutable requests: attributes that can't be set."""

from typing import Any, NoReturn, Self, TypeVar, overload

from antiphon import Dependency
from antiphon.embedding import lazy

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])

_OWN = "antiphon.dialects."


class sealed(lazy[T]):  # noqa: N801 - used as a decorator, like property
    """A ``lazy`` attribute for classes that refuse to set attributes."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Self | Any:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


def seal(cls: C) -> C:
    """Replace the inherited lazy attributes of a class by sealed ones."""
    for name in dir(cls):
        attribute = getattr(cls, name, None)
        if isinstance(attribute, lazy) and not isinstance(attribute, sealed):
            own: sealed[Any] = sealed(attribute.compute)
            own.name = name
            setattr(cls, name, own)
    return cls


class Immutable:
    """A base class that refuses to set its attributes, except dependencies and names that an application adds."""

    _fixed: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [base for base in cls.__mro__ if base.__module__.startswith(_OWN)]
        names = {name for base in own for name, value in vars(base).items() if not isinstance(value, Dependency)}
        cls._fixed = frozenset(name for name in names if not name.startswith("_")) | {"environ", "shallow"}

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._fixed:
            _refuse(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._fixed:
            _refuse(name)
        super().__delattr__(name)


def _refuse(name: str) -> NoReturn:
    raise TypeError(f"the request is immutable: its {name} can't be changed")
