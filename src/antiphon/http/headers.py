"""Header fields: ordered, several of a name, names without regard to case (RFC 9110 §5).

Names are kept in lower case, values as str of Latin-1 characters, as servers hand them over.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar, cast, overload

from antiphon.http.grammar import is_token, split_list

D = TypeVar("D")

HeaderFields: TypeAlias = "Headers | Mapping[str, str] | Iterable[tuple[str, str]]"

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$|[^\x00-\xff]")

_SINGLETONS = frozenset({
    "age", "authorization", "content-disposition", "content-length", "content-location", "content-range",
    "content-type", "cookie", "date", "etag", "expires", "from", "host", "if-modified-since", "if-range",
    "if-unmodified-since", "last-event-id", "last-modified", "location", "max-forwards", "origin",
    "proxy-authorization", "range", "referer", "retry-after", "server", "set-cookie", "sunset", "user-agent",
})  # fmt: skip
"""Fields that are not lists: a comma in them belongs to the value (RFC 9110 §5.5)."""

HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
    "transfer-encoding", "upgrade",
})  # fmt: skip
"""Fields of one connection, which WSGI leaves to the server (RFC 2616 §13.5.1, which misspells Trailer; PEP 3333)."""


def field_name(name: str) -> str:
    """The name in lower case. Raises ValueError when it is not a token (RFC 9110 §5.1)."""
    if not is_token(name):
        raise ValueError(f"a header's name is a token, not {name!r}")
    return name.lower()


def field_value(value: str) -> str:
    """The value, when it can stand in a header (RFC 9110 §5.5). Raises ValueError otherwise, TypeError for non-str."""
    if not isinstance(value, str):
        raise TypeError(f"a header's value is a str, not {type(value).__name__}")
    if value.isascii() and value.isprintable() and value[:1] != " " and value[-1:] != " ":
        return value
    if bad := _FORBIDDEN.search(value):
        raise ValueError(f"{bad.group()!r} at {bad.start()} cannot stand in a header's value: {value[:80]!r}")
    return value


def combine(name: str, values: list[str]) -> str:
    """One value from the lines of a field (RFC 9110 §5.3); the first of those that cannot be combined."""
    if len(values) == 1:
        return values[0]
    if name == "cookie":
        return "; ".join(values)
    return values[0] if name == "set-cookie" else ", ".join(values)


def combined(fields: Collection[tuple[str, str]]) -> dict[str, str]:
    """The combined value of each field, by its name."""
    values = dict(fields)
    if len(values) < len(fields):
        lines: dict[str, list[str]] = {}
        for name, value in fields:
            lines.setdefault(name, []).append(value)
        values = {name: combine(name, lines[name]) for name in lines}
    return values


def put_line(fields: list[tuple[str, str]], line: tuple[str, str]) -> None:
    """Set a field to one line, which has been checked, at the end, in place of all that it had."""
    name = line[0]
    for present, _ in fields:
        if present == name:
            fields[:] = [field for field in fields if field[0] != name]
            break
    fields.append(line)


def field_pairs(fields: HeaderFields) -> Iterable[tuple[str, str]]:
    if isinstance(fields, Headers):
        return fields.items()
    return cast("Mapping[str, str]", fields).items() if isinstance(fields, Mapping) else fields


class Headers:
    """Header fields that don't change.

    ``[]`` and ``get`` give a field's combined value, ``getall`` its elements, ``items`` every line.
    Raises ValueError for a name that is no token, or a value with CR, LF, NUL, or a character above U+00FF.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: HeaderFields = ()) -> None:
        self._fields = [(field_name(name), field_value(value)) for name, value in field_pairs(fields)]

    def _lookup(self, name: str) -> str | None:
        """The combined value of a field, its name in lower case."""
        values = [value for key, value in self._fields if key == name]
        return combine(name, values) if values else None

    def __getitem__(self, name: str) -> str:
        value = self._lookup(name.lower())
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: D) -> str | D: ...
    def get(self, name: str, default: object = None) -> object:
        """The combined value of a field, or ``default``."""
        value = self._lookup(name.lower())
        return default if value is None else value

    def getall(self, name: str) -> list[str]:
        """The elements of a field: of a list each one, whether they came in one line or several (RFC 9110 §5.6.1).

        A field that is no list, such as Date or Set-Cookie, has one element a line.
        """
        name = name.lower()
        lines = [value for key, value in self.items() if key == name]
        if name in _SINGLETONS:
            return lines
        return [element for line in lines for element in split_list(line)]

    def items(self) -> list[tuple[str, str]]:
        """Every line as name in lower case and value, in order."""
        return self._fields.copy()

    def keys(self) -> list[str]:
        """The different names in lower case, in the order in which they first come."""
        return list(dict(self.items()))

    def values(self) -> list[str]:
        """The value of every line, in order."""
        return [value for _, value in self.items()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._lookup(name.lower()) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        """The number of different names."""
        return len(self.keys())

    def __bool__(self) -> bool:
        return bool(self.items())

    def __eq__(self, other: object) -> bool:
        return self.items() == other.items() if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a subclass can be changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.items()!r})"

    def __str__(self) -> str:
        """The lines as HTTP/1.1 writes them, each ended by CR LF."""
        return "".join([f"{name}: {value}\r\n" for name, value in self.items()])

    @classmethod
    def parse(cls, text: str) -> "Headers":
        """The fields of a header section as HTTP/1.1 writes it (RFC 9112 §5). Raises ValueError for a bad line."""
        fields = []
        section = text.removesuffix("\r\n").removesuffix("\r\n")
        for line in section.split("\r\n") if section else ():
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"a header's line without a colon: {line[:80]!r}")
            fields.append((name, value.strip(" \t")))
        return cls(fields)


