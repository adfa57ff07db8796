"""Headers as attributes: read once from a request; read, set and deleted on a response.

``parsed`` and ``negotiated`` declare request headers, ``header`` declares response headers. Below them are parsers and
serializers that several headers share.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, overload

from antiphon.explanations import explained
from antiphon.http.dates import format_http_date, parse_http_date
from antiphon.http.grammar import is_token, parse_or_none, split_list
from antiphon.http.head import Head, server_head
from antiphon.http.headers import MutableHeaders, field_name, field_value
from antiphon.http.reads import Pause
from antiphon.http.structured_fields import (
    BareItem,
    Item,
    format_structured_dictionary,
    parse_structured_dictionary,
    parse_structured_list,
)
from antiphon.lazy import documented_below, lazy

T = TypeVar("T")
S = TypeVar("S")
M = TypeVar("M", bound=BareItem)


class HasHead(Protocol):
    """An object with a head: a request."""

    head: Head


class Negotiating(HasHead, Protocol):
    """A request that records the headers that its response depends on."""

    consulted: tuple[str, ...]


class HasHeaders(Protocol):
    """An object with headers: a response."""

    @property
    def headers(self) -> MutableHeaders: ...
    def _put(self, line: tuple[str, str]) -> None: ...


@documented_below
class of_fields(lazy[T]):  # noqa: N801 - used as a decorator, like property
    """A value of a request that is computed from its header fields or its query, and kept if that was recorded."""

    def keep(self, request: HasHead, value: T) -> None:  # type: ignore[override]
        """Store a value, unless another thread would find it that must be seen to read these fields."""
        if not isinstance(getattr(server_head(request.head), "reads", None), Pause):
            super().keep(request, value)


def parsed(name: str, read: Callable[[str | None], T]) -> of_fields[T]:
    """Declare a request header as a value, read on first access. ``read`` gets None if the header is absent."""

    def compute(request: HasHead) -> T:
        return read(request.head.field(name))

    return of_fields(compute)


def negotiated(name: str, read: Callable[[str | None], T]) -> of_fields[T]:
    """Declare a header on which the response may depend. Unlike with ``parsed``, reading it adds it to Vary."""
    names = (name,)

    def compute(request: Negotiating) -> T:
        request.consulted += names
        return read(request.head.field(name))

    return of_fields(compute)


@documented_below
class header(Generic[T, S]):  # noqa: N801 - used as a declaration, like property
    """A response header: read as T, set to S. None, values printed as "", and ``del`` remove it.

    Setting an invalid value raises ValueError. ``print_`` must return a valid field value.
    """

    def __init__(self, name: str, read: Callable[[str | None], T], print_: Callable[[S], str]) -> None:
        self.header = field_name(name)
        self._read = read
        self._print = print_

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "header[T, S]": ...
    @overload
    def __get__(self, instance: HasHeaders, owner: type) -> T: ...
    def __get__(self, instance: HasHeaders | None, owner: type) -> "header[T, S] | T":
        return self if instance is None else self._read(instance.headers.get(self.header))

    def __set__(self, instance: HasHeaders, value: S | None) -> None:
        try:
            text = "" if value is None else self._print(value)
        except (TypeError, ValueError, AttributeError) as error:
            raise explained("bad-header-value", f"{self.header} cannot be {value!r:.200}: {error}") from error
        if text:
            instance._put((self.header, text))  # noqa: SLF001 - only properties may leave out the check
        else:
            instance.headers.pop(self.header)

    def __delete__(self, instance: HasHeaders) -> None:
        instance.headers.pop(self.header)


def or_none(parse: Callable[[str], T]) -> Callable[[str | None], T | None]:
    """Return ``parse_or_none`` for a single parser."""
    return partial(parse_or_none, parse)


def read_text(value: str | None) -> str | None:
    """Return a header's value unchanged."""
    return value


