"""Cache-Control in requests and responses: who may store a response, and for how long (RFC 9111 §5.2).

Reading never raises. A directive whose name isn't a token is skipped. A malformed argument is interpreted cautiously:
as stale, forbidden, or all fields. Only the first 200 directives are read.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self, TypedDict, Unpack

from antiphon.explanations import explained
from antiphon.http.dates import seconds_of
from antiphon.http.grammar import (
    OWS,
    SENT_QUOTED_STRING,
    Value,
    find_unsendable,
    is_token,
    quote_if_needed,
    quote_string,
    split_list,
    unquote_string,
)
from antiphon.http.header_property import read_number
from antiphon.lazy import compiled_late

MOST_SECONDS = 2**31
"""The maximum number of seconds, about 68 years; greater numbers are reduced to this one (RFC 9111 §1.2.2)."""

_MOST_DIRECTIVES = 200
_LONGEST_KEPT = 256
_FIELD_LISTS = frozenset({"no-cache", "private"})

_argument = compiled_late(rf"[\t\x20\x21\x23-\x7e\x80-\xff]++|{SENT_QUOTED_STRING}")


class CacheDirectives(TypedDict, total=False):
    """The keyword arguments of `CacheControl`: whole seconds, True or False, or the names of header fields."""

    max_age: int | timedelta | None
    s_maxage: int | timedelta | None
    max_stale: int | timedelta | bool | None
    min_fresh: int | timedelta | None
    stale_while_revalidate: int | timedelta | None
    stale_if_error: int | timedelta | None
    no_cache: bool | Collection[str]
    private: bool | Collection[str]
    no_store: bool
    no_transform: bool
    only_if_cached: bool
    public: bool
    must_revalidate: bool
    proxy_revalidate: bool
    must_understand: bool
    immutable: bool


class CacheControl(Value):
    """The directives of one header: `CacheControl(max_age=60, public=True)` (RFC 9111 §5.2). Immutable.

    Two objects are equal if they have the same directives with the same arguments, in any order and quoting. An object
    without directives is falsy.
    """

    __slots__ = ("_directives", "_text")

    _directives: dict[str, str | None]
    _text: str | None

    def __init__(
        self, *, extensions: Mapping[str, str | None] | None = None, **directives: Unpack[CacheDirectives]
    ) -> None:
        """Accept the values that each directive allows: whole seconds from 0 to 2**31 as a number or timedelta, True,
        or field names.

        `max_stale=True` accepts a stale response of any age. `no_cache=["set-cookie"]` and `private=["set-cookie"]`
        apply to these fields only. None and False leave a directive out. `extensions` contains other directives by
        name, with their argument or None. Raises ValueError for a value that the directive doesn't accept or that isn't
        allowed in a header, and TypeError for an unknown directive.
        """
        self._directives = _written({}, directives) | _checked_extensions(extensions or {})
        self._text = None

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value; None stands for an absent header. Never raises.

        Names become lower case, and arguments lose their quotes. A malformed argument reads as "". If a directive is
        repeated, the first one applies (RFC 9111 §4.2.1). If `no-cache` or `private` is repeated, the fields are
        combined; one without fields applies to the whole response.

        Results for short headers are cached: most requests have one of the same few values.
        """
        header = header or ""
        return cls._of(_read_directives(header)) if len(header) > _LONGEST_KEPT else cls._parse_kept(header)

    @classmethod
    @lru_cache(256)
    def _parse_kept(cls, header: str) -> Self:
        return cls._of(_read_directives(header))

    @classmethod
    def _of(cls, directives: dict[str, str | None]) -> Self:
        self = cls.__new__(cls)
        self._directives = directives
        self._text = None
        return self

    def replace(
        self, *, extensions: Mapping[str, str | None] | None = None, **directives: Unpack[CacheDirectives]
    ) -> Self:
        """Return a copy with changed directives; None and False remove a directive.

        `extensions`, if given, replaces all extensions. Raises ValueError and TypeError as the constructor does.
        """
        replaced = _written(self._directives, directives)
        if extensions is not None:
            replaced = {name: replaced[name] for name in replaced if name in _STANDARD}
            replaced |= _checked_extensions(extensions)
        return self._of(replaced)

    @property
    def directives(self) -> Mapping[str, str | None]:
        """All directives by lower-cased name, with their argument as text, or None; read-only."""
        return MappingProxyType(self._directives)

    @property
    def extensions(self) -> Mapping[str, str | None]:
        """The directives that have no attribute of their own, such as `community="UCI"` (RFC 9111 §5.2.3)."""
        return {name: argument for name, argument in self._directives.items() if name not in _STANDARD}

    @property
    def max_age(self) -> int | None:
        """The seconds for which a response is fresh, or the maximum age that a client accepts (RFC 9111 §5.2.1.1,
        §5.2.2.1).

        0 if the number is malformed: such a response is treated as stale (§4.2.1).
        """
        return self._lifetime("max-age")

    @property
    def s_maxage(self) -> int | None:
        """The seconds for shared caches, instead of `max_age` (RFC 9111 §5.2.2.10); 0 if the number is malformed."""
        return self._lifetime("s-maxage")

    @property
    def max_stale(self) -> int | None:
        """The seconds for which a client accepts a stale response (RFC 9111 §5.2.1.2); `MOST_SECONDS` means any length
        of time.
        """
        return MOST_SECONDS if self._directives.get("max-stale", "") is None else self._seconds("max-stale")

    @property
    def min_fresh(self) -> int | None:
        """The seconds for which a client wants the response to stay fresh (RFC 9111 §5.2.1.3)."""
        return self._seconds("min-fresh")

    @property
    def stale_while_revalidate(self) -> int | None:
        """The seconds for which a stale response may be served while a new one is fetched (RFC 5861 §3)."""
        return self._seconds("stale-while-revalidate")

    @property
    def stale_if_error(self) -> int | None:
        """The seconds for which a stale response may be served instead of an error (RFC 5861 §4)."""
        return self._seconds("stale-if-error")

    @property
    def no_cache(self) -> bool | tuple[str, ...]:
        """True if caches must revalidate before use (RFC 9111 §5.2.1.4, §5.2.2.4), or the names of the affected fields
        in lower case.
        """
        return self._fields("no-cache")

    @property
    def private(self) -> bool | tuple[str, ...]:
        """True if shared caches must not store the response (RFC 9111 §5.2.2.7), or the names of the affected fields in
        lower case.
        """
        return self._fields("private")

    @property
    def no_store(self) -> bool:
        """True if caches must store nothing (RFC 9111 §5.2.1.5, §5.2.2.5)."""
        return "no-store" in self._directives

    @property
    def no_transform(self) -> bool:
        """True if proxies must not change the content (RFC 9111 §5.2.1.6, §5.2.2.6)."""
        return "no-transform" in self._directives

    @property
    def only_if_cached(self) -> bool:
        """True if a client accepts only a stored response (RFC 9111 §5.2.1.7)."""
        return "only-if-cached" in self._directives

    @property
    def public(self) -> bool:
        """True if caches may store the response even when they otherwise must not (RFC 9111 §5.2.2.9)."""
        return "public" in self._directives

    @property
    def must_revalidate(self) -> bool:
        """True if caches must never serve the response stale (RFC 9111 §5.2.2.2)."""
        return "must-revalidate" in self._directives

    @property
    def proxy_revalidate(self) -> bool:
        """True if shared caches must never serve the response stale (RFC 9111 §5.2.2.8)."""
        return "proxy-revalidate" in self._directives

    @property
    def must_understand(self) -> bool:
        """True if only caches that understand the status may store the response (RFC 9111 §5.2.2.3)."""
        return "must-understand" in self._directives

    @property
    def immutable(self) -> bool:
        """True if the response will not change while it is fresh (RFC 8246 §2)."""
        return "immutable" in self._directives

    def _seconds(self, name: str) -> int | None:
        argument = self._directives.get(name)
        return read_number(argument) if argument else None

    def _lifetime(self, name: str) -> int | None:
        if argument := self._directives.get(name):
            return read_number(argument) or 0
        return 0 if name in self._directives else None

    def _fields(self, name: str) -> bool | tuple[str, ...]:
        if name not in self._directives:
            return False
        fields = tuple([field.lower() for field in split_list(self._directives[name] or "")])
        return fields if fields and all(map(is_token, fields)) else True

    def __str__(self) -> str:
        """Return the header's value. Field names are quoted, other arguments only if needed."""
        if self._text is None:
            self._text = ", ".join([_print_directive(name, argument) for name, argument in self._directives.items()])
        return self._text

    def __repr__(self) -> str:
        return f"CacheControl.parse({str(self)!r})"

    def __bool__(self) -> bool:
        return bool(self._directives)

    def _identity(self) -> frozenset[tuple[str, str | None]]:
        return frozenset(self._directives.items())


