"""Content negotiation with the Accept headers: media types, languages, charsets and codings (RFC 9110 §12.5).

Each header has a class, such as ``Accept``, and a subclass for each of its states: ``AcceptValidHeader``,
``AcceptInvalidHeader`` (treated as absent) and ``AcceptNoHeader``. ``create_accept_header`` picks the right one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from antiphon.dialects._environ.heads import LONGEST_CACHED, cache_short
from antiphon.dialects.webob._accept import (
    LANGUAGE_RANGE,
    Accepted,
    InvalidHeader,
    MediaElement,
    NoHeader,
    Offers,
    Pairs,
    ValidHeader,
    is_media_type,
    media_ranges,
    print_element,
    print_extensions,
    print_media_range,
    read_parameters,
    sort_offers,
    weighted,
)

_HTML = ("text/html", "application/xhtml+xml", "application/xml", "text/xml")


class AcceptOffer(NamedTuple):
    """A media type that a server offers. Types and parameter names are in lower case."""

    type: str
    subtype: str
    params: Pairs

    def __str__(self) -> str:
        return print_media_range(f"{self.type}/{self.subtype}", self.params)


class Accept(Accepted):
    """The media ranges of Accept.

    A range with parameters matches only offers with the same parameters in the same order.
    """

    grammar = media_ranges()

    @classmethod
    def parse_offer(cls, offer: str | AcceptOffer) -> AcceptOffer:
        """Return the parts of a media type. Raises ValueError if it is malformed or a range."""
        return offer if isinstance(offer, AcceptOffer) else _read_offer(offer)

    @staticmethod
    def _as_read(element: MediaElement) -> Any:
        media_range, quality, parameters, extensions = element
        return media_range, quality, list(parameters), list(extensions)

    @staticmethod
    def _pair(item: str, given: Any) -> tuple[Any, ...]:
        return (item, *given) if isinstance(given, list | tuple) else (item, given)

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the acceptable offers with their qualities, best first."""
        raise NotImplementedError

    def accept_html(self) -> bool:
        """Return True if HTML is acceptable as ``text/html`` or as one of three XML types."""
        return bool(self.acceptable_offers(_HTML))

    accepts_html = property(accept_html)


class AcceptValidHeader(ValidHeader, Accept):
    """A well-formed Accept header."""

    @staticmethod
    def matches(given: str, offer: str) -> bool:
        """Return True if a range contains an offer or vice versa.

        If the offer has no parameters, the range's are ignored: ``application/json;details=true`` matches the offer
        ``application/json``.
        """
        given, offer = given.lower(), offer.lower()
        given = given if ";" in offer else given.partition(";")[0]
        if given == offer or offer == "*":
            return True
        (type_, _, subtype), (offered_type, _, offered_subtype) = given.partition("/"), offer.partition("/")
        return _equal(type_, offered_type) and _equal(subtype, offered_subtype or "*")

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the acceptable offers (RFC 9110 §12.5.1) with their qualities, best first.

        The most specific range decides. Offers that are not media types are omitted.
        """
        qualities: dict[Any, float] = {}
        for media_range, quality, parameters, _ in self._parsed:
            essence = media_range.partition(";")[0].lower()
            qualities.setdefault((essence, () if essence.endswith("/*") else _named(parameters)), quality)
        found = dict.fromkeys(_valid(offers))
        return sort_offers((offer, _quality_in(qualities, Accept.parse_offer(offer))) for offer in found)

    def __str__(self) -> str:
        return ", ".join([print_element(item, q, print_extensions(more)) for item, q, _, more in self._parsed])


class _EveryType(Accept):
    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return all offers that are media types, with a quality of 1.0."""
        return [(offer, 1.0) for offer in _valid(offers)]


class AcceptNoHeader(_EveryType, NoHeader):
    """An absent Accept header."""


class AcceptInvalidHeader(_EveryType, InvalidHeader):
    """A malformed Accept header."""


Accept.valid, Accept.invalid, Accept.absent = AcceptValidHeader, AcceptInvalidHeader, AcceptNoHeader


