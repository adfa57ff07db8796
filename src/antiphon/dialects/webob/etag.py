"""The validators of conditional requests: lists of entity tags, and If-Range (RFC 9110 §8.8.3, §13.1)."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from antiphon.http import ETag, format_http_date, parse_http_date
from antiphon.http.conditional import read_etags

__all__ = ["AnyETag", "ETagMatcher", "IfRange", "IfRangeDate", "NoETag", "etag_property"]


def etag_property(key: str, default: Any, rfc_section: str, strong: bool = True) -> property:
    """Return a request's property for a list of entity tags under an environ's key.

    It is ``default`` if the header is absent or empty. ``strong`` leaves weak tags out. It can be set to such an
    object, to a header's value, or to one tag as text; None deletes the header. Raises ValueError for text that a tag
    can't contain.
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
    """A falsy object that contains every entity tag: for ``*``, and for an absent header that is not a condition."""

    def __contains__(self, tag: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "*"

    def __repr__(self) -> str:
        return "<ETag *>"


class _NoETag:
    """A falsy object that contains no entity tag: for an absent header that would be a condition."""

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
        """Return the tags of a header's value, or ``AnyETag`` for ``*``. ``strong`` leaves weak tags out.

        Text that contains no well-formed tag is itself one tag.
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
    """The entity tag of If-Range (RFC 9110 §13.1.5).

    A response is ``in`` it if the client has a part of this version. Without the header, it is falsy and contains every
    response.
    """

    def __init__(self, etag: Any) -> None:
        self.etag = etag

    @classmethod
    def parse(cls, value: str | None) -> "IfRange | IfRangeDate":
        """Return the tag or the date of a header's value. None and "" mean an absent header."""
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
    """The date of If-Range.

    A response is ``in`` it if the date is its Last-Modified. A malformed date contains no response.
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