def _read_directives(header: str) -> dict[str, str | None]:
    directives: dict[str, str | None] = {}
    for element in split_list(header)[:_MOST_DIRECTIVES]:
        name, equals, written = element.partition("=")
        name = name.rstrip(OWS).lower()
        argument = _read_argument(written.lstrip(OWS)) if equals else None
        if name not in directives:
            if is_token(name):
                directives[name] = argument
        elif name in _FIELD_LISTS:
            known = directives[name]
            directives[name] = f"{known}, {argument}" if known and argument else None
    return directives


def _read_argument(written: str) -> str:
    return unquote_string(written) if _argument.fullmatch(written) else ""


def _print_directive(name: str, argument: str | None) -> str:
    if argument is None:
        return name
    if argument.isalnum() and argument.isascii() and name not in _FIELD_LISTS:
        return f"{name}={argument}"
    return f"{name}={quote_string(argument) if name in _FIELD_LISTS else quote_if_needed(argument)}"


def _checked_extensions(extensions: Mapping[str, str | None]) -> dict[str, str | None]:
    for name, argument in extensions.items():
        if not is_token(name):
            raise explained("bad-http-value", f"a directive's name must be a token, not {name!r}")
        if name.lower() in _STANDARD:
            raise explained("bad-http-value", f"{name!r} is not an extension; it has a keyword of its own")
        if argument is not None and (not isinstance(argument, str) or find_unsendable(argument)):
            raise explained("bad-http-value", f"the argument of {name!r} is not allowed in a header: {argument!r}")
    return {name.lower(): argument for name, argument in extensions.items()}