class MIMEAccept(Accept):
    """An Accept header in any state, under its pre-1.8 name. A malformed header is not an error."""

    def __new__(cls, header_value: str | None = None) -> Any:  # noqa: ARG004 - used by __init__
        return object.__new__(cls)

    def __init__(self, header_value: str | None) -> None:
        self._accept = Accept.create(header_value)
        self._header_value = header_value
        self._parsed = list(self.parse(header_value or "")) if self._accept else []

    @classmethod
    def parse(cls, value: str) -> Iterator[tuple[str, float]]:
        """Return an iterator over the ranges and their qualities. It is empty if the header is malformed."""
        accept = Accept.create(value)
        return iter([(media_range, quality) for media_range, quality, _, _ in accept.parsed or ()])

    @property
    def parsed(self) -> list[Any]:
        return list(self._parsed)

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the acceptable offers with their qualities, best first."""
        found: list[tuple[str, float]] = self._accept.acceptable_offers(offers)
        return found

    def best_match(self, offers: Offers, default_match: str | None = None) -> str | None:
        """Return the offer with the highest product of quality and weight."""
        found: str | None = self._accept.best_match(offers, default_match)
        return found

    def quality(self, offer: str) -> float | None:
        """Return the highest quality of the ranges that contain the offer."""
        found: float | None = self._accept.quality(offer)
        return found

    def copy(self) -> "MIMEAccept":
        return type(self)(self.header_value)

    def __contains__(self, offer: str) -> bool:
        return offer in self._accept

    def __iter__(self) -> Iterator[str]:
        return iter(self._accept)

    def __add__(self, other: Any) -> "MIMEAccept":
        return type(self)((self._accept + getattr(other, "_accept", other)).header_value)

    def __radd__(self, other: Any) -> "MIMEAccept":
        return type(self)((other + self._accept).header_value)

    def __str__(self) -> str:
        return str(self._accept)

    def __repr__(self) -> str:
        return repr(self._accept)


@cache_short(256)
def _read_offer(offer: str) -> AcceptOffer:
    match = is_media_type(offer)
    type_, _, subtype = match[1].lower().partition("/") if match else ("*", "", "*")
    if match is None or "*" in (type_, subtype):
        raise ValueError(f"Invalid value for an Accept offer: {offer[:80]!r}")
    return AcceptOffer(type_, subtype, _named(read_parameters(match[2])))


def _named(parameters: Pairs) -> Pairs:
    """Return parameters with lowercase names."""
    return tuple([(name.lower(), value) for name, value in parameters])


def _equal(one: str, other: str) -> bool:
    return one == other or "*" in (one, other)


def _valid(offers: Sequence[str]) -> Iterator[str]:
    for offer in offers:
        try:
            Accept.parse_offer(offer)
        except ValueError:
            continue
        yield offer


def _quality_in(qualities: dict[Any, float], offer: AcceptOffer) -> float:
    essence = f"{offer.type}/{offer.subtype}"
    for key in ((essence, offer.params), (essence, ()), (f"{offer.type}/*", ()), ("*/*", ())):
        if key in qualities:
            return qualities[key]
    return 0.0


class AcceptLanguage(Accepted):
    grammar = weighted("Accept-Language", LANGUAGE_RANGE)


class AcceptLanguageValidHeader(ValidHeader, AcceptLanguage):
    """A well-formed Accept-Language header."""

    @staticmethod
    def matches(given: str, offer: str) -> bool:
        """Return True if both are equal or one is the other's primary language, as with ``en`` and ``en_GB``.

        Two variants of a language do not match.
        """
        given, offer = given.lower(), offer.replace("_", "-").lower()
        return given in ("*", offer, offer.partition("-")[0]) or offer == given.partition("-")[0]

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the acceptable tags with their qualities, using basic filtering."""
        return self.basic_filtering(offers)

    def basic_filtering(self, language_tags: Sequence[str]) -> list[tuple[str, float]]:
        """Return the tags that equal a range or extend it, each with the range's quality (RFC 4647 §3.3.1).

        They are sorted by quality, then by the range's position, then by the tag's position. A tag is omitted if it
        equals or extends a range with a quality of 0.
        """
        qualities: dict[str, tuple[float, int]] = {}
        for position, (language_range, quality) in enumerate(self._parsed):
            qualities.setdefault(language_range.lower(), (quality, -position))
        found = [(tag, _quality_of(tag.lower(), qualities)) for tag in language_tags]
        found.sort(key=lambda item: item[1], reverse=True)
        return [(tag, quality) for tag, (quality, _) in found if quality]

    def lookup(
        self,
        language_tags: Sequence[str],
        default_range: str | None = None,
        default_tag: str | None = None,
        default: Any = None,
    ) -> Any:
        """Return the tag for the best range (RFC 4647 §3.4), removing the range's last subtags until a tag matches.

        If no tag matches, return the tag for ``default_range``, or else ``default_tag`` unless it is excluded, or else
        ``default``, which is called if it is callable. Raises TypeError if neither ``default_tag`` nor ``default`` is
        given, or ValueError if ``default_range`` is ``*``.
        """
        _check_defaults(default_tag, default)
        if default_range == "*":
            raise ValueError("default_range cannot be *.")
        search = _looked_up if len(self._header_value or "") <= LONGEST_CACHED else _looked_up.__wrapped__
        tag, excluded = search(tuple(self._parsed), tuple(language_tags), default_range)
        if tag is not None:
            return tag
        if default_tag is not None and not excluded & {"*", default_tag.lower()}:
            return default_tag
        return _called(default)


