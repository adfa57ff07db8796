"""The validators of conditional requests: lists of entity tags, and If-Range (RFC 9110 §8.8.3, §13.1)."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from antiphon.http import ETag, format_http_date, parse_http_date
from antiphon.http.conditional import read_etags

__all__ = ["AnyETag", "ETagMatcher", "IfRange", "IfRangeDate", "NoETag", "etag_property"]


def etag_property(key: str, default: Any, rfc_section: str, strong: bool = True) -> property:
    """Return a request property for the list of entity tags under an environ key.

    It returns ``default`` if the header is absent or empty. ``strong`` omits weak tags. The property can be set to a
    list of tags, a header's value, or one tag as text; None deletes the header. Setting raises ValueError for
    characters that a tag can't contain.
    """

    def fget(request: Any) -> Any:
        value = request.environ.get(key)
        return ETagMatcher.parse(value, strong) if value else default

    def fset(request: Any, value: Any) -> None:
        if value is None:
            fdel(request)
        else:
            text = str(value)
            request.environ[key] = text if '"' in text or text in ("", "*") else str(ETag(text))

    def fdel(request: Any) -> None:
        request.environ.pop(key, None)

    name = key.removeprefix("HTTP_").replace("_", "-").title()
    return property(fget, fset, fdel, f"The entity tags of {name} (RFC 2616 §{rfc_section}).")


class _AnyETag:
    """A falsy object that contains every entity tag. It stands for ``*`` or an absent If-Match or If-Range."""

    def __contains__(self, tag: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "*"

    def __repr__(self) -> str:
        return "<ETag *>"


class _NoETag:
    """A falsy object that contains no entity tag. It stands for an absent If-None-Match."""

    def __contains__(self, tag: object) -> bool:
        return False

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "<No ETag>"


AnyETag = _AnyETag()
"""The object that contains every entity tag."""
NoETag = _NoETag()
"""The object that contains no entity tag."""


class ETagMatcher:
    """A list of entity tags, as text without quotes."""

    def __init__(self, etags: Collection[str]) -> None:
        self.etags = etags

    @classmethod
    def parse(cls, value: str, strong: bool = True) -> Any:
        """Parse the tags in a header's value. Return ``AnyETag`` for ``*``. ``strong`` omits weak tags.

        Text that contains no well-formed tag is treated as one tag.
        """
        if not value:
            return cls([])
        listed, _ = read_etags(value)
        if listed == ("*",):
            return AnyETag
        if not listed:
            return cls([value])
        return cls([tag.removeprefix("W/")[1:-1] for tag in listed if not (strong and tag[0] == "W")])

    def __contains__(self, tag: object) -> bool:
        return tag in self.etags

    def __str__(self) -> str:
        return ", ".join([f'"{tag}"' for tag in self.etags])

    def __repr__(self) -> str:
        return f"<ETag {' or '.join(self.etags)}>"


class IfRange:
    """The entity tag in If-Range (RFC 9110 §13.1.5).

    It contains (``in``) a response if the response's tag matches. If the header is absent, the object is falsy and
    contains every response.
    """

    def __init__(self, etag: Any) -> None:
        self.etag = etag

    @classmethod
    def parse(cls, value: str | None) -> "IfRange | IfRangeDate":
        """Parse the tag or date in a header's value. None and "" mean an absent header."""
        if not value:
            return cls(AnyETag)
        if value.endswith(" GMT"):
            return IfRangeDate(_date(value))
        return cls(ETagMatcher.parse(value))

    def __contains__(self, response: Any) -> bool:
        return response.etag_strong in self.etag

    def __bool__(self) -> bool:
        return bool(self.etag)

    def __str__(self) -> str:
        return str(self.etag) if self.etag else ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.etag!r})"


class IfRangeDate:
    """The date in If-Range.

    It contains (``in``) a response whose Last-Modified equals the date. A malformed date matches no response.
    """

    def __init__(self, date: datetime | None) -> None:
        self.date = date

    def __contains__(self, response: Any) -> bool:
        return self.date is not None and bool(response.last_modified == self.date)

    def __str__(self) -> str:
        if self.date is None:
            return ""
        return format_http_date(self.date if self.date.tzinfo else self.date.replace(tzinfo=UTC))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.date!r})"


def _date(text: str) -> datetime | None:
    try:
        return parse_http_date(text)
    except ValueError:
        return None