def print_text(value: str) -> str:
    """Return text unchanged. Raises TypeError for other types, and ValueError for text that isn't allowed in a
    header.
    """
    if not isinstance(value, str):
        raise TypeError("it must be text")
    return field_value(value)


def read_list(value: str | None) -> tuple[str, ...]:
    """Return the elements of a list (RFC 9110 §5.6.1)."""
    return tuple(split_list(value)) if value else ()


def print_list(values: Iterable[str]) -> str:
    """Print a list of elements. Raises ValueError for an element that is empty or contains a comma."""
    if isinstance(values, str):
        raise TypeError(f"it must be a list, such as [{values!r}]")
    elements = [*values]
    text = ", ".join(elements)
    if "" in elements or text.count(",") >= (len(elements) or 1):
        bad = next(element for element in elements if not element or "," in element)
        raise ValueError(f"an element must not be empty or contain a comma: {bad!r}")
    return field_value(text)


def print_tokens(values: Iterable[str]) -> str:
    """Print a list of tokens, such as method or header names. Raises ValueError for any other element."""
    text = print_list(values)
    if bad := [token for token in text.split(", ") if text and not is_token(token)]:
        raise ValueError(f"{bad[0]!r} is not a token")
    return text


def parse_number(value: str) -> int:
    """Return a number from 0 to 2**31 (RFC 9111 §1.2.2). Raises ValueError for other text."""
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"not a number: {value[:40]!r}")
    return min(int(value.lstrip("0")[:11] or "0"), 1 << 31)


def print_number(value: int) -> str:
    """Print a number of 0 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("it must be a number of 0 or more")
    return str(value)


read_number = or_none(parse_number)
read_date = or_none(parse_http_date)


def print_date(value: datetime) -> str:
    """Print a date (RFC 9110 §5.6.7). Raises ValueError for a naive one."""
    if not isinstance(value, datetime):
        raise TypeError("it must be a datetime")
    return format_http_date(value)


def flag(literal: str) -> tuple[Callable[[str | None], bool], Callable[[Any], str]]:
    """Return a parser and a serializer for a header that has this one value or is absent."""

    def print_flag(value: Any) -> str:
        if not isinstance(value, bool):
            raise TypeError("it must be True or False")
        return literal if value else ""

    return lambda value: value == literal, print_flag


def read_string(value: str | None) -> str | None:
    """Return the text of a structured field that is a string, without its quotes (RFC 9651 §3.3.3)."""
    item = parse_or_none(Item.parse, value)
    return item.value if item is not None and type(item.value) is str else None


def read_boolean(value: str | None) -> bool:
    """Return True for a structured field that is true (RFC 9651 §3.3.6)."""
    item = parse_or_none(Item.parse, value)
    return item is not None and item.value is True


def read_items(value: str | None) -> tuple[Item, ...]:
    """Return the items of a structured field that is a list without inner lists (RFC 9651 §3.1)."""
    members = parse_or_none(parse_structured_list, value) or ()
    items = tuple([member for member in members if isinstance(member, Item)])
    return items if len(items) == len(members) else ()


def members(*kinds: type[M]) -> tuple[Callable[[str | None], dict[str, M]], Callable[[Mapping[str, M]], str]]:
    """Return a parser and a serializer for a structured field that is a dictionary with values of these types (RFC 9651
    §3.2).

    The parser leaves out members of other types, and all parameters.
    """

    def read(value: str | None) -> dict[str, M]:
        found = parse_or_none(parse_structured_dictionary, value) or {}
        values: dict[str, Any] = {name: item.value for name, item in found.items() if isinstance(item, Item)}
        return {name: value for name, value in values.items() if type(value) in kinds}

    def print_(values: Mapping[str, M]) -> str:
        if bad := [name for name, value in values.items() if type(value) not in kinds]:
            raise TypeError(f"{bad[0]!r} is {' or '.join([kind.__name__ for kind in kinds])}")
        return format_structured_dictionary(values)

    return read, print_