class _EveryLanguage(AcceptLanguage):
    def basic_filtering(self, language_tags: Sequence[str]) -> list[tuple[str, float]]:  # noqa: ARG002 - unused here
        """Return an empty list, since there are no ranges to filter by."""
        return []

    def lookup(
        self,
        language_tags: Sequence[str] | None = None,  # noqa: ARG002 - unused here
        default_range: str | None = None,  # noqa: ARG002 - unused here
        default_tag: str | None = None,
        default: Any = None,
    ) -> Any:
        """Return ``default_tag``, or else ``default``, which is called if it is callable.

        Raises TypeError if neither is given.
        """
        _check_defaults(default_tag, default)
        return _called(default) if default_tag is None else default_tag


class AcceptLanguageNoHeader(_EveryLanguage, NoHeader):
    """An absent Accept-Language header."""


class AcceptLanguageInvalidHeader(_EveryLanguage, InvalidHeader):
    """A malformed Accept-Language header."""


AcceptLanguage.valid = AcceptLanguageValidHeader
AcceptLanguage.invalid = AcceptLanguageInvalidHeader
AcceptLanguage.absent = AcceptLanguageNoHeader


@lru_cache(128)
def _looked_up(
    parsed: tuple[tuple[str, float], ...], language_tags: tuple[str, ...], default_range: str | None
) -> tuple[str | None, frozenset[str]]:
    """Return the best tag or None, and the excluded ranges in lower case."""
    excluded = frozenset(name.lower() for name, quality in parsed if not quality)
    ranges = sorted([each for each in parsed if each[1]], key=lambda each: each[1], reverse=True)
    wanted = [name.lower() for name, _ in ranges]
    if "*" not in excluded and default_range is not None:
        wanted.append(default_range.lower())
    tags: dict[str, str] = {}
    for tag in language_tags:
        if tag.lower() not in excluded:
            tags.setdefault(tag.lower(), tag)
    found = (tags[fallback] for name in wanted for fallback in _fallbacks(name) if fallback in tags)
    return next(found, None), excluded


def _quality_of(tag: str, qualities: dict[str, tuple[float, int]]) -> tuple[float, int]:
    """Return a tag's quality and the negated position of the range that sets it."""
    subtags = tag.split("-")
    matching = ["-".join(subtags[:count]) for count in range(1, len(subtags) + 1)]
    found = [qualities[name] for name in matching if name in qualities]
    if any(not quality for quality, _ in found):
        return 0.0, 0
    return max(found, default=qualities.get("*", (0.0, 0)))