def _written(directives: Mapping[str, str | None], changes: CacheDirectives) -> dict[str, str | None]:
    """Return the directives after the changes; the remaining ones keep their positions."""
    written = dict(directives)
    for keyword, value in changes.items():
        name = keyword.replace("_", "-")
        if keyword not in _WRITERS:
            raise explained(
                "bad-http-value",
                f"unknown directive {keyword!r}; pass others as extensions={{{name!r}: ...}}",
                TypeError,
            )
        argument = _WRITERS[keyword](keyword, value)  # True means no argument, False no directive
        if argument is False:
            written.pop(name, None)
        else:
            written[name] = None if argument is True else argument
    return written


def _write_flag(keyword: str, value: object) -> str | bool:
    if not isinstance(value, bool):
        raise explained("bad-http-value", f"{keyword} must be True or False, not {value!r}")
    return value


def _write_seconds(keyword: str, value: object) -> str | bool:
    if value is None or (keyword == "max_stale" and isinstance(value, bool)):
        return value or False
    if isinstance(value, timedelta):
        value = seconds_of(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_SECONDS:
        raise explained(
            "bad-http-value", f"{keyword} must be a whole number of seconds from 0 to {MOST_SECONDS}, not {value!r}"
        )
    return str(int(value))


def _write_fields(keyword: str, value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) or not isinstance(value, Collection) or not value:
        raise explained("bad-http-value", f"{keyword} must be True, False or a list of fields, not {value!r}")
    if not all(isinstance(field, str) and is_token(field) for field in value):
        raise explained("bad-http-value", f"{keyword} takes names of fields, not {value!r}")
    return ", ".join(value).lower()


_WRITERS: dict[str, Callable[[str, object], str | bool]] = {
    **dict.fromkeys(["max_age", "s_maxage", "max_stale", "min_fresh"], _write_seconds),
    **dict.fromkeys(["stale_while_revalidate", "stale_if_error"], _write_seconds),
    **dict.fromkeys(["no_cache", "private"], _write_fields),
    **dict.fromkeys(["no_store", "no_transform", "only_if_cached", "public", "must_revalidate"], _write_flag),
    **dict.fromkeys(["proxy_revalidate", "must_understand", "immutable"], _write_flag),
}
_STANDARD = frozenset([keyword.replace("_", "-") for keyword in _WRITERS])
