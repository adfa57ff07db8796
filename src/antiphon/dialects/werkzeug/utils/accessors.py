"""Attributes that are computed once, and those that read and write an environ or headers."""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

T = TypeVar("T")


class cached_property(Generic[T]):  # noqa: N801 - its name
    """A method as an attribute that is computed once; it may be set, and deleted to be computed anew.

    A class with ``__slots__`` needs one that is named after the method, with ``_cache_`` before it.
    """

    def __init__(self, fget: Callable[[Any], T], name: str | None = None, doc: str | None = None) -> None:
        self.fget = fget
        self.__name__ = name or fget.__name__
        self.__doc__ = doc or fget.__doc__
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
        value = kept[self.__name__] if self.__name__ in kept else self.fget(obj)
        kept[self.__name__] = value
        return value

    def _in_slot(self, obj: object) -> T:
        slot = f"_cache_{self.__name__}"
        if not hasattr(obj, slot):
            setattr(obj, slot, self.fget(obj))
        value: T = getattr(obj, slot)
        return value


class _Accessor(Generic[T]):
    """An attribute that is a value of a mapping, read by ``load_func`` and printed by ``dump_func``.

    What is missing, or raises ValueError or TypeError when it is read, is ``default``.
    """

    read_only: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        default: T | None = None,
        load_func: Callable[[Any], T | None] | None = None,
        dump_func: Callable[[Any], str | None] | None = None,
        read_only: bool | None = None,
        doc: str | None = None,
    ) -> None:
        self.name = name
        self.default = default
        self.load_func = load_func
        self.dump_func = dump_func
        self._is_read_only = self.read_only if read_only is None else read_only
        self.__doc__ = doc

    def lookup(self, instance: Any) -> Any:
        """The mapping."""
        raise NotImplementedError

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T | None: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> Self | T | None:
        if instance is None:
            return self
        value = self.lookup(instance).get(self.name)
        if value is None:
            return self.default
        if self.load_func is None:
            found: T = value
            return found
        try:
            return self.load_func(value)
        except (ValueError, TypeError):
            return self.default

    def __set__(self, instance: object, value: Any) -> None:
        self._check_writable()
        self.lookup(instance)[self.name] = value if self.dump_func is None else self.dump_func(value)

    def __delete__(self, instance: object) -> None:
        self._check_writable()
        self.lookup(instance).pop(self.name, None)

    def _check_writable(self) -> None:
        if self._is_read_only:
            raise AttributeError(f"{self.name} can only be read here")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class environ_property(_Accessor[T]):  # noqa: N801 - its name
    """A value of ``environ``, which can only be read unless ``read_only=False`` is given."""

    read_only = True

    def lookup(self, instance: Any) -> Any:
        """The environ."""
        return instance.environ


class header_property(_Accessor[T]):  # noqa: N801 - its name
    """A field of ``headers``."""

    def lookup(self, instance: Any) -> Any:
        """The headers."""
        return instance.headers
