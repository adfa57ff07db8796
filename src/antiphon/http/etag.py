"""Entity tags, and the lists of them in If-Match and If-None-Match (RFC 9110 §8.8.3, §13.1.1, §13.1.2).

Reading a list never raises. Broken elements and those after the 256th match nothing, but they are not forgotten: a
header that could not be read is not an absent one, and must not let a write through as if it were.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Self

from antiphon.http.grammar import OWS
from antiphon.http.value import Value

_MOST_ELEMENTS = 256
_LONGEST_KEPT = 256
_STAR = ("*",)

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"'
_etag = re.compile(_ETAG).fullmatch
_is_regular = re.compile(rf"{_ETAG}(?:, {_ETAG}){{0,{_MOST_ELEMENTS - 1}}}+").fullmatch
# The second group has a broken element, so that no match begins in the middle of one. Tags know no backslash escapes.
_elements = re.compile(rf'(?:\A|,)[ \t]*+(?:({_ETAG})[ \t]*+(?![^,])|((?:[^",]++|"[^"]*+"?)*+))').finditer


class ETag(Value):
    """An entity tag: which version of a representation this is (RFC 9110 §8.8.3). Immutable.

    ``tag`` is what stands between the quotes. A ``weak`` one says that two versions are as good as each other, a strong
    one that they are the same bytes. Equal are those that print the same; to compare validators, say by which of the
    two comparisons (§8.8.3.2). Raises ValueError for a tag with quotes, white space, controls, or beyond Latin-1.
    """

    __slots__ = ("_text",)

    _text: str

    def __init__(self, tag: str, *, weak: bool = False) -> None:
        text = f'W/"{tag}"' if weak else f'"{tag}"'
        if not _etag(text):
            raise ValueError(f"an entity tag has no quotes, white space or control characters inside: {tag[:80]!r}")
        self._text = text

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `"tag"` or `W/"tag"`. Raises ValueError for anything else, a tag without quotes included."""
        if not _etag(text):
            raise ValueError(f"not an entity tag: {text[:80]!r}")
        self = cls.__new__(cls)
        self._text = text
        return self

    @property
    def tag(self) -> str:
        """What stands between the quotes."""
        return self._text[3:-1] if self.weak else self._text[1:-1]

    @property
    def weak(self) -> bool:
        """Whether it is marked as weak."""
        return self._text[0] == "W"

    def strong_match(self, other: "ETag") -> bool:
        """Whether both are strong and have the same tag: the same bytes (RFC 9110 §8.8.3.2)."""
        return self == other and not self.weak

    def weak_match(self, other: "ETag") -> bool:
        """Whether both have the same tag, weak or not: as good as each other (RFC 9110 §8.8.3.2)."""
        return self._text.removeprefix("W/") == str(other).removeprefix("W/")

    def __str__(self) -> str:
        """Return it as headers have it: `"tag"` or `W/"tag"`."""
        return self._text

    def __repr__(self) -> str:
        return f"ETag({self.tag!r}, weak=True)" if self.weak else f"ETag({self.tag!r})"


