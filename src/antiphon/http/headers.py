"""Header fields: ordered lines of a name and a value. Names may repeat and are case-insensitive (RFC 9110 §5).

Names are kept in lower case, and values as str of Latin-1 characters, as servers provide them.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias, TypeVar, cast, overload

from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.http.grammar import is_token, split_list
from antiphon.speedups import accelerated

D = TypeVar("D")

HeaderFields: TypeAlias = "Headers | Mapping[str, str] | Iterable[tuple[str, str]]"

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$|[^\x00-\xff]")

SINGLETONS = frozenset({
    "age", "authorization", "content-disposition", "content-length", "content-location", "content-range",
    "content-type", "cookie", "date", "etag", "expires", "from", "host", "if-modified-since", "if-range",
    "if-unmodified-since", "last-event-id", "last-modified", "location", "max-forwards", "origin",
    "proxy-authorization", "range", "referer", "retry-after", "server", "set-cookie", "sunset", "user-agent",
})  # fmt: skip
"""Fields that are not lists: a comma is part of the value (RFC 9110 §5.5)."""

_HYPHENATED = frozenset({
    "accept-ch", "accept-encoding", "accept-patch", "accept-post", "accept-query", "accept-ranges",
    "access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
    "access-control-allow-origin", "access-control-expose-headers", "access-control-max-age", "alt-svc",
    "authentication-info", "cache-control", "cache-status", "cdn-cache-control", "clear-site-data",
    "content-digest", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-location", "content-md5", "content-range", "content-security-policy",
    "content-security-policy-report-only", "content-type", "cross-origin-embedder-policy",
    "cross-origin-embedder-policy-report-only", "cross-origin-opener-policy",
    "cross-origin-opener-policy-report-only", "cross-origin-resource-policy", "last-modified",
    "origin-agent-cluster", "permissions-policy", "permissions-policy-report-only", "preference-applied",
    "proxy-authenticate", "proxy-status", "referrer-policy", "report-to", "reporting-endpoints", "repr-digest",
    "retry-after", "server-timing", "service-worker-allowed", "set-cookie", "strict-transport-security",
    "timing-allow-origin", "want-content-digest", "want-repr-digest", "www-authenticate", "x-content-type-options",
    "x-dns-prefetch-control", "x-frame-options", "x-permitted-cross-domain-policies", "x-robots-tag",
})  # fmt: skip
"""Response fields with a hyphen in the name; an underscore instead is a mistake."""

HOP_BY_HOP = dict.fromkeys((
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
    "transfer-encoding", "upgrade",
))  # fmt: skip
"""Fields for a single connection, which WSGI servers set (RFC 2616 §13.5.1, which misspells Trailer; PEP 3333).

It is a dict because every response looks names up in it, and without the GIL, threads would lock a set for that.
"""


class Headers(metaclass=NamesOurs, words=WORDS["Headers"]):
    """Immutable header fields (RFC 9110 §5).

    ``[]`` and ``get`` return a field's combined value, ``getall`` its elements, and ``items`` every line. Raises
    ValueError for a name that isn't a token, or a value with CR, LF, NUL, or a character above U+00FF. Raises TypeError
    for names and values that aren't text. ``[]`` raises KeyError for an absent field.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: HeaderFields = ()) -> None:
        self._fields = checked_fields(fields)

    def _lookup(self, name: str) -> str | None:
        """Return the combined value of a field, by its name in lower case; None if it is absent."""
        values = [value for key, value in self._fields if key == name]
        return combine(name, values) if values else None

    def __getitem__(self, name: str) -> str:
        value = self._lookup(name.lower())
        if value is None:
            raise self._absent(name)
        return value

    def _absent(self, name: str) -> KeyError:
        """Return the error for a field that is absent."""
        error = KeyError(name)
        if "_" in name:
            error.add_note(hyphens_hint(name))
        return error

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: D) -> str | D: ...
    def get(self, name: str, default: object = None) -> object:
        """Return the combined value of a field, or ``default``."""
        value = self._lookup(name.lower())
        return default if value is None else value

    def getall(self, name: str) -> list[str]:
        """Return the elements of a list, from one line or several (RFC 9110 §5.6.1).

        A field that isn't a list, such as Date or Set-Cookie, has one element per line.
        """
        name = name.lower()
        lines = [value for key, value in self.items() if key == name]
        if name in SINGLETONS:
            return lines
        return [element for line in lines for element in split_list(line)]

    def items(self) -> list[tuple[str, str]]:
        """Return every line as a lower-case name and a value, in order."""
        return self._fields.copy()

    def keys(self) -> list[str]:
        """Return the distinct names in lower case, in the order of their first lines."""
        return list(dict(self.items()))

    def values(self) -> list[str]:
        """Return the value of every line, in order."""
        return [value for _, value in self.items()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._lookup(name.lower()) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        """Return the number of distinct names."""
        return len(self.keys())

    def __bool__(self) -> bool:
        return bool(self.items())

    def __eq__(self, other: object) -> bool:
        return self.items() == other.items() if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a subclass can be changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.items()!r})"

    def __str__(self) -> str:
        """Return the lines in HTTP/1.1 format, each ending with CR LF."""
        return "".join([f"{name}: {value}\r\n" for name, value in self.items()])

    @classmethod
    def parse(cls, text: str) -> "Headers":
        """Parse a header section in HTTP/1.1 format (RFC 9112 §5). Raises ValueError for a malformed line."""
        fields = []
        section = text.removesuffix("\r\n").removesuffix("\r\n")
        for line in section.split("\r\n") if section else ():
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"a header's line without a colon: {line[:80]!r}")
            fields.append((name, value.strip(" \t")))
        return cls(fields)


