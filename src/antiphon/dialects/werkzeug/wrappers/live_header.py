"""A header of a response as a value that can be changed: what is changed in the value is sent."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class live_header(Generic[T]):  # noqa: N801 - used as a declaration, like property
    """What ``parse`` makes of the header, or of None where it is absent, and of what it is to call after a change.

    It may be set to such a value, which ``dump`` or its ``to_header`` prints, or to text; what is empty removes it.
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
            response.headers.remove(self.name)


def _to_header(value: Any) -> str:
    printed: str = value.to_header()
    return printed
