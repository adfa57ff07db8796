"""Conditional requests: entity tags (RFC 9110 §8.8.3) and preconditions. These are evaluated in order; the last one
decides whether Range applies.

Reading a list never raises. Malformed elements and those after the 256th match nothing. A malformed header isn't
treated as absent, because it must not let a write through.

Dates are compared in whole seconds, without a clock: a modification date in the future is treated like any other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Literal, Self, TypeAlias

from antiphon.explanations import explained
from antiphon.http.dates import aware, format_http_date, parse_http_date
from antiphon.http.grammar import OWS, Value, parse_or_none
from antiphon.lazy import compiled_late

_MOST_ELEMENTS = 256
_LONGEST_KEPT = 256
_STAR = ("*",)

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"'
_etag = compiled_late(_ETAG)
_is_regular = compiled_late(rf"{_ETAG}(?>(?:, {_ETAG}){{0,{_MOST_ELEMENTS - 1}}})")
# The second group matches a malformed element, so that no match begins inside one. Tags have no backslash escapes.
_elements = compiled_late(rf'(?:\A|,)[ \t]*+(?:({_ETAG})[ \t]*+(?![^,])|((?:[^",]++|"[^"]*+"?)*+))')


class ETag(Value):
    """An entity tag: a name for one version of a representation (RFC 9110 §8.8.3). Immutable.

        tag = ETag("v17")

    ``tag`` is the text between the quotes. Versions with the same ``weak`` tag are equivalent; versions with the same
    strong tag have the same bytes. ``==`` compares the printed text; compare validators with ``strong_match`` or
    ``weak_match`` (§8.8.3.2). Raises ValueError for a tag with quotes, white space, control characters, or characters
    outside Latin-1.
    """

    __slots__ = ("_text",)

    _text: str

    def __init__(self, tag: str, *, weak: bool = False) -> None:
        text = f'W/"{tag}"' if weak else f'"{tag}"'
        if not _etag.fullmatch(text):
            raise explained(
                "bad-http-value",
                f"an entity tag must not contain quotes, white space or control characters: {tag[:80]!r}",
            )
        self._text = text

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `"tag"` or `W/"tag"`. Raises ValueError for anything else, including a tag without quotes."""
        if not _etag.fullmatch(text):
            raise ValueError(f"not an entity tag: {text[:80]!r}")
        self = cls.__new__(cls)
        self._text = text
        return self

    @property
    def tag(self) -> str:
        """The text between the quotes."""
        return self._text[3:-1] if self.weak else self._text[1:-1]

    @property
    def weak(self) -> bool:
        """True if the tag is marked as weak."""
        return self._text[0] == "W"

    def strong_match(self, other: "ETag") -> bool:
        """True if both are strong and have the same tag: the bytes are the same (RFC 9110 §8.8.3.2)."""
        return self == other and not self.weak

    def weak_match(self, other: "ETag") -> bool:
        """True if both have the same tag, weak or not: the versions are equivalent (RFC 9110 §8.8.3.2)."""
        return self._text.removeprefix("W/") == str(other).removeprefix("W/")

    def __str__(self) -> str:
        """Return the header's value: `"tag"` or `W/"tag"`."""
        return self._text

    def __repr__(self) -> str:
        return f"ETag({self.tag!r}, weak=True)" if self.weak else f"ETag({self.tag!r})"


