"""Responses' header fields, as lines. Responses share equal fields until one of them changes its own."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Self, TypeAlias

from antiphon.http.cookies import SetCookie
from antiphon.http.grammar import split_list
from antiphon.http.headers import (
    HeaderFields,
    check_hyphens,
    checked_fields,
    encode_fields,
    field_name,
    field_value,
    put_line,
)
from antiphon.http.media_type import MediaType
from antiphon.speedups import accelerated

PLAIN = "text/plain"
TEXT = f"{PLAIN}; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"

Line: TypeAlias = tuple[str, str]
"""The name of a header field, in lower case, and its value."""


def may_let_store(line: Line) -> bool:
    """Return True for a line that may let shared caches store a response, or forbids it in an unusual form."""
    name, value = line
    if name == "cache-control":
        return value.partition(",")[0] not in ("no-store", "private")
    return name in OF_CACHES or name.endswith("cache-control")


OF_CACHES = frozenset(("expires", "surrogate-control", "x-accel-expires"))
"""The other fields by which shared caches know how long they may store a response."""


class SharedFields(tuple[Line, ...]):
    """Immutable header fields. Each name occurs once, and none of them says where the body ends.

    ``encoded`` contains their names and values as bytes. ``may_be_stored`` is True if shared caches may be allowed to
    store the response.
    """

    encoded: tuple[tuple[bytes, bytes], ...]
    may_be_stored: bool

    # Programs have few of them, which they share, and hashing all names and values takes longer.
    __hash__ = object.__hash__

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Self:
        """Make shared fields from lines that have already been checked."""
        self = cls(lines)
        # A dict of its own is read in a third of the time of one that shares its keys with others.
        may_be_stored = any(map(may_let_store, self))
        self.__dict__ = {"encoded": tuple(encode_fields([*self])), "may_be_stored": may_be_stored}
        return self

    @staticmethod
    @lru_cache(maxsize=256)
    def only_typed(content_type: str | MediaType) -> "SharedFields":
        """Return the fields of a response that has only a Content-Type. Raises ValueError if it is malformed."""
        text = str(content_type) if isinstance(content_type, MediaType) else content_type
        return SharedFields.of([("content-type", str(MediaType.parse(field_value(text))))])


Fields: TypeAlias = list[Line] | SharedFields

NO_FIELDS = SharedFields.of([])
SENT_AT_ONCE = SharedFields.of([("incremental", "?1"), ("x-accel-buffering", "no")])
"""The fields that ask proxies to pass on each chunk of a stream as it arrives (RFC 10036 §3; the second is nginx's)."""
SENT_AS_EVENTS = SharedFields.of([("cache-control", "no-store"), *SENT_AT_ONCE])


NOT_SNIFFED = ("x-content-type-options", "nosniff")
"""Without this field, browsers may mistake text for another type, and wait for more of it (1024 bytes in Chrome) to
guess the type (WHATWG MIME Sniffing §5.2).
"""


@lru_cache(maxsize=256)
def typed(content_type: str | MediaType) -> SharedFields:
    """Return the header fields of a response with this type, chosen so that browsers can't mistake plain text for
    another type.

    Raises ValueError for anything that is not a media type.
    """
    fields = SharedFields.only_typed(content_type)
    return SharedFields.of([*fields, NOT_SNIFFED]) if fields[0][1].startswith(PLAIN) else fields


@accelerated
def declared(headers: HeaderFields, fields: SharedFields, /) -> list[Line]:
    """Return header fields as lines, followed by those of ``fields`` that they lack. A Content-Type among them is
    treated as in ``typed``.

    Raises the same errors as ``Headers``, and ValueError for a known name with underscores in a dict.
    """
    if type(headers) is dict:  # lines come from other code, such as a mounted application
        check_hyphens(headers)
    lines = checked_fields(headers, fields)
    if fields and fields[0] not in lines:
        settle_type(lines)
    return lines


def settle_type(lines: list[Line]) -> None:
    """Add NOT_SNIFFED to the lines if their type is plain text and they lack that field; remove it if they have another
    type. If the program itself has set a line with the same value, that line stays.
    """
    values = dict(lines)
    if not values.get("content-type", "").lower().startswith(PLAIN):
        lines[:] = [line for line in lines if line is not NOT_SNIFFED]
    elif NOT_SNIFFED[0] not in values:
        lines.append(NOT_SNIFFED)


TEXT_ONLY = typed(TEXT)
"""The header fields of a plain text response."""


@lru_cache(maxsize=256)
def completed(fields: SharedFields, others: SharedFields) -> SharedFields:
    """Return the fields, together with those in ``others`` whose names are missing."""
    present = {name for name, _ in fields}
    return SharedFields.of([*fields, *(field for field in others if field[0] not in present)])


@lru_cache(maxsize=256)
def has_none_of(fields: SharedFields, names: frozenset[str]) -> bool:
    """Return True if none of the fields has one of these names."""
    return names.isdisjoint(name for name, _ in fields)


@lru_cache(maxsize=256)
def varied(fields: SharedFields, names: tuple[str, ...]) -> SharedFields:
    """Return the fields with these request headers added to Vary. Raises ValueError for an invalid name."""
    present = tuple(value for name, value in fields if name == "vary")
    others = [field for field in fields if field[0] != "vary"]
    return SharedFields.of([*others, ("vary", vary(present, names))])


def depending(fields: Fields, names: tuple[str, ...]) -> Fields:
    """Return shared fields with these request headers added to Vary, or add them to the fields of one response."""
    if type(fields) is SharedFields:
        return varied(fields, names)
    own = fields if type(fields) is list else [*fields]
    put_line(own, ("vary", vary(tuple([value for name, value in own if name == "vary"]), names)))
    return own


@lru_cache(maxsize=256)
def vary(lines: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Return the value of Vary from its existing lines, with these request headers added (RFC 9110 §12.5.5).

    Raises ValueError for anything that can't be a name.
    """
    present = [element for line in lines for element in split_list(line)]
    known = {name.lower() for name in present}
    if "*" in known:
        return ", ".join(present)
    added = dict.fromkeys(map(field_name, names))
    return ", ".join(present + [name for name in added if name not in known])


def put_cookie(fields: list[Line], cookie: SetCookie) -> None:
    """Add a Set-Cookie field, replacing fields with the same name, domain and path (RFC 6265bis §5.7)."""
    start = f"{cookie.name}="
    for name, value in fields:
        if name == "set-cookie" and value.startswith(start):
            fields[:] = [field for field in fields if field[0] != "set-cookie" or not _sets_same(field[1], cookie)]
            break
    fields.append(("set-cookie", str(cookie)))


def _sets_same(line: str, cookie: SetCookie) -> bool:
    try:
        earlier = SetCookie.parse(line)
    except ValueError:
        return False
    return (earlier.name, earlier.domain, earlier.path) == (cookie.name, cookie.domain, cookie.path)
