"""Entity tags, and the lists of them in If-Match and If-None-Match (RFC 9110 §8.8.3, §13.1.1, §13.1.2).

Reading a list never raises. Malformed elements and those after the 256th match nothing. A malformed header is not an
absent one: it must not let a write through.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Self

from antiphon.explanations import explained
from antiphon.http.grammar import OWS
from antiphon.http.value import Value

_MOST_ELEMENTS = 256
_LONGEST_KEPT = 256
_STAR = ("*",)

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"'
_etag = re.compile(_ETAG).fullmatch
_is_regular = re.compile(rf"{_ETAG}(?>(?:, {_ETAG}){{0,{_MOST_ELEMENTS - 1}}})").fullmatch
# The second group matches a malformed element, so that no match begins inside of one. Tags have no backslash escapes.
_elements = re.compile(rf'(?:\A|,)[ \t]*+(?:({_ETAG})[ \t]*+(?![^,])|((?:[^",]++|"[^"]*+"?)*+))').finditer


class ETag(Value):
    """An entity tag: a name for one version of a representation (RFC 9110 §8.8.3). Immutable.

    ``tag`` is the text between the quotes. Versions with the same ``weak`` tag are equivalent; versions with the same
    strong tag have the same bytes. ``==`` compares the printed text; compare validators by ``strong_match`` or
    ``weak_match`` (§8.8.3.2). Raises ValueError for a tag with quotes, white space, controls, or beyond Latin-1.
    """

    __slots__ = ("_text",)

    _text: str

    def __init__(self, tag: str, *, weak: bool = False) -> None:
        text = f'W/"{tag}"' if weak else f'"{tag}"'
        if not _etag(text):
            raise explained(
                "bad-http-value",
                ValueError(f"an entity tag has no quotes, white space or control characters inside: {tag[:80]!r}"),
            )
        self._text = text

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `"tag"` or `W/"tag"`. Raises ValueError for anything else, including a tag without quotes."""
        if not _etag(text):
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

    An absent header is False; a header that was sent is True, even if it is malformed. `in` compares strongly for
    `IfMatch` and weakly for `IfNoneMatch`. Raises ValueError for tags together with a star, TypeError for anything but
    an `ETag`.
    """

    __slots__ = ("_is_complete", "_listed")

    _listed: tuple[str, ...]
    _is_complete: bool

    def __init__(self, tags: Iterable[ETag] = (), *, star: bool = False) -> None:
        self._listed = tuple([_printed(tag) for tag in tags])
        self._is_complete = True
        if star:
            if self._listed:
                raise explained("bad-http-value", ValueError("a star stands alone, without entity tags"))
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
        """True if the whole header was read: at least one element, none malformed, and at most 256."""
        return self._is_complete

    def strong_match(self, etag: ETag | None) -> bool:
        """True if the star or a listed tag matches this one by strong comparison; only a star matches None (no tag)."""
        return is_strongly_among(self._listed, None if etag is None else str(etag))

    def weak_match(self, etag: ETag | None) -> bool:
        """True if the star or a listed tag matches this one by weak comparison; only a star matches None (no tag)."""
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
    """The tags of If-None-Match: the versions that a client has already (RFC 9110 §13.1.2). `in` compares weakly."""

    __slots__ = ()

    def __contains__(self, etag: object) -> bool:
        return self.weak_match(_etag_or_none(etag))


def generate_etag(content: bytes | bytearray | memoryview) -> ETag:
    """Return a strong tag for some bytes (RFC 9110 §8.8.1): a hash, which is the same in every process."""
    import hashlib

    return ETag(hashlib.sha256(content, usedforsecurity=False).hexdigest()[:32])


def read_etags(header: str) -> tuple[tuple[str, ...], bool]:
    """Return the tags of a list as written, or its star; and True if the whole list was read.

    Results for short headers are cached: clients that have the same version send the same header.
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
    """True if `read_etags` gave a star, or this tag and it is strong (RFC 9110 §8.8.3.2).

    ``etag`` is the value of the header ETag; it may be None or malformed.
    """
    return (etag is not None and etag in listed and etag[0] == '"') or "*" in listed


def is_weakly_among(listed: Sequence[str], etag: str | None) -> bool:
    """True if `read_etags` gave a star, or this tag, weak or not (RFC 9110 §8.8.3.2); ``etag`` may be malformed."""
    if etag is not None:
        strong = etag.removeprefix("W/")
        if (strong in listed and strong[0] == '"') or f"W/{strong}" in listed:
            return True
    return "*" in listed


def _printed(tag: ETag) -> str:
    if not isinstance(tag, ETag):
        raise explained(
            "bad-http-value",
            TypeError(f"an ETag is needed, not {type(tag).__name__}: ETag('abc'), or ETag.parse('\"abc\"')"),
        )
    return str(tag)


def _etag_or_none(tag: object) -> ETag | None:
    if tag is not None and not isinstance(tag, ETag):
        raise explained(
            "bad-http-value",
            TypeError(f"entity tags are compared with an ETag such as ETag('abc'), not with {type(tag).__name__}"),
        )
    return tag