class ETags(Value):
    """The entity tags that a header lists, or `*`, which matches any current representation. Immutable.

    An absent header is falsy; a header that was sent is truthy, even if it is malformed. `in` compares strongly for
    `IfMatch` and weakly for `IfNoneMatch`. Raises ValueError for tags together with ``*``, and TypeError for anything
    but an `ETag`.
    """

    __slots__ = ("_is_complete", "_listed")

    _listed: tuple[str, ...]
    _is_complete: bool

    def __init__(self, tags: Iterable[ETag] = (), *, star: bool = False) -> None:
        self._listed = tuple([_printed(tag) for tag in tags])
        self._is_complete = True
        if star:
            if self._listed:
                raise explained("bad-http-value", "a star must stand alone, without entity tags")
            self._listed = _STAR

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value; None stands for an absent header. Never raises."""
        self = cls.__new__(cls)
        listed, self._is_complete = ((), True) if header is None else read_etags(header)
        self._listed = listed
        return self

    @property
    def star(self) -> bool:
        """True if the header is `*`."""
        return self._listed == _STAR

    @property
    def is_complete(self) -> bool:
        """True if the whole header was read: it has 1 to 256 elements, none of them malformed."""
        return self._is_complete

    def strong_match(self, etag: ETag | None) -> bool:
        """True if ``*`` or a listed tag matches this one by strong comparison; only ``*`` matches None (no tag)."""
        return is_strongly_among(self._listed, None if etag is None else str(etag))

    def weak_match(self, etag: ETag | None) -> bool:
        """True if ``*`` or a listed tag matches this one by weak comparison; only ``*`` matches None (no tag)."""
        return is_weakly_among(self._listed, None if etag is None else str(etag))

    def __contains__(self, etag: object) -> bool:
        return self.strong_match(_etag_or_none(etag))

    def __iter__(self) -> Iterator[ETag]:
        return iter(()) if self.star else map(ETag.parse, self._listed)

    def __bool__(self) -> bool:
        return bool(self._listed) or not self._is_complete

    def __str__(self) -> str:
        """Return the header's value without its malformed elements; "" if it is absent."""
        return ", ".join(self._listed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.parse({str(self) if self else None!r})"

    def _identity(self) -> tuple[tuple[str, ...], bool]:
        return self._listed, self._is_complete


class IfMatch(ETags):
    """The tags of If-Match: the versions that a request is meant for (RFC 9110 §13.1.1). `in` compares strongly."""

    __slots__ = ()


class IfNoneMatch(ETags):
    """The tags of If-None-Match: the versions that a client already has (RFC 9110 §13.1.2). `in` compares weakly."""

    __slots__ = ()

    def __contains__(self, etag: object) -> bool:
        return self.weak_match(_etag_or_none(etag))


def generate_etag(content: bytes | bytearray | memoryview) -> ETag:
    """Return a strong tag for this content (RFC 9110 §8.8.1): a hash that is the same in every process."""
    import hashlib

    return ETag(hashlib.sha256(content, usedforsecurity=False).hexdigest()[:32])


def read_etags(header: str) -> tuple[tuple[str, ...], bool]:
    """Return the tags in a list as written, or ``*``, and True if the whole list was read.

    Results for short headers are cached, because clients with the same version send the same header.
    """
    return _read(header) if len(header) > _LONGEST_KEPT else _read_kept(header)


def _read(header: str) -> tuple[tuple[str, ...], bool]:
    if _is_regular.fullmatch(header):
        return tuple(header.split(", ")), True  # no tag has white space
    if header.strip(OWS) == "*":
        return _STAR, True
    elements = list(islice(_elements.finditer(header), _MOST_ELEMENTS))
    listed = [element[1] for element in elements if element[1]]
    is_broken = any(element[2] for element in elements) or elements[-1].end() < len(header)
    return tuple(listed), bool(listed) and not is_broken


_read_kept = lru_cache(256)(_read)


def is_strongly_among(listed: Sequence[str], etag: str | None) -> bool:
    """True if `read_etags` returned ``*``, or returned this tag and the tag is strong (RFC 9110 §8.8.3.2).

    ``etag`` is the value of the ETag header; it may be None or malformed.
    """
    return (etag is not None and etag in listed and etag[0] == '"') or "*" in listed


def is_weakly_among(listed: Sequence[str], etag: str | None) -> bool:
    """True if `read_etags` returned ``*`` or this tag, whether weak or strong (RFC 9110 §8.8.3.2). ``etag`` may be
    malformed.
    """
    if etag is not None:
        strong = etag.removeprefix("W/")
        if (strong in listed and strong[0] == '"') or f"W/{strong}" in listed:
            return True
    return "*" in listed


def _printed(tag: ETag) -> str:
    if not isinstance(tag, ETag):
        raise explained(
            "bad-http-value",
            f"the value must be an ETag, not {type(tag).__name__}: ETag('abc'), or ETag.parse('\"abc\"')",
            TypeError,
        )
    return str(tag)


def _etag_or_none(tag: object) -> ETag | None:
    if tag is not None and not isinstance(tag, ETag):
        raise explained(
            "bad-http-value",
            f"entity tags must be compared with an ETag such as ETag('abc'), not with {type(tag).__name__}",
            TypeError,
        )
    return tag


Field: TypeAlias = Callable[[str], str | None]
"""A lookup of a request header by its name in lower case; None if the header is absent."""

READING = ("GET", "HEAD")
_WITHOUT_REPRESENTATION = ("CONNECT", "OPTIONS", "TRACE")


class IfRange(Value):
    """The value of If-Range: the entity tag or date of the version that the client has a part of (RFC 9110 §13.1.5).

    Immutable. An absent header is falsy and matches every version. A malformed header is truthy and matches none, so
    that the client gets the whole representation. Raises ValueError for a date outside the years 1 to 9999.
    """

    __slots__ = ("_date", "_etag", "_is_present")

    _etag: ETag | None
    _date: datetime | None
    _is_present: bool

    def __init__(self, validator: ETag | datetime) -> None:
        self._is_present = True
        self._etag = self._date = None
        if isinstance(validator, ETag):
            self._etag = validator
        else:
            self._date = parse_http_date(format_http_date(validator))

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value; None stands for an absent header. Never raises."""
        self = cls.__new__(cls)
        self._is_present = header is not None
        self._etag = _parse_etag(header)
        self._date = _parse_date(header)
        return self

    @property
    def etag(self) -> ETag | None:
        """The entity tag, or None."""
        return self._etag

    @property
    def date(self) -> datetime | None:
        """The date in UTC, or None."""
        return self._date

    def matches(self, etag: ETag | None, modified: datetime | None = None) -> bool:
        """True if a part of the version with this tag and modification date may be sent.

        Tags are compared strongly, and dates must be equal to the second. A date never matches a version with a weak
        tag, because several such versions may exist within one second. For content without a tag that may change twice
        within a second, pass no date (RFC 9110 §8.8.2.2).
        """
        if self._etag is not None:
            return etag is not None and self._etag.strong_match(etag)
        if self._date is not None:
            is_only_one = etag is None or not etag.weak
            return is_only_one and modified is not None and self._date == aware(modified).replace(microsecond=0)
        return not self._is_present

    def __bool__(self) -> bool:
        return self._is_present

    def __str__(self) -> str:
        """Return the header's value; "" if it is absent or malformed."""
        if self._etag is not None:
            return str(self._etag)
        return "" if self._date is None else format_http_date(self._date)

    def __repr__(self) -> str:
        return f"IfRange.parse({str(self) if self else None!r})"

    def _identity(self) -> tuple[bool, str]:
        return self._is_present, str(self)


def evaluate_preconditions(
    method: str, field: Field, etag: str | None = None, modified: str | datetime | None = None, *, exists: bool = True
) -> Literal[304, 412] | None:
    """Return the status that the request's conditions require; None if the request can proceed (RFC 9110 §13.2.2).

    ``etag`` and ``modified`` are the ETag and Last-Modified of the current representation, or None if it has none.
    Malformed values are treated as absent. ``modified`` may be an aware datetime. ``exists`` is False if there is no
    representation yet; `*` tests for that. Raises ValueError for a naive datetime.

    Call it only for requests that would otherwise get a 2xx or 412 (§13.2.1). A malformed condition never
    lets a write through, except for malformed dates, which must be ignored (§13.1.4).
    """
    if isinstance(modified, datetime):
        modified = aware(modified).replace(microsecond=0)
    reads = method in READING
    if not reads and method in _WITHOUT_REPRESENTATION:
        return None
    if not exists:
        return 412 if field("if-match") is not None else None
    if _is_other_version(field, etag, modified):
        return 412
    if _is_known_version(field, etag, modified, reads):
        return 304 if reads else 412
    return None


def _is_other_version(field: Field, etag: str | None, modified: str | datetime | None) -> bool:
    """True if the request is meant for a version other than the current one: steps 1 and 2."""
    if_match = field("if-match")
    if if_match is not None:
        return not is_strongly_among(read_etags(if_match)[0], etag)
    if modified is None or (since := field("if-unmodified-since")) is None:
        return False
    return _is_modified_since(since, modified) is True


def _is_known_version(field: Field, etag: str | None, modified: str | datetime | None, reads: bool) -> bool:
    """True if the client has the current version, or a write may only create one: steps 3 and 4.

    Only reads check a date, and only writes check that the list of tags was read to its end.
    """
    if_none_match = field("if-none-match")
    if if_none_match is not None:
        listed, is_complete = read_etags(if_none_match)
        return is_weakly_among(listed, etag) or not (reads or is_complete)
    if not reads or modified is None or (since := field("if-modified-since")) is None:
        return False
    return _is_modified_since(since, modified) is False


def applicable_range(method: str, field: Field, etag: str | None = None, modified: str | None = None) -> str | None:
    """Return the value of Range if it applies to this version, otherwise None: step 5, after the other conditions.

    Ranges are defined for GET only (RFC 9110 §14.2), and If-Range must match this version.
    """
    wanted = field("range") if method == "GET" else None
    if wanted is None:
        return None
    if_range = field("if-range")
    if if_range is None or IfRange.parse(if_range).matches(_parse_etag(etag), _parse_date(modified)):
        return wanted
    return None


def _is_modified_since(header: str, modified: str | datetime) -> bool | None:
    """True if the modification is later than the header's date; None if either date is malformed."""
    since = _parse_date(header)
    if since is None:
        return None
    last = modified if isinstance(modified, datetime) else _parse_date(modified)
    return None if last is None else last > since


def _parse_etag(header: str | None) -> ETag | None:
    return parse_or_none(ETag.parse, header and header.strip(OWS))


def _parse_date(header: str | None) -> datetime | None:
    return parse_or_none(parse_http_date, header and header.strip(OWS))
