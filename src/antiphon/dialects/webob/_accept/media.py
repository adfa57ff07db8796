"""The media types of Accept (RFC 9110 §12.5.1)."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from antiphon.dialects._environ.caching import cache_short
from antiphon.dialects.webob._accept.grammar import (
    MediaElement,
    Pairs,
    is_media_type,
    media_ranges,
    print_element,
    print_extensions,
    print_media_range,
    read_parameters,
)
from antiphon.dialects.webob._accept.header import Accepted, InvalidHeader, NoHeader, Offers, ValidHeader, sort_offers

_HTML = ("text/html", "application/xhtml+xml", "application/xml", "text/xml")


class AcceptOffer(NamedTuple):
    """A media type that a server offers. Types and names of parameters are in lower case."""

    type: str
    subtype: str
    params: Pairs

    def __str__(self) -> str:
        return print_media_range(f"{self.type}/{self.subtype}", self.params)


class Accept(Accepted):
    """The media ranges of Accept. A range with parameters matches only offers that have the same ones in this order."""

    grammar = media_ranges()

    @classmethod
    def parse_offer(cls, offer: str | AcceptOffer) -> AcceptOffer:
        """Return the parts of a media type. Raises ValueError for a malformed one, and for a range."""
        return offer if isinstance(offer, AcceptOffer) else _read_offer(offer)

    @staticmethod
    def _as_read(element: MediaElement) -> Any:
        media_range, quality, parameters, extensions = element
        return media_range, quality, list(parameters), list(extensions)

    @staticmethod
    def _pair(item: str, given: Any) -> tuple[Any, ...]:
        return (item, *given) if isinstance(given, list | tuple) else (item, given)

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the offers that are acceptable with their qualities, the best first."""
        raise NotImplementedError

    def accept_html(self) -> bool:
        """Return True if HTML is acceptable, as ``text/html`` or as one of three types of XML."""
        return bool(self.acceptable_offers(_HTML))

    accepts_html = property(accept_html)


class AcceptValidHeader(ValidHeader, Accept):
    """A well-formed Accept header."""

    @staticmethod
    def matches(given: str, offer: str) -> bool:
        """Return True if an offer is in a range, or a range in an offer, by type alone if the offer has no parameters.

        So ``application/json;details=true`` matches the offer ``application/json``.
        """
        given, offer = given.lower(), offer.lower()
        given = given if ";" in offer else given.partition(";")[0]
        if given == offer or offer == "*":
            return True
        (type_, _, subtype), (offered_type, _, offered_subtype) = given.partition("/"), offer.partition("/")
        return _equal(type_, offered_type) and _equal(subtype, offered_subtype or "*")

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the offers that are acceptable by RFC 9110 §12.5.1 with their qualities, the best first.

        The most specific range decides. Offers that are not media types are left out.
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
        """Return all offers that are media types with the quality 1.0."""
        return [(offer, 1.0) for offer in _valid(offers)]


class AcceptNoHeader(_EveryType, NoHeader):
    """An absent Accept header."""


class AcceptInvalidHeader(_EveryType, InvalidHeader):
    """A malformed Accept header."""


Accept.valid, Accept.invalid, Accept.absent = AcceptValidHeader, AcceptInvalidHeader, AcceptNoHeader


class MIMEAccept(Accept):
    """An Accept header in any state, under its name before WebOb 1.8. A malformed header is not an error."""

    def __new__(cls, header_value: str | None = None) -> Any:  # noqa: ARG004 - for __init__
        return object.__new__(cls)

    def __init__(self, header_value: str | None) -> None:
        self._accept = Accept.create(header_value)
        self._header_value = header_value
        self._parsed = list(self.parse(header_value or "")) if self._accept else []

    @classmethod
    def parse(cls, value: str) -> Iterator[tuple[str, float]]:
        """Return an iterator of the ranges and their qualities, which is empty if the header is malformed."""
        accept = Accept.create(value)
        return iter([(media_range, quality) for media_range, quality, _, _ in accept.parsed or ()])

    @property
    def parsed(self) -> list[Any]:
        """The ranges and their qualities."""
        return list(self._parsed)

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the offers that are acceptable with their qualities, the best first."""
        found: list[tuple[str, float]] = self._accept.acceptable_offers(offers)
        return found

    def best_match(self, offers: Offers, default_match: str | None = None) -> str | None:
        """Return the offer of the highest quality times weight."""
        found: str | None = self._accept.best_match(offers, default_match)
        return found

    def quality(self, offer: str) -> float | None:
        """Return the highest quality of a range that the offer is in."""
        found: float | None = self._accept.quality(offer)
        return found

    def copy(self) -> "MIMEAccept":
        """Return a copy."""
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
        raise ValueError(f"not a media type: {offer[:80]!r}")
    return AcceptOffer(type_, subtype, _named(read_parameters(match[2])))


def _named(parameters: Pairs) -> Pairs:
    """Return parameters with their names in lower case."""
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