class MutableHeaders(Headers):
    """Mutable header fields, such as those of a response.

    Setting a field also raises ValueError for an underscore in the name of a known field, such as ``content_type``.
    """

    __slots__ = ()

    @classmethod
    def over(cls, fields: list[tuple[str, str]]) -> "MutableHeaders":
        """Make a view of a list of checked fields with names in lower case. Changes to the view change the list."""
        self = cls.__new__(cls)
        self._fields = fields
        return self

    def __copy__(self) -> "MutableHeaders":
        return type(self)(self)

    def __setitem__(self, name: str, value: str) -> None:
        """Replace all lines of a field with one line at the end."""
        line = field_line(name, value)
        if "_" in name:
            check_hyphens((name,))
        put_line(self._fields, line)

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
        """Remove the fields with these lowercase names, if there are any."""
        self._fields[:] = [field for field in self._fields if field[0] not in names]

    def add(self, name: str, value: str) -> None:
        """Add a line at the end; other lines of the field stay. Raises ValueError and TypeError as ``Headers`` does."""
        line = field_line(name, value)
        if "_" in name:
            check_hyphens((name,))
        self._fields.append(line)

    def update(self, fields: HeaderFields) -> None:
        """Replace all lines of several fields with new lines at the end.

        Raises ValueError and TypeError as ``Headers`` does.
        """
        added = checked_fields(fields)
        names = {name for name, _ in added}
        check_hyphens(names)
        self._fields[:] = [field for field in self._fields if field[0] not in names] + added

    def extend(self, fields: HeaderFields) -> None:
        """Add several lines at the end; other lines of their fields stay.

        Raises ValueError and TypeError as ``Headers`` does.
        """
        added = checked_fields(fields)
        check_hyphens(name for name, _ in added)
        self._fields.extend(added)

    def setdefault(self, name: str, value: str) -> str:
        """Return the combined value of a field; add a line with ``value`` first if it is absent."""
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
        """Remove a field; return its combined value, or ``default``."""
        value = self.get(name)
        if value is None:
            return default
        self._remove(name.lower())
        return value


def hyphens_hint(name: str) -> str:
    """Return a hint for a name with underscores, such as a WSGI environ key."""
    return f"Names of headers have hyphens: {name.replace('_', '-')!r}"


def check_hyphens(names: Iterable[str]) -> None:
    """Raise ValueError for a name with an underscore that would be a known field with hyphens."""
    for name in names:
        if "_" in name and (meant := name.lower().replace("_", "-")) in _HYPHENATED:
            message = f"a header's name must have hyphens: {meant!r}, not {name!r}"
            raise explained("bad-header-value", message)


def field_name(name: str) -> str:
    """Return a name in lower case. Raises ValueError if it is not a token (RFC 9110 §5.1)."""
    return _known_name(name) if len(name) <= _LONGEST_KNOWN else _checked_name(name)


_LONGEST_KNOWN = 64
"""The maximum length of a remembered name."""


def _checked_name(name: str) -> str:
    if not is_token(name):
        raise explained("bad-header-value", f"a header's name must be a token, not {name!r}")
    return name.lower()


_known_name = lru_cache(maxsize=512)(_checked_name)


def field_value(value: str) -> str:
    """Return a value that a header may have (RFC 9110 §5.5). Raises ValueError for other text, and TypeError for other
    types.
    """
    if not isinstance(value, str):
        raise explained("bad-header-value", f"a header's value must be a str, not {type(value).__name__}", TypeError)
    if value.isascii() and value.isprintable() and value.strip() is value:
        return value
    if bad := _FORBIDDEN.search(value):
        raise explained(
            "bad-header-value", f"{bad.group()!r} at {bad.start()} is not allowed in a header's value: {value[:80]!r}"
        )
    return value


@accelerated
def field_line(name: str, value: str, /) -> tuple[str, str]:
    """Return a name in lower case, and a value. Raises ValueError and TypeError if they can't be sent."""
    return field_name(name), field_value(value)


def combine(name: str, values: list[str]) -> str:
    """Return one value for a field's lines (RFC 9110 §5.3); for Set-Cookie, the value of the first line."""
    if len(values) == 1:
        return values[0]
    if name == "cookie":
        return "; ".join(values)
    return values[0] if name == "set-cookie" else ", ".join(values)


