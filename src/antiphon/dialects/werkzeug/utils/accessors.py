"""Attributes that are computed once, and attributes that read and write an environ or headers."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from antiphon.dialects._environ.attributes import Accessor, environ_value

T = TypeVar("T")


class cached_property(property, Generic[T]):  # noqa: N801 - its name
    """A method as an attribute that is computed once. It may be set, and deleted to be computed again.

    Deleting a value that was not computed yet raises KeyError, which Flask-Dance waits for. A class with ``__slots__``
    needs a slot with the method's name after ``_cache_``.
    """

    fget: Callable[[Any], T]  # pyright: ignore[reportIncompatibleVariableOverride]  # it is not set

    def __init__(self, fget: Callable[[Any], T], name: str | None = None, doc: str | None = None) -> None:
        super().__init__(fget, doc=doc)
        self.__name__ = name or fget.__name__
        self.__module__ = fget.__module__

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, obj: object, owner: type | None = None) -> T: ...
    def __get__(self, obj: object | None, owner: type | None = None) -> Self | T:
        if obj is None:
            return self
        kept: dict[str, T] | None = getattr(obj, "__dict__", None)
        if kept is None:
            return self._in_slot(obj)
        name = self.__name__
        if name not in kept:
            kept[name] = self.fget(obj)
        return kept[name]

    def __set__(self, obj: object, value: T) -> None:
        if hasattr(obj, "__dict__"):
            obj.__dict__[self.__name__] = value
        else:
            setattr(obj, self._slot, value)

    def __delete__(self, obj: object) -> None:
        if hasattr(obj, "__dict__"):
            del obj.__dict__[self.__name__]
        elif hasattr(obj, self._slot):
            delattr(obj, self._slot)

    @property
    def _slot(self) -> str:
        return f"_cache_{self.__name__}"

    def _in_slot(self, obj: object) -> T:
        if not hasattr(obj, self._slot):
            setattr(obj, self._slot, self.fget(obj))
        value: T = getattr(obj, self._slot)
        return value


class environ_property(Accessor[T]):  # noqa: N801 - its name
    """An attribute that reads a key of ``environ``, and sets it with ``read_only=False``."""

    read_only = True

    def lookup(self, instance: Any) -> Any:
        """Return the environ."""
        return instance.environ


class header_property(Accessor[T]):  # noqa: N801 - its name
    """An attribute that reads and sets a field of ``headers``."""

    def lookup(self, instance: Any) -> Any:
        """Return the headers."""
        return instance.headers


class environ_header(environ_value[T]):  # noqa: N801 - used as a declaration, like property
    """An attribute with the parsed value of a key of the environ. It may be set, until the environ has another
    value.
    """

    def __set__(self, request: Any, value: T) -> None:
        request.__dict__[self.name] = request.environ.get(self.key), value

    def __delete__(self, request: Any) -> None:
        request.__dict__.pop(self.name, None)
