"""A header of a request as an attribute: read from the environ whenever it is asked for, parsed once for each value."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class environ_header(Generic[T]):  # noqa: N801 - used as a declaration, like property
    """What ``parse`` makes of ``environ[key]``, or of None where that is absent.

    It is kept as long as the environ has the same value. Setting it lasts as long; where it is ``read_only``, setting
    and deleting raise AttributeError.
    """

    def __init__(self, key: str, parse: Callable[[str | None], T], doc: str, *, read_only: bool = False) -> None:
        self.key = key
        self.__doc__ = doc
        self._parse = parse
        self._is_read_only = read_only

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, request: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, request: object, owner: type | None = None) -> T: ...
    def __get__(self, request: Any, owner: type | None = None) -> Self | T:
        if request is None:
            return self
        raw = request.environ.get(self.key)
        kept: dict[str, tuple[str | None, T]] = request.__dict__
        if (known := kept.get(self._name)) is not None and known[0] is raw:
            return known[1]
        value = self._parse(raw)
        kept[self._name] = raw, value
        return value

    def __set__(self, request: Any, value: T) -> None:
        self._check_writable()
        request.__dict__[self._name] = request.environ.get(self.key), value

    def __delete__(self, request: Any) -> None:
        self._check_writable()
        request.__dict__.pop(self._name, None)

    def _check_writable(self) -> None:
        if self._is_read_only:
            raise AttributeError(f"{self._name} can only be read: it is in the environ, as {self.key}")


class environ_text(environ_header[str | None]):  # noqa: N801 - used as a declaration, like property
    """A header as it is, None where it is absent. It can only be read."""

    def __init__(self, key: str, doc: str) -> None:
        super().__init__(key, _as_it_is, doc, read_only=True)

    def __get__(self, request: Any, owner: type | None = None) -> Any:
        return self if request is None else request.environ.get(self.key)


def _as_it_is(raw: str | None) -> str | None:
    return raw