def _fallbacks(language_range: str) -> Iterable[str]:
    """Yield a range, then that range with its last subtags removed one by one.

    Results that would end in a single-character subtag are skipped.
    """
    subtags = language_range.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()
        if len(subtags) > 1 and len(subtags[-1]) == 1:
            subtags.pop()


def _check_defaults(default_tag: str | None, default: Any) -> None:
    if default_tag is None and default is None:
        raise TypeError("`default_tag` and `default` arguments cannot both be None.")


def _called(default: Callable[[], Any] | Any) -> Any:
    return default() if callable(default) else default


__all__ = [
    "Accept", "AcceptCharset", "AcceptCharsetInvalidHeader", "AcceptCharsetNoHeader", "AcceptCharsetValidHeader",
    "AcceptEncoding", "AcceptEncodingInvalidHeader", "AcceptEncodingNoHeader", "AcceptEncodingValidHeader",
    "AcceptInvalidHeader", "AcceptLanguage", "AcceptLanguageInvalidHeader", "AcceptLanguageNoHeader",
    "AcceptLanguageValidHeader", "AcceptNoHeader", "AcceptOffer", "AcceptValidHeader", "MIMEAccept", "MIMENilAccept",
    "NilAccept", "NoAccept", "accept_charset_property", "accept_encoding_property", "accept_language_property",
    "accept_property", "create_accept_charset_header", "create_accept_encoding_header", "create_accept_header",
    "create_accept_language_header",
]  # fmt: skip


class AcceptCharset(Accepted):
    """The charsets of Accept-Charset (RFC 9110 §12.5.2)."""

    grammar = weighted("Accept-Charset")


class AcceptCharsetValidHeader(ValidHeader, AcceptCharset):
    """A well-formed Accept-Charset header."""


class AcceptCharsetNoHeader(NoHeader, AcceptCharset):
    """An absent Accept-Charset header."""


class AcceptCharsetInvalidHeader(InvalidHeader, AcceptCharset):
    """A malformed Accept-Charset header."""


class AcceptEncoding(Accepted):
    """The content codings of Accept-Encoding (RFC 9110 §12.5.3)."""

    grammar = weighted("Accept-Encoding", may_be_empty=True)


class AcceptEncodingValidHeader(ValidHeader, AcceptEncoding):
    """A well-formed Accept-Encoding header. ``identity`` is acceptable unless it or ``*`` is excluded."""

    @staticmethod
    def _quality_in(qualities: dict[str, float], offer: str) -> float:
        return qualities.get(offer, qualities.get("*", 1.0 if offer == "identity" else 0.0))


class AcceptEncodingNoHeader(NoHeader, AcceptEncoding):
    """An absent Accept-Encoding header."""


class AcceptEncodingInvalidHeader(InvalidHeader, AcceptEncoding):
    """A malformed Accept-Encoding header."""


AcceptCharset.valid = AcceptCharsetValidHeader
AcceptCharset.invalid = AcceptCharsetInvalidHeader
AcceptCharset.absent = AcceptCharsetNoHeader
AcceptEncoding.valid = AcceptEncodingValidHeader
AcceptEncoding.invalid = AcceptEncodingInvalidHeader
AcceptEncoding.absent = AcceptEncodingNoHeader

NilAccept = MIMENilAccept = AcceptNoHeader
"""An absent Accept header, under its pre-1.8 names."""
NoAccept = AcceptEncodingNoHeader
"""An absent Accept-Encoding header, under its pre-1.8 name."""

create_accept_header = Accept.create
create_accept_charset_header = AcceptCharset.create
create_accept_encoding_header = AcceptEncoding.create
create_accept_language_header = AcceptLanguage.create


def accept_property() -> property:
    return Accept.environ_property("HTTP_ACCEPT", "Accept")


def accept_charset_property() -> property:
    return AcceptCharset.environ_property("HTTP_ACCEPT_CHARSET", "Accept-Charset")


def accept_encoding_property() -> property:
    return AcceptEncoding.environ_property("HTTP_ACCEPT_ENCODING", "Accept-Encoding")


def accept_language_property() -> property:
    return AcceptLanguage.environ_property("HTTP_ACCEPT_LANGUAGE", "Accept-Language")