LineIndex: TypeAlias = Mapping[bytes, bytes] | Sequence[tuple[bytes, bytes]]
"""The index in which ``find_line`` looks up a name."""


@accelerated
def index_lines(lines: Sequence[tuple[bytes, bytes]], /) -> tuple[LineIndex, bytes | None, bool, int | None]:
    """Return an index of a header section, the section's Host, and its declarations about the body.

    After the index, the results are: the value of Host; True if a length or a transfer coding is declared; and the
    declared length of the body, or None if the body has codings or the length is missing or malformed. Names are in
    lower case. Multiple lines of a field are combined, so multiple hosts become one invalid host.
    """
    index = dict(lines)
    if len(index) < len(lines):
        several: dict[bytes, list[bytes]] = {}
        for name, value in lines:
            several.setdefault(name, []).append(value)
        index = {name: _combine_bytes(name, values) for name, values in several.items()}
    length = index.get(b"content-length")
    if length is None:
        return index, index.get(b"host"), b"transfer-encoding" in index, None
    is_one_number = length.isdigit() and len(length) < 20
    if not is_one_number or b"transfer-encoding" in index or b"content-encoding" in index:
        return index, index.get(b"host"), True, None
    return index, index.get(b"host"), True, int(length)


@accelerated
def section_size(lines: Sequence[tuple[bytes, bytes]], /) -> int:
    """Return the size of a header section in bytes, plus 32 for each line (RFC 9113 §6.5.2)."""
    return 32 * len(lines) + sum([len(name) + len(value) for name, value in lines])


class _Names(dict[str, bytes]):
    """Header names as bytes; those that are read often are encoded in advance."""

    def __missing__(self, name: str) -> bytes:
        return name.encode("latin-1", "replace")


_NAMES = _Names(
    (name, name.encode())
    for name in (
        "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control",
        "content-encoding", "content-length", "content-type", "cookie", "host", "if-match", "if-modified-since",
        "if-none-match", "if-range", "if-unmodified-since", "location", "origin", "range", "referer", "sec-fetch-site",
        "set-cookie", "transfer-encoding", "user-agent", "vary",
    )
)  # fmt: skip


@accelerated
def find_line(index: LineIndex, name: str, /) -> str | None:
    """Return the combined value of a field by its lower-case name; None if there is no such field."""
    line = index.get(_NAMES[name])  # type: ignore[union-attr]  # the index that this module makes is a mapping
    return None if line is None else line.decode("latin-1")


@accelerated
def encode_fields(fields: Sequence[tuple[str, str]], /) -> list[tuple[bytes, bytes]]:
    """Return names and values as bytes. Raises UnicodeEncodeError, a ValueError, for anything but Latin-1."""
    return [(name.encode(), value.encode("latin-1")) for name, value in fields]


def _combine_bytes(name: bytes, values: list[bytes]) -> bytes:
    """Combine values as ``combine`` does, in bytes."""
    if name == b"set-cookie":
        return values[0]
    return (b"; " if name == b"cookie" else b", ").join(values)


def combined(fields: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return the combined value of each field, by its name."""
    values = dict(fields)
    if len(values) < len(fields):
        lines: dict[str, list[str]] = {}
        for name, value in fields:
            lines.setdefault(name, []).append(value)
        values = {name: combine(name, lines[name]) for name in lines}
    return values


@accelerated
def put_line(fields: list[tuple[str, str]], line: tuple[str, str], /) -> None:
    """Replace all lines of a field with a checked line at the end."""
    name = line[0]
    for present, _ in fields:
        if present == name:
            fields[:] = [field for field in fields if field[0] != name]
            break
    fields.append(line)


def field_pairs(fields: HeaderFields) -> Iterable[tuple[str, str]]:
    """Return the names and values of fields in any form that ``Headers`` accepts."""
    kind = type(fields)
    if kind is tuple or kind is list:  # as fast as for ``dict``; the interface takes ten times as long
        return cast("Iterable[tuple[str, str]]", fields)
    if kind is dict or isinstance(fields, Headers):
        return fields.items()  # type: ignore[union-attr]  # as checked above
    return cast("Mapping[str, str]", fields).items() if isinstance(fields, Mapping) else fields


@accelerated
def checked_fields(fields: HeaderFields, default: Sequence[tuple[str, str]] = (), /) -> list[tuple[str, str]]:
    """Return the names and values of fields as lines, followed by lines of ``default`` with other names.

    Raises ValueError and TypeError as ``Headers`` does.
    """
    lines = [field_line(name, value) for name, value in field_pairs(fields)]
    if default:
        names = [name for name, _ in lines]
        lines += [line for line in default if line[0] not in names]
    return lines


def read_raw_utf8(text: str) -> str:
    """Return a header's value decoded as UTF-8, or unchanged if it is not UTF-8. Never raises."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def write_raw_utf8(text: str) -> str:
    """Return text as the Latin-1 characters of its UTF-8 bytes.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return text if text.isascii() else text.encode().decode("latin-1")
