"""Attributes backed by a mapping, such as an environ, and a dictionary that reports its changes.

- ``Accessor`` reads and writes one value of any mapping, converting it each time.
- ``environ_value`` reads a key of the environ and parses each value once.
- ``live_header`` reads a header field as an object and rewrites the field when that object changes.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

MISSING: Any = object()
"""The default of a parameter that accepts None as a value."""


class UpdateDictMixin(dict[K, V]):
    """A dictionary that calls ``on_update`` with itself after each change."""

    on_update: Callable[[Any], None] | None = None

    def _report(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._report()

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._report()

    def setdefault(self, key: K, default: V | None = None) -> V:
        """Return a key's value, first setting it to ``default`` if it is missing."""
        if key not in self:
            self[key] = cast("V", default)
        return self[key]

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: D) -> V | D: ...
    def pop(self, key: K, default: object = MISSING) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]  # default may be passed by name
        """Remove a key and return its value, or ``default``. Raises KeyError if both are missing."""
        if key not in self and default is not MISSING:
            return default
        value = super().pop(key)
        self._report()
        return value

    def popitem(self) -> tuple[K, V]:
        """Remove the last item and return its key and value. Raises KeyError if the dictionary is empty."""
        item = super().popitem()
        self._report()
        return item

    def clear(self) -> None:
        super().clear()
        self._report()

    def update(self, arg: Any = None, /, **kwargs: V) -> None:
        super().update(() if arg is None else arg, **kwargs)
        self._report()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]  # also accepts pairs
        super().__ior__(other)
        self._report()
        return self


T = TypeVar("T")


class Accessor(Generic[T]):
    """An attribute that reads, sets and deletes one value of a mapping, with optional conversion functions.

    Reading returns ``default`` if the value is missing or if ``load_func`` raises ValueError or TypeError. On
    assignment, ``dump_func`` converts the value to text. A ``read_only`` attribute raises AttributeError when it is
    set or deleted.
    """

    read_only: ClassVar[bool] = False
    """The default of the ``read_only`` parameter."""

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
        """Return the mapping that an object's values are stored in. Subclasses implement this."""
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
            raise AttributeError(f"{self.name} is read-only here")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class environ_value(Generic[T]):  # noqa: N801 - used like property
    """A read-only attribute: the result of ``parse(environ[key])``, or of ``parse(None)`` if the key is missing.

    The request caches the result until the environ's value changes.
    """

    def __init__(self, key: str, parse: Callable[[str | None], T], doc: str) -> None:
        self.key = key
        self.__doc__ = doc
        self._parse = parse

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, request: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, request: object, owner: type | None = None) -> T: ...
    def __get__(self, request: Any, owner: type | None = None) -> Self | T:
        if request is None:
            return self
        raw = request.environ.get(self.key)
        cache: dict[str, tuple[str | None, T]] = request.__dict__
        if (cached := cache.get(self.name)) is not None and cached[0] is raw:
            return cached[1]
        value = self._parse(raw)
        cache[self.name] = raw, value
        return value

    def __set__(self, request: Any, value: T) -> None:
        self._refuse()

    def __delete__(self, request: Any) -> None:
        self._refuse()

    def _refuse(self) -> None:
        raise AttributeError(f"{self.name} is read-only: it is in the environ, as {self.key}")


class environ_text(environ_value[str | None]):  # noqa: N801 - used like property
    """A read-only attribute that returns ``environ[key]`` unchanged, or None if the key is missing."""

    def __init__(self, key: str, doc: str) -> None:
        super().__init__(key, lambda raw: raw, doc)

    def __get__(self, request: Any, owner: type | None = None) -> Any:
        return self if request is None else request.environ.get(self.key)


class live_header(Generic[T]):  # noqa: N801 - used like property
    """A response attribute that exposes a header field as an object and writes its changes back to the field.

    ``parse`` is called with the field's value (or None) and a function that the object calls with itself after each
    change. The attribute can be set to text or to such an object, which ``dump`` or its own ``to_header`` converts to
    text. An empty value removes the field.
    """

    def __init__(
        self,
        name: str,
        parse: Callable[[str | None, Callable[[T], None]], T],
        doc: str,
        dump: Callable[[Any], str] | None = None,
    ) -> None:
        self.name = name
        self.__doc__ = doc
        self._parse = parse
        self._dump = dump or _to_header

    @overload
    def __get__(self, response: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, response: object, owner: type | None = None) -> T: ...
    def __get__(self, response: Any, owner: type | None = None) -> Self | T:
        if response is None:
            return self
        return self._parse(response.headers.get(self.name), lambda changed: self.__set__(response, changed))

    def __set__(self, response: Any, value: Any) -> None:
        if value:
            response.headers[self.name] = value if isinstance(value, str) else self._dump(value)
        else:
            response.headers.pop(self.name, None)


def _to_header(value: Any) -> str:
    printed: str = value.to_header()
    return printed
