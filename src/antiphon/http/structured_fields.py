"""Structured fields: items, lists and dictionaries, as in newer headers (RFC 9651) such as Priority (RFC 9218).

Reading is strict, as the RFC requires: a field with even one fault is treated as absent. Reading takes linear time.
"""

import re
from abc import abstractmethod
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Self, TypeAlias, TypeVar, Union

from antiphon.explanations import explained
from antiphon.http.dates import format_structured_date, parse_structured_date
from antiphon.http.grammar import Value
from antiphon.lazy import class_if_imported, compiled_late

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")

MOST_ITEMS = 4096
"""The maximum number of names and items in a field, including parameters; RFC 9651 requires 1024 members to be read."""
_MOST_INTEGER = 10**15 - 1
_MOST_DECIMAL = 10**12

_key = compiled_late(r"[a-z*][a-z0-9_\-.*]*+")
_token = compiled_late(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*+")
_visible = compiled_late(r"[\x20-\x7e]*+")
_bare_item = compiled_late(
    r"(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})"
    r"|(?P<integer>-?[0-9]{1,15})"
    r'|"(?P<string>(?>(?:[\x20\x21\x23-\x5b\x5d-\x7e]++|\\["\\])*))"'
    rf"|(?P<token>{_token.pattern})"
    r"|\?(?P<boolean>[01])"
    r"|:(?P<bytes>[A-Za-z0-9+/]*+={0,2}):"
    r"|(?P<date>@-?[0-9]{1,15})"
    r'|%"(?P<display>(?>(?:[\x20\x21\x23\x24\x26-\x7e]++|%[0-9a-f]{2})*))"'
)
_plain_strings = compiled_late(r'"[\x20\x21\x23-\x5b\x5d-\x7e]*+"(?>(?: "[\x20\x21\x23-\x5b\x5d-\x7e]*+"){0,63})\)')
"""Up to 64 strings without escapes and parameters, to the end of an inner list."""
_plain_parameter = compiled_late(
    rf'; *+({_key.pattern})=(?:"([\x20\x21\x23-\x5b\x5d-\x7e]*+)"|(-?[0-9]{{1,15}})(?![0-9.]))'
)
"""A parameter that is a string without escapes, or an integer."""
_comma = compiled_late(r"[ \t]*+,[ \t]*+")
_semicolon = compiled_late("; *+")
_spaces = compiled_late(" *+")
_escaped = compiled_late(r"\\(.)")
_percent = compiled_late("(?>(?:%[0-9a-f]{2})+)")
_unsafe_in_display = compiled_late(r"[^\x20\x21\x23\x24\x26-\x7e]")


class Token(str):
    """A token: unquoted text, such as ``gzip``. It begins with a letter or ``*`` (RFC 9651 §3.3.4)."""

    __slots__ = ()


class DisplayString(str):
    """Text for people, in any script (RFC 9651 §3.3.8). A plain ``str`` is a string in ASCII."""

    __slots__ = ()


BareItem: TypeAlias = Union[int, float, "Decimal", str, bytes, bool, datetime]
"""The value of an item: an integer, a decimal (read as a float), a string, a ``Token``, a ``DisplayString``, a byte
sequence, a boolean, or a date.
"""


class _WithParameters(Value):
    __slots__ = ("_parameters", "_text")

    _parameters: dict[str, BareItem]
    _text: str | None
    """The printed text; None until it is needed. A field that was read can always be printed."""

    @property
    def parameters(self) -> Mapping[str, BareItem]:
        """The parameters by name, in order; a parameter without a value is True."""
        return MappingProxyType(self._parameters)

    @abstractmethod
    def _print(self) -> str: ...

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._print()
        return self._text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class Item(_WithParameters):
    """A value with parameters; ``str()`` prints it (RFC 9651 §3.3). Immutable.

        item = Item("gzip", {"q": 1})

    Raises ValueError for anything that can't be an item: a number that is too large, non-ASCII text, or an invalid
    name.
    """

    __slots__ = ("_value",)

    def __init__(self, value: BareItem, parameters: Mapping[str, BareItem] | None = None) -> None:
        self._value = value
        self._parameters = dict(parameters or {})
        self._text = self._print()

    @classmethod
    def _of_read(cls, value: BareItem, parameters: dict[str, BareItem]) -> "Item":
        self = cls.__new__(cls)
        self._value, self._parameters, self._text = value, parameters, None
        return self

    def _print(self) -> str:
        return _print_bare(self._value) + _print_parameters(self._parameters)

    @classmethod
    def parse(cls, text: str) -> "Item":
        """Read a field that is one item. Raises ValueError for anything else."""
        return _parse(text, _Scanner.item)

    @property
    def value(self) -> BareItem:
        """The value without parameters."""
        return self._value


class InnerList(_WithParameters):
    """Items in parentheses, with parameters; ``str()`` prints it (RFC 9651 §3.1.1). Immutable.

        items = InnerList(["a", "b"])

    Values become items. Raises ValueError for values that ``Item`` refuses.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[Item | BareItem] = (), parameters: Mapping[str, BareItem] | None = None) -> None:
        self._items = tuple([item if isinstance(item, Item) else Item(item) for item in items])
        self._parameters = dict(parameters or {})
        self._text = self._print()

    def _print(self) -> str:
        return f"({' '.join(map(str, self._items))}){_print_parameters(self._parameters)}"

    @property
    def items(self) -> tuple[Item, ...]:
        """The items, in order."""
        return self._items


StructuredMember: TypeAlias = Item | InnerList
"""A member of a list or a dictionary."""


def parse_structured_list(text: str) -> tuple[StructuredMember, ...]:
    """Read a field that is a list (RFC 9651 §3.1). Raises ValueError for anything else."""
    return tuple(_parse(text, lambda scanner: scanner.members(scanner.member)))


def parse_structured_dictionary(text: str) -> dict[str, StructuredMember]:
    """Read a field that is a dictionary (RFC 9651 §3.2); if a name is repeated, the last value applies.

    Raises ValueError for anything else.
    """
    return dict(_parse(text, lambda scanner: scanner.members(scanner.named_member)))


def format_structured_list(members: Iterable[StructuredMember | BareItem]) -> str:
    """Return a list as the text of a field (RFC 9651 §4.1.1); plain values become items.

    Raises ValueError for values that ``Item`` refuses, and TypeError for a str.
    """
    if isinstance(members, str | bytes):
        raise explained("bad-http-value", f"it must be a list, such as [{members!r}]", TypeError)
    return ", ".join([_print_member(member) for member in members])


def format_structured_dictionary(members: Mapping[str, StructuredMember | BareItem]) -> str:
    """Return a dictionary as the text of a field (RFC 9651 §4.1.2); plain values become items.

    Raises ValueError for an invalid name and for values that ``Item`` refuses.
    """
    return ", ".join([_print_named(name, member, _print_member) for name, member in members.items()])


class _Scanner:
    """A position in a field, and the number of items up to it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.count = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def counted(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = self.take(pattern) or self.fail()
        self.add(1)
        return match

    def add(self, count: int) -> None:
        self.count += count
        if self.count > MOST_ITEMS:
            raise ValueError(f"a structured field with more than {MOST_ITEMS} names and items")

    def fail(self) -> NoReturn:
        raise ValueError(f"not a structured field: {self.text[:80]!r} is malformed at character {self.at}")

    def members(self, read: Callable[[], T]) -> list[T]:
        if self.at == len(self.text):
            return []
        members = [read()]
        while self.take(_comma):
            members.append(read())
        return members

    def named_member(self) -> tuple[str, StructuredMember]:
        name = self.key()
        return name, self.member() if self.take_sign("=") else Item(True, self.parameters())

    def member(self) -> StructuredMember:
        if not self.take_sign("("):
            return self.item()
        if plain := self.take(_plain_strings):
            found = _items_of(plain[0])
            self.add(len(found))
            return InnerList(found, self.parameters())
        items: list[Item] = []
        self.take(_spaces)
        while not self.take_sign(")"):
            items.append(self.item())
            if self.text[self.at : self.at + 1] not in (" ", ")"):
                self.fail()
            self.take(_spaces)
        return InnerList(items, self.parameters())

    def item(self) -> Item:
        return Item._of_read(self.bare_item(), self.parameters())  # noqa: SLF001 - of this module

    def parameters(self) -> dict[str, BareItem]:
        parameters: dict[str, BareItem] = {}
        while self.text.startswith(";", self.at):
            if plain := self.take(_plain_parameter):
                self.add(2)
                name, text, digits = plain.groups()
                parameters[name] = int(digits) if text is None else text
                continue
            self.take(_semicolon)
            name = self.key()
            parameters[name] = self.bare_item() if self.take_sign("=") else True
        return parameters

    def take_sign(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += found
        return found

    def key(self) -> str:
        return self.counted(_key)[0]

    def bare_item(self) -> BareItem:
        match = self.counted(_bare_item)
        kind = match.lastgroup or ""
        return _READERS[kind](match[kind])


@lru_cache(maxsize=256)
def _items_of(strings: str) -> tuple[Item, ...]:
    """Return the items of an inner list of plain strings, up to its end. Signers send the same lists each time."""
    return tuple([Item(string) for string in strings[1:-2].split('" "')])


def _parse(text: str, read: Callable[[_Scanner], T]) -> T:
    scanner = _Scanner(text.strip(" "))
    value = read(scanner)
    if scanner.at != len(scanner.text):
        scanner.fail()
    return value


def _read_display(text: str) -> DisplayString:
    return DisplayString(_percent.sub(lambda run: bytes.fromhex(run[0].replace("%", "")).decode(), text))


def _read_bytes(text: str) -> bytes:
    digits = text.rstrip("=")  # padding may be missing (§4.2.7)
    return a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)


_READERS: dict[str, Callable[[str], BareItem]] = {
    "decimal": float,
    "integer": int,
    "string": lambda text: _escaped.sub(r"\1", text),
    "token": Token,
    "boolean": lambda text: text == "1",
    "bytes": _read_bytes,
    "date": parse_structured_date,
    "display": _read_display,
}


def _print_member(member: StructuredMember | BareItem) -> str:
    return str(member if isinstance(member, _WithParameters) else Item(member))


def _print_named(name: str, value: T, print_: Callable[[T], str]) -> str:
    if not isinstance(name, str) or not _key.fullmatch(name):
        raise explained(
            "bad-http-value", f"a name in a structured field must be in lower case, such as 'max-age', not {name!r:.80}"
        )
    printed = print_(value)
    is_true = printed == "?1" or printed.startswith("?1;")
    return name + printed[2:] if is_true else f"{name}={printed}"


def _print_parameters(parameters: Mapping[str, BareItem]) -> str:
    if not parameters:
        return ""
    return "".join([f";{_print_named(name, value, _print_bare)}" for name, value in parameters.items()])


def _print_bare(value: BareItem) -> str:
    if isinstance(value, bool):
        return f"?{value:d}"
    if isinstance(value, str):
        return _print_text(value)
    if isinstance(value, bytes):
        return f":{b2a_base64(value, newline=False).decode()}:"
    if isinstance(value, datetime):
        return format_structured_date(value)
    if isinstance(value, (int, float, class_if_imported("decimal", "Decimal") or int)):
        return _print_number(value)
    raise explained("bad-http-value", f"not an item of a structured field: {value!r:.80}")


def _print_text(text: str) -> str:
    if isinstance(text, DisplayString):
        escaped = _unsafe_in_display.sub(lambda found: "".join([f"%{byte:02x}" for byte in found[0].encode()]), text)
        return f'%"{escaped}"'
    if isinstance(text, Token):
        if not _token.fullmatch(text):
            raise explained("bad-http-value", f"not a token of a structured field: {str(text)!r:.80}")
        return str(text)
    if not _visible.fullmatch(text):
        raise explained(
            "bad-http-value",
            f"a string in a structured field must be visible ASCII, unless it is a DisplayString: {text!r:.80}",
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _print_number(number: "float | Decimal") -> str:
    if isinstance(number, int):
        if not -_MOST_INTEGER <= number <= _MOST_INTEGER:
            raise explained("bad-http-value", "an integer in a structured field must have at most 15 digits")
        return str(number)
    from decimal import ROUND_HALF_EVEN, Decimal  # imported late: few fields have decimals

    is_small = isfinite(number) and -_MOST_DECIMAL < number < _MOST_DECIMAL
    rounded = Decimal(str(number) if is_small else _MOST_DECIMAL).quantize(Decimal("0.001"), ROUND_HALF_EVEN)
    if abs(rounded) >= _MOST_DECIMAL:
        raise explained(
            "bad-http-value",
            f"a decimal in a structured field must have at most 12 digits before its point: {number!r:.80}",
        )
    printed = f"{rounded:f}".rstrip("0")
    return f"{printed}0" if printed[-1] == "." else printed


_USUAL = 3


class _Fields(NamedTuple):
    urgency: int = _USUAL
    incremental: bool = False


class Priority(_Fields):
    """The urgency of a response, from 0 (at once) to 7 (in the background; RFC 9218 §4).

    ``str()`` prints the header's value. ``incremental`` is True if the client can use chunks of the response as they
    arrive, as for an image. Raises ValueError for any other urgency.
    """

    __slots__ = ()

    def __new__(cls, urgency: int = _USUAL, incremental: bool = False) -> Self:
        if type(urgency) is not int or not 0 <= urgency <= 7:
            raise explained("bad-http-value", f"an urgency must be a number from 0 to 7, not {urgency!r:.80}")
        return cls._make((urgency, bool(incremental)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `u=1, i`; a member with an invalid value is ignored (§4).

        Raises ValueError unless the text is a dictionary.
        """
        members = parse_structured_dictionary(text)
        urgency, incremental = [
            member.value if isinstance(member := members.get(name), Item) else None for name in ("u", "i")
        ]
        is_urgency = type(urgency) is int and 0 <= urgency <= 7
        return cls._make((urgency if is_urgency else _USUAL, incremental is True))

    def __str__(self) -> str:
        return format_structured_dictionary({"u": self.urgency} | ({"i": True} if self.incremental else {}))
