"""Attributes of a request that are keys of its environ, and read and set directly in it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

T = TypeVar("T")
V = TypeVar("V")

if TYPE_CHECKING:

    class Attribute(Protocol[T]):  # type: ignore[misc]  # it is set to more types than it gives
        """An attribute whose values are of one type. It can be set to whatever is converted to that."""

        @overload
        def __get__(self, request: None, owner: type | None = None) -> property: ...
        @overload
        def __get__(self, request: object, owner: type | None = None) -> T: ...
        def __set__(self, request: Any, value: Any) -> None: ...
        def __delete__(self, request: Any) -> None: ...


_REQUIRED: Any = object()


def environ_getter(key: str, default: T = _REQUIRED, rfc_section: str | None = None) -> "Attribute[T]":
    """Return an attribute that is ``environ[key]``, or ``default`` if there is no such key.

    Without a default, reading raises KeyError, and the attribute can't be deleted. With one, None deletes the key.
    """
    doc = _doc(key, rfc_section)
    if default is _REQUIRED:
        return cast("Attribute[T]", property(lambda request: request.environ[key], _setter(key), doc=doc))

    def fget(request: Any) -> T:
        value: T = request.environ.get(key, default)
        return value

    return cast("Attribute[T]", property(fget, _optional(key, _setter(key)), _deleter(key), doc))


def environ_decoder(
    key: str, default: str = _REQUIRED, rfc_section: str | None = None, encattr: str | None = None
) -> "Attribute[str]":
    """Return an attribute like ``environ_getter``, which ``encget`` and ``encset`` of the request decode and encode.

    ``encattr`` names the request's attribute that has the charset.
    """

    def fset(request: Any, value: str) -> None:
        request.encset(key, value, encattr=encattr)

    doc = _doc(key, rfc_section)
    if default is _REQUIRED:
        return cast("Attribute[str]", property(lambda request: request.encget(key, encattr=encattr), fset, doc=doc))

    def fget(request: Any) -> str:
        text: str = request.encget(key, default, encattr=encattr)
        return text

    return cast("Attribute[str]", property(fget, _optional(key, fset), _deleter(key), doc))


def upath_property(key: str) -> "Attribute[str]":
    """Return an attribute that is ``environ[key]``, or nothing, as text in the request's ``url_encoding``."""

    def fget(request: Any) -> str:
        raw: str = request.environ.get(key, "")
        return raw.encode("latin-1").decode(request.url_encoding)

    def fset(request: Any, value: str) -> None:
        request.environ[key] = value.encode(request.url_encoding).decode("latin-1")

    return cast("Attribute[str]", property(fget, fset, doc=f"The environ's {key} as text."))


def converter(
    prop: "Attribute[V]",
    parse: Callable[[V], T],
    serialize: Callable[[Any], Any],
    convert_name: str | None = None,
) -> "Attribute[T]":
    """Return an attribute whose values are parsed when they are read from ``prop``, and printed when they are set.

    None is set as it is.
    """
    inner = cast("property", prop)
    read = cast("Callable[[Any], V]", inner.fget)
    write = cast("Callable[[Any, Any], None]", inner.fset)

    def fset(request: Any, value: Any) -> None:
        write(request, None if value is None else serialize(value))

    doc = f"{inner.__doc__ or ''} As {convert_name or f'{parse.__name__} gives it'}."
    return cast("Attribute[T]", property(lambda request: parse(read(request)), fset, inner.fdel, doc))


def _setter(key: str) -> Callable[[Any, Any], None]:
    def fset(request: Any, value: Any) -> None:
        request.environ[key] = value

    return fset


def _optional(key: str, fset: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return a function that deletes the key for None, and otherwise sets it."""

    def delete_or_set(request: Any, value: Any) -> None:
        if value is None:
            request.environ.pop(key, None)
        else:
            fset(request, value)

    return delete_or_set


def _deleter(key: str) -> Callable[[Any], None]:
    def fdel(request: Any) -> None:
        del request.environ[key]

    return fdel


def _doc(key: str, rfc_section: str | None) -> str:
    where = f" (RFC 2616 section {rfc_section})" if rfc_section else ""
    return f"The environ's {key}{where}."


class made_on_use:  # noqa: N801 - used as a decorator, like property
    """An attribute of a class that a function makes when the attribute is first used, and that takes its place then.

    So the modules that it needs are imported only then.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner
        self._name = name

    def _settle(self) -> None:
        if vars(self._owner).get(self._name) is self:
            setattr(self._owner, self._name, self._make())

    def __get__(self, request: object | None, owner: type | None = None) -> Any:
        self._settle()
        return getattr(owner if request is None else request, self._name)

    def __set__(self, request: Any, value: object) -> None:
        self._settle()
        setattr(request, self._name, value)

    def __delete__(self, request: Any) -> None:
        self._settle()
        delattr(request, self._name)
