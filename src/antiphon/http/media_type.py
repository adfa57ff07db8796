"""A media type such as `text/html; charset=utf-8`, or a range such as `text/*` (RFC 9110 §8.3.1, §12.5.1)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Self

from antiphon.explanations import explained
from antiphon.http.grammar import TCHARS, Value, format_parameters, is_token, parse_parameters
from antiphon.lazy import compiled_late

_LONGEST_KEPT = 256

_media_type = compiled_late(rf"[ \t]*+({TCHARS})/({TCHARS})[ \t]*+(?:;(.*))?", re.DOTALL)


class MediaType(Value):
    """A type, a subtype and parameters. Immutable; types and parameter names are kept in lower case.

        kind = MediaType("text", "csv")

    Two types are equal if they differ only in case, in the order of parameters or in quoting. The value of `charset` is
    case-insensitive (RFC 9110 §8.3.2); other values are not. A type without parameters equals its lower-case text, as
    in `upload.content_type in ("image/png", "image/jpeg")`. A type with parameters never equals text; compare its
    `essence`.
    """

    __slots__ = ("_parameters", "_subtype", "_type")

    _type: str
    _subtype: str
    _parameters: dict[str, str]

    def __init__(
        self,
        type: str,  # noqa: A002 - the standard's own name
        subtype: str,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Raises ValueError if a type or parameter name isn't a token, or if a value contains control characters."""
        if not (is_token(type) and is_token(subtype)):
            raise explained("bad-http-value", f"not a media type: {f'{type}/{subtype}'!r}")
        self._type = type.lower()
        self._subtype = subtype.lower()
        self._parameters = {name.lower(): value for name, value in (parameters or {}).items()}
        format_parameters(self._parameters)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `type/subtype; name=value`, skipping malformed parameters. Raises ValueError for anything else.

        Results for short headers are cached: most requests have one of the same few values.
        """
        return cls._parse(text) if len(text) > _LONGEST_KEPT else cls._parse_kept(text)

    @classmethod
    @lru_cache(256)
    def _parse_kept(cls, text: str) -> Self:
        return cls._parse(text)

    @classmethod
    def _parse(cls, text: str) -> Self:
        match = _media_type.fullmatch(text)
        if match is None:
            raise ValueError(f"not a media type: {text!r}")
        self = cls.__new__(cls)
        self._type = match[1].lower()
        self._subtype = match[2].lower()
        self._parameters = parse_parameters(match[3]) if match[3] else {}
        return self

    @property
    def type(self) -> str:
        """The part before the slash, such as "text"; "*" in a range."""
        return self._type

    @property
    def subtype(self) -> str:
        """The part after the slash, such as "html"; "*" in a range."""
        return self._subtype

    @property
    def essence(self) -> str:
        """Type and subtype without parameters, such as "text/html"."""
        return f"{self._type}/{self._subtype}"

    @property
    def suffix(self) -> str | None:
        """The part after the last plus, if any: "json" in application/problem+json (RFC 6838 §4.2.8)."""
        return self._subtype.rpartition("+")[2] if "+" in self._subtype else None

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters, unquoted, by lower-cased name; read-only."""
        return MappingProxyType(self._parameters)

    @property
    def charset(self) -> str | None:
        """The `charset` parameter in lower case, or None."""
        charset = self._parameters.get("charset")
        return charset.lower() if charset else None

    @property
    def is_json(self) -> bool:
        """True if content of this type is JSON: application/json, text/json or any type ending in +json."""
        return self.essence in ("application/json", "text/json") or self._subtype.endswith("+json")

    @property
    def specificity(self) -> tuple[bool, bool, int]:
        """A key that sorts narrower ranges higher: `*/*`, `text/*`, `text/html`, `text/html; level=1`."""
        return self._type != "*", self._subtype != "*", len(self._parameters)

    def matches(self, media_range: "MediaType") -> bool:
        """True if this type lies in `media_range`, which may be `*/*` or `text/*` (RFC 9110 §12.5.1).

        Each parameter of the range, except its weight `q`, must be a parameter of this type.
        """
        if media_range.subtype == "*":
            if media_range.type not in ("*", self._type):
                return False
        elif media_range.essence != self.essence:
            return False
        if not media_range.parameters:
            return True
        own = _comparable(self._parameters)
        return all(pair in own for pair in _comparable(media_range.parameters) if pair[0] != "q")

    def __str__(self) -> str:
        """Return the canonical form: lower case, "; " before each parameter, quotes only if needed."""
        return f"{self._type}/{self._subtype}{format_parameters(self._parameters)}"

    def __repr__(self) -> str:
        return f"MediaType.parse({str(self)!r})"

    def _identity(self) -> object:
        return (self.essence, _comparable(self._parameters)) if self._parameters else self.essence

    def __eq__(self, other: object) -> bool:
        return self._identity() == other if isinstance(other, str) else super().__eq__(other)

    __hash__ = Value.__hash__


def _comparable(parameters: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value.lower() if name == "charset" else value) for name, value in parameters.items())
