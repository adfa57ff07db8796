"""The Cache-Control header of requests and responses as a mutable object (RFC 9111 §5.2)."""

import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Self, overload

from antiphon.dialects._environ.attributes import UpdateDictMixin
from antiphon.http import CacheControl as ReadCacheControl
from antiphon.http.grammar import find_unsendable, quote_string

__all__ = ["CacheControl", "UpdateDict", "exists_property", "serialize_cache_control", "value_property"]

_needs_quotes = re.compile(r"[^a-zA-Z0-9._-]").search


class UpdateDict(UpdateDictMixin[Any, Any]):
    """A dictionary that calls ``updated`` after each change, with ``updated_args`` or, if that is None, with itself."""

    updated: Callable[..., object] | None = None
    updated_args: tuple[Any, ...] | None = None

    def _report(self) -> None:
        if self.updated is not None:
            self.updated(*((self,) if self.updated_args is None else self.updated_args))


class _Directive:
    """An attribute of a ``CacheControl``. ``type`` is "request" or "response" if only one of these may set it."""

    def __init__(self, prop: str, type: str | None = None) -> None:  # noqa: A002 - WebOb's parameter
        self.prop = prop
        self.type = type

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, instance: "CacheControl", owner: type | None = None) -> Any: ...
    def __get__(self, instance: "CacheControl | None", owner: type | None = None) -> Any:
        return self if instance is None else self._read(instance.properties)

    def __set__(self, instance: "CacheControl", value: Any) -> None:
        if self.type is not None and self.type != instance.type:
            raise AttributeError(
                f"The property {self.prop} only applies to {self.type} Cache-Control, not {instance.type!r}"
            )
        self._write(instance.properties, value)

    def __delete__(self, instance: "CacheControl") -> None:
        self._remove(instance.properties)

    def _read(self, properties: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def _write(self, properties: MutableMapping[str, Any], value: Any) -> None:
        raise NotImplementedError

    def _remove(self, properties: MutableMapping[str, Any]) -> None:
        if self.prop in properties:
            del properties[self.prop]


class exists_property(_Directive):  # noqa: N801 - WebOb's name
    """An attribute that is True if the directive is present."""

    def _read(self, properties: Mapping[str, Any]) -> bool:
        return self.prop in properties

    def _write(self, properties: MutableMapping[str, Any], value: Any) -> None:
        if value:
            properties[self.prop] = None
        else:
            self._remove(properties)


class value_property(_Directive):  # noqa: N801 - WebOb's name
    """An attribute for a directive's argument.

    It returns ``none`` if the directive has no argument, and ``default`` if the directive is missing.
    """

    def __init__(
        self,
        prop: str,
        default: Any = None,
        none: Any = None,
        type: str | None = None,  # noqa: A002 - WebOb's parameter
    ) -> None:
        super().__init__(prop, type)
        self.default = default
        self.none = none

    def _read(self, properties: Mapping[str, Any]) -> Any:
        if self.prop not in properties:
            return self.default
        value = properties[self.prop]
        return self.none if value is None else value

    def _write(self, properties: MutableMapping[str, Any], value: Any) -> None:
        if value == self.default:
            self._remove(properties)
        else:
            properties[self.prop] = None if value is True else value


class CacheControl:
    """The directives of Cache-Control. ``properties`` maps their names to arguments.

    ``type`` is "request", "response" or None. Setting a directive that only the other type allows raises
    AttributeError.
    """

    update_dict = UpdateDict

    max_age = value_property("max-age", none=-1)
    no_cache = value_property("no-cache", none="*")
    no_store = exists_property("no-store")
    no_transform = exists_property("no-transform")
    max_stale = value_property("max-stale", none="*", type="request")
    min_fresh = value_property("min-fresh", type="request")
    only_if_cached = exists_property("only-if-cached", type="request")
    public = exists_property("public", type="response")
    private = value_property("private", none="*", type="response")
    must_revalidate = exists_property("must-revalidate", type="response")
    proxy_revalidate = exists_property("proxy-revalidate", type="response")
    s_maxage = value_property("s-maxage", type="response")
    s_max_age = s_maxage
    stale_while_revalidate = value_property("stale-while-revalidate", type="response")
    stale_if_error = value_property("stale-if-error", type="response")

    def __init__(self, properties: Any, type: str | None) -> None:  # noqa: A002 - WebOb's parameter
        self.properties = properties
        self.type = type

    @classmethod
    def parse(
        cls,
        header: str | None,
        updates_to: Callable[["CacheControl"], object] | None = None,
        type: str | None = None,  # noqa: A002 - WebOb's parameter
    ) -> Self:
        """Parse a header's value.

        ``updates_to`` is called with the object after each change. Numeric arguments become ints. If a directive is
        repeated, the first one wins (RFC 9111 §4.2.1). Never raises.
        """
        directives = ReadCacheControl.parse(header).directives if header else {}
        read = {name: _number(argument) for name, argument in directives.items()}
        if updates_to is None:
            return cls(read, type)
        properties = cls.update_dict(read)
        self = cls(properties, type)
        properties.updated = updates_to
        properties.updated_args = (self,)
        return self

    def copy(self) -> Self:
        """Return a copy whose changes are not reported."""
        return type(self)(dict(self.properties), self.type)

    def __str__(self) -> str:
        return serialize_cache_control(self.properties)

    def __repr__(self) -> str:
        return f"<CacheControl {str(self)!r}>"


def serialize_cache_control(properties: CacheControl | Mapping[str, Any]) -> str:
    """Format directives, sorted by name. Raises ValueError for characters that are not allowed in a header."""
    directives = properties.properties if isinstance(properties, CacheControl) else properties
    printed = ", ".join([_print(name, value) for name, value in sorted(directives.items())])
    if find_unsendable(printed):
        raise ValueError(f"a Cache-Control header must not contain these characters: {printed[:80]!r}")
    return printed


def _print(name: str, value: Any) -> str:
    if value is None:
        return name
    text = str(value)
    return f"{name}={quote_string(text) if _needs_quotes(text) else text}"


def _number(argument: str | None) -> Any:
    """Convert a numeric argument to an int and an empty one to None; return any other argument unchanged."""
    if not argument:
        return None
    return int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 19 else argument