class MutableHeaders(Headers):
    """Header fields that can be changed: those of a response."""

    __slots__ = ()

    @classmethod
    def over(cls, fields: list[tuple[str, str]]) -> "MutableHeaders":
        """A view that reads and changes this very list of checked fields, names in lower case."""
        self = cls.__new__(cls)
        self._fields = fields
        return self

    def __copy__(self) -> "MutableHeaders":
        return type(self)(self)

    def __setitem__(self, name: str, value: str) -> None:
        """Set a field to one line, at the end, in place of all that it had."""
        put_line(self._fields, (field_name(name), field_value(value)))

    def put(self, name: str, value: str) -> None:
        """The same for a name that is surely a token in lower case."""
        put_line(self._fields, (name, field_value(value)))

    def __delitem__(self, name: str) -> None:
        if not self._remove(name.lower()):
            raise KeyError(name)

    def _remove(self, name: str) -> bool:
        kept = [field for field in self._fields if field[0] != name]
        found = len(kept) != len(self._fields)
        if found:
            self._fields[:] = kept
        return found

    def discard(self, names: Collection[str]) -> None:
        """Remove all fields of these names, in lower case, where there are any."""
        self._fields[:] = [field for field in self._fields if field[0] not in names]

    def add(self, name: str, value: str) -> None:
        """Add a line; those that the field has stay."""
        self._fields.append((field_name(name), field_value(value)))

    def update(self, fields: HeaderFields) -> None:
        """Set several fields, at the end; what each of them had goes."""
        added = [(field_name(name), field_value(value)) for name, value in field_pairs(fields)]
        names = {name for name, _ in added}
        self._fields[:] = [field for field in self._fields if field[0] not in names] + added

    def extend(self, fields: HeaderFields) -> None:
        """Add several lines; those that their fields have stay."""
        self._fields.extend([(field_name(name), field_value(value)) for name, value in field_pairs(fields)])

    def setdefault(self, name: str, value: str) -> str:
        """The combined value of a field, which gets ``value`` if it has none."""
        present = self.get(name)
        if present is not None:
            return present
        self.add(name, value)
        return value

    @overload
    def pop(self, name: str, default: None = None) -> str | None: ...
    @overload
    def pop(self, name: str, default: D) -> str | D: ...
    def pop(self, name: str, default: object = None) -> object:
        """Remove a field and give its combined value, or ``default``."""
        value = self.get(name)
        if value is None:
            return default
        self._remove(name.lower())
        return value


def read_raw_utf8(text: str) -> str:
    """The text that a header's value means: what is UTF-8 is decoded, anything else stays as it is. Never raises."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def write_raw_utf8(text: str) -> str:
    """Text as Latin-1 characters that stand for its UTF-8.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return text if text.isascii() else text.encode().decode("latin-1")