class ETags(Value):
    """The entity tags that a header lists, or `*`, which stands for whatever there is. Immutable.

    True is one that was sent, even where nothing in it could be read; an absent header is False. `in` compares as the
    header wants it: see `IfMatch` and `IfNoneMatch`. Raises ValueError for tags beside a star, TypeError for other
    things than an `ETag`.
    """

    __slots__ = ("_is_complete", "_listed")

    _listed: tuple[str, ...]
    _is_complete: bool

    def __init__(self, tags: Iterable[ETag] = (), *, star: bool = False) -> None:
        self._listed = tuple([_printed(tag) for tag in tags])
        self._is_complete = True
        if star:
            if self._listed:
                raise ValueError("a star stands alone, without entity tags")
            self._listed = _STAR

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value, or None when the request has no such header. Never raises."""
        self = cls.__new__(cls)
        listed, self._is_complete = ((), True) if header is None else read_etags(header)
        self._listed = listed
        return self

    @property
    def star(self) -> bool:
        """Whether it is `*`."""
        return self._listed == _STAR

    @property
    def is_complete(self) -> bool:
        """Whether all of the header was read: no element is broken, none too many, and there is one."""
        return self._is_complete

    def strong_match(self, etag: ETag | None) -> bool:
        """Whether the star or a listed tag takes this one by strong comparison; only a star takes None (no tag)."""
        return is_strongly_among(self._listed, None if etag is None else str(etag))

    def weak_match(self, etag: ETag | None) -> bool:
        """Whether the star or a listed tag takes this one by weak comparison; only a star takes None (no tag)."""
        return is_weakly_among(self._listed, None if etag is None else str(etag))

    def __contains__(self, etag: object) -> bool:
        return self.strong_match(_etag_or_none(etag))

    def __iter__(self) -> Iterator[ETag]:
        return iter(()) if self.star else map(ETag.parse, self._listed)

    def __bool__(self) -> bool:
        return bool(self._listed) or not self._is_complete

    def __str__(self) -> str:
        """Return the header's value without what could not be read, "" when it is absent."""
        return ", ".join(self._listed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.parse({str(self) if self else None!r})"

    def _identity(self) -> tuple[tuple[str, ...], bool]:
        return self._listed, self._is_complete


class IfMatch(ETags):
    """The tags of If-Match: the request is meant for one of them only (RFC 9110 §13.1.1). `in` compares strongly."""

    __slots__ = ()


class IfNoneMatch(ETags):
    """The tags of If-None-Match: the client has those already (RFC 9110 §13.1.2). `in` compares weakly."""

    __slots__ = ()

    def __contains__(self, etag: object) -> bool:
        return self.weak_match(_etag_or_none(etag))


def generate_etag(content: bytes | bytearray | memoryview) -> ETag:
    """Return a strong tag for these bytes: the same in every process, another one for other bytes."""
    import hashlib

    return ETag(hashlib.sha256(content, usedforsecurity=False).hexdigest()[:32])


def read_etags(header: str) -> tuple[tuple[str, ...], bool]:
    """Return the tags of a list, as they are written, or its star; and whether that is all that the list has.

    What was read is kept for a while: whoever has the same version sends the same.
    """
    return _read(header) if len(header) > _LONGEST_KEPT else _read_kept(header)


def _read(header: str) -> tuple[tuple[str, ...], bool]:
    if _is_regular(header):
        return tuple(header.split(", ")), True  # no tag has white space
    if header.strip(OWS) == "*":
        return _STAR, True
    elements = list(islice(_elements(header), _MOST_ELEMENTS))
    listed = [element[1] for element in elements if element[1]]
    is_broken = any(element[2] for element in elements) or elements[-1].end() < len(header)
    return tuple(listed), bool(listed) and not is_broken


_read_kept = lru_cache(256)(_read)


def is_strongly_among(listed: Sequence[str], etag: str | None) -> bool:
    """Whether `read_etags` gave a star, or this very tag and it is strong (RFC 9110 §8.8.3.2).

    The tag is one as the header ETag has it, in which None or anything else may stand.
    """
    return (etag is not None and etag in listed and etag[0] == '"') or "*" in listed


def is_weakly_among(listed: Sequence[str], etag: str | None) -> bool:
    """Whether `read_etags` gave a star, or this tag, weak or not (RFC 9110 §8.8.3.2). Likewise."""
    if etag is not None:
        strong = etag.removeprefix("W/")
        if (strong in listed and strong[0] == '"') or f"W/{strong}" in listed:
            return True
    return "*" in listed


def _printed(tag: ETag) -> str:
    if not isinstance(tag, ETag):
        raise TypeError(f"an ETag is needed, not {type(tag).__name__}: ETag('abc'), or ETag.parse('\"abc\"')")
    return str(tag)


def _etag_or_none(tag: object) -> ETag | None:
    if tag is not None and not isinstance(tag, ETag):
        raise TypeError(f"entity tags are compared with an ETag such as ETag('abc'), not with {type(tag).__name__}")
    return tag
