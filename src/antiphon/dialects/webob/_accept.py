"""The grammar of the Accept fields, and the three states of a header: valid, absent or malformed.

Malformed headers are treated as absent (RFC 9110 §12.5), so everything is acceptable.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from antiphon.dialects._environ.heads import cache_short
from antiphon.http.grammar import SENT_QUOTED_STRING, TCHARS, quote_if_needed, quote_string, unquote_string

# All quantifiers are possessive or atomic, so no input causes backtracking and parsing takes linear time.
_VALUE = f"(?:{TCHARS}|{SENT_QUOTED_STRING})"
_WEIGHT = r"[ \t]*+;[ \t]*+[qQ]=(0(?:\.[0-9]{0,3}+)?+|1(?:\.0{0,3}+)?+)"
_PARAMETERS = rf"(?>(?:[ \t]*+;[ \t]*+(?![qQ]=){TCHARS}={_VALUE})*)"
_EXTENSIONS = rf"(?>(?:[ \t]*+;[ \t]*+{TCHARS}(?>(?:={_VALUE})?))*)"
_MEDIA_RANGE = rf"({TCHARS}/{TCHARS})({_PARAMETERS})"

LANGUAGE_RANGE = r"\*|[A-Za-z]{1,8}+(?>(?:-[A-Za-z0-9]{1,8}+)*)"

is_media_type = re.compile(_MEDIA_RANGE).fullmatch
_parameters = re.compile(rf";[ \t]*+({TCHARS})(?>(?:=({_VALUE}))?)").findall

Pairs = tuple[tuple[str, str], ...]


class Grammar(NamedTuple):
    """The parser of one header."""

    parse: Callable[[str], tuple[Any, ...]]
    """Return the elements. Raises ValueError if one of them is malformed."""
    may_be_empty: bool


class MediaElement(NamedTuple):
    """An element of Accept: its range as text, its quality, its parameters, and any extensions after the quality."""

    media_range: str
    quality: float
    parameters: Pairs
    extensions: tuple[str | tuple[str, str], ...]


def media_ranges() -> Grammar:
    element = rf"{_MEDIA_RANGE}(?>(?:{_WEIGHT}({_EXTENSIONS}))?)"
    return _grammar("Accept", element, _media_element, may_be_empty=True)


def weighted(header: str, item: str = TCHARS, *, may_be_empty: bool = False) -> Grammar:
    """Return the grammar of a header whose elements are items with optional qualities.

    ``item`` is a regular expression.
    """
    return _grammar(header, f"({item})(?>(?:{_WEIGHT})?)", _weighted_item, may_be_empty)


def _grammar(header: str, element: str, read: Callable[[re.Match[str]], Any], may_be_empty: bool) -> Grammar:
    start = f"(?:,|{element})" if may_be_empty else rf"(?:,[ \t]*+)*+{element}"
    listed = rf"{start}(?>(?:[ \t]*+,(?>(?:[ \t]*+{element})?))*)"
    is_valid = re.compile(f"(?>(?:{listed})?)" if may_be_empty else listed).fullmatch
    elements = re.compile(element).finditer

    @cache_short(256)
    def parse(value: str) -> tuple[Any, ...]:
        if not is_valid(value):
            raise ValueError(f"this is not a valid {header} header: {value[:80]!r}")
        return tuple([read(match) for match in elements(value)])

    return Grammar(parse, may_be_empty)


def _weighted_item(match: re.Match[str]) -> tuple[str, float]:
    return match[1], float(match[2] or 1)


def _media_element(match: re.Match[str]) -> MediaElement:
    essence, parameters, quality, extensions = match.groups()
    pairs = read_parameters(parameters)
    return MediaElement(
        print_media_range(essence, pairs),
        float(quality or 1),
        pairs,
        tuple([_extension(name, value) for name, value in _parameters(extensions or "")]),
    )


def _extension(name: str, value: str) -> str | tuple[str, str]:
    return (name, unquote_string(value)) if value else name


def read_parameters(text: str) -> Pairs:
    """Parse parameters such as ``; a=b; c="d"`` and return them unquoted, in order."""
    return tuple([(name, unquote_string(value)) for name, value in _parameters(text)])


def print_media_range(essence: str, parameters: Pairs) -> str:
    """Format a media type or range with its parameters, quoted if needed."""
    return essence + "".join([f";{name}={_printed(value)}" for name, value in parameters])


def print_element(item: str, quality: float, extensions: str = "") -> str:
    """Format an element of a header. ``extensions`` begins with a semicolon and must follow a quality."""
    if quality == 1 and not extensions:
        return item
    return f"{item};q={int(quality) if quality in (0, 1) else quality}{extensions}"


def print_extensions(extensions: tuple[str | tuple[str, str], ...]) -> str:
    """Format an element's extensions, each after a semicolon."""
    return "".join([f";{each}" if isinstance(each, str) else print_media_range("", (each,)) for each in extensions])


def _printed(value: str) -> str:
    return quote_if_needed(value) if value else quote_string(value)


Offers = Iterable[str | tuple[str, float]]
"""The server's offers, or pairs of an offer and the server's own weight for it."""


class Accepted:
    """A request header, as made by ``Accept("text/html")`` or the ``create_...`` functions. Immutable."""

    grammar: ClassVar[Grammar]
    valid: ClassVar[type["ValidHeader"]]
    invalid: ClassVar[type["InvalidHeader"]]
    absent: ClassVar[type["NoHeader"]]
    _header_value: str | None = None
    _parsed: Any = None
    """The elements as parsed by the grammar. TurboGears reads and sorts this list."""

    def __new__(cls, header_value: Any = None) -> Any:
        """Return an object of the class for a valid, malformed or absent header. None means an absent header."""
        return cls.create(header_value)

    @classmethod
    def create(cls, header_value: Any) -> Any:
        """Return an object for a header's value, or for None (an absent header). An existing object is copied."""
        if header_value is None:
            return cls.absent()
        if isinstance(header_value, Accepted):
            return header_value.copy()
        try:
            return cls.valid(header_value)
        except ValueError:
            return cls.invalid(header_value)

    @classmethod
    def parse(cls, value: str) -> Iterator[Any]:
        """Return an iterator over a header's elements. Raises ValueError if the header is malformed."""
        return iter([cls._as_read(element) for element in cls.grammar.parse(value)])

    @classmethod
    def print_value(cls, value: Any) -> str:
        """Format a list of elements, a dictionary of their qualities, or any other object as a header's value."""
        if isinstance(value, str):
            return value
        if hasattr(value, "items"):
            pairs = [cls._pair(item, given) for item, given in value.items()]
            value = sorted(pairs, key=lambda pair: pair[1], reverse=True)
        if not isinstance(value, list | tuple):
            return str(value)
        return ", ".join([print_element(*each) if isinstance(each, list | tuple) else each for each in value])

    @classmethod
    def environ_property(cls, key: str, header: str) -> property:
        """Return a request property that reads, sets and deletes the header stored under an environ key."""

        def fget(request: Any) -> Any:
            return cls.create(request.environ.get(key))

        def fset(request: Any, value: Any) -> None:
            text = value.header_value if isinstance(value, Accepted) else value
            if text is None:
                fdel(request)
            else:
                request.environ[key] = cls.print_value(text)

        def fdel(request: Any) -> None:
            request.environ.pop(key, None)

        doc = f"The {header} header as an object, created on each access. It can be set to such an object or a value."
        return property(fget, fset, fdel, doc)

    @property
    def header_value(self) -> str | None:
        """The header as sent, or None if it is absent."""
        return self._header_value

    @property
    def parsed(self) -> list[Any] | None:
        """The elements in order, as tuples of a range, its quality and, for Accept, its parameters and extensions.

        None if the header is absent or malformed.
        """
        return None

    @staticmethod
    def _as_read(element: Any) -> Any:
        return element

    @staticmethod
    def _pair(item: str, given: Any) -> tuple[Any, ...]:
        return item, given

    def copy(self) -> Self:
        raise NotImplementedError


class _State(Accepted):
    """The base class for methods that the three states share."""

    def __new__(cls, header_value: str | None = None) -> Self:  # noqa: ARG004 - used by __init__
        """Create an object of this class, whatever the header's state."""
        return object.__new__(cls)

    def copy(self) -> Self:
        return type(self)(self.header_value)

    def __add__(self, other: Any) -> Any:
        return self._joined(other, to_the_right=True)

    def __radd__(self, other: Any) -> Any:
        return self._joined(other, to_the_right=False)

    def _joined(self, other: Any, to_the_right: bool) -> Any:
        if isinstance(other, Accepted):
            return self._with(other if isinstance(other, ValidHeader) else None, to_the_right)
        try:
            return self._with(None if other is None else self.valid(self.print_value(other)), to_the_right)
        except ValueError:
            return self._with(None, to_the_right)

    def _with(self, other: "ValidHeader | None", to_the_right: bool) -> Any:
        raise NotImplementedError

    def first_match(self, offers: Sequence[str]) -> str | None:
        """Return the first acceptable offer, or the first offer if none is acceptable."""
        return next((offer for offer in offers if offer in self), offers[0] if offers else None)

    def best_matches(self, fallback: str | None = None) -> list[str]:
        """Return the ranges, best quality first, up to ``fallback``, which is appended if it is not one of them."""
        ranges = list(self)
        if fallback is None:
            return ranges
        return [*ranges[: ranges.index(fallback)], fallback] if fallback in ranges else [*ranges, fallback]

    def __contains__(self, offer: str) -> bool:
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError


class ValidHeader(_State):
    """A well-formed header."""

    def __init__(self, header_value: str) -> None:
        """Raise ValueError if the value is malformed."""
        self._parsed = self.grammar.parse(header_value)
        self._header_value = header_value

    @property
    def parsed(self) -> list[Any]:
        """The elements in order, as tuples of a range, its quality and, for Accept, its parameters and extensions."""
        return [self._as_read(element) for element in self._parsed]

    def __bool__(self) -> bool:
        return True

    def __contains__(self, offer: str) -> bool:
        return any(each[1] and self.matches(each[0], offer) for each in self._parsed)

    def __iter__(self) -> Iterator[str]:
        listed = sorted([each for each in self._parsed if each[1]], key=lambda each: each[1], reverse=True)
        return iter([each[0] for each in listed])

    def __str__(self) -> str:
        return ", ".join([print_element(*each) for each in self._parsed])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} ({str(self)!r})>"

    def _with(self, other: "ValidHeader | None", to_the_right: bool) -> Any:
        texts = [self.header_value or "", (other and other.header_value) or ""]
        return type(self)(", ".join([text for text in (texts if to_the_right else reversed(texts)) if text]))

    @staticmethod
    def matches(given: str, offer: str) -> bool:
        """Return True if a range contains an offer. ``best_match``, ``quality`` and ``in`` use this."""
        return given == "*" or given.lower() == offer.lower()

    def best_match(self, offers: Offers, default_match: str | None = None) -> str | None:
        """Return the offer with the highest product of quality and weight.

        Among equals, the range with the fewest ``*`` wins, then the first offer. A quality of 0 does not exclude an
        offer here; use ``acceptable_offers`` for that.
        """
        best = (-1.0, -2)
        chosen = default_match
        ranges = [(each[0], each[1]) for each in self._parsed if each[1]]
        for offer, weight in map(_weighed, offers):
            for given, quality in ranges:
                rank = weight * quality, -given.count("*")
                if rank > best and self.matches(given, offer):
                    best, chosen = rank, offer
        return chosen

    def quality(self, offer: str) -> float | None:
        """Return the highest quality of the ranges that contain the offer, or None if no range contains it or the
        quality is 0.
        """
        return max([each[1] for each in self._parsed if self.matches(each[0], offer)], default=0) or None

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the acceptable offers (RFC 9110 §12.5) with their qualities, best first."""
        qualities: dict[str, float] = {}
        for item, quality in self._parsed:
            qualities.setdefault(item.lower(), quality)
        return sort_offers((offer, self._quality_in(qualities, offer.lower())) for offer in offers)

    @staticmethod
    def _quality_in(qualities: dict[str, float], offer: str) -> float:
        return qualities.get(offer, qualities.get("*", 0.0))


class _WithoutRanges(_State):
    """A header without preferences, which makes everything acceptable."""

    def __bool__(self) -> bool:
        return False

    def __contains__(self, offer: str) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _with(self, other: ValidHeader | None, to_the_right: bool) -> Any:  # noqa: ARG002 - the order does not matter
        return self.absent() if other is None else other.copy()

    def best_match(self, offers: Offers, default_match: str | None = None) -> str | None:
        """Return the first offer with the greatest weight, or ``default_match`` if there are no offers."""
        return max(map(_weighed, offers), key=lambda offer: offer[1], default=(default_match, 0))[0]

    def quality(self, offer: str) -> float:  # noqa: ARG002 - the signature must match the other states'
        return 1.0

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return all offers with a quality of 1.0."""
        return [(offer, 1.0) for offer in offers]


class NoHeader(_WithoutRanges):
    def __init__(self, header_value: None = None) -> None:
        """Accept only None as the value."""

    def __str__(self) -> str:
        return "<no header in request>"


class InvalidHeader(_WithoutRanges):
    def __init__(self, header_value: str) -> None:
        self._header_value = header_value

    def __str__(self) -> str:
        return "<invalid header value>"


def sort_offers(offers: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the offers with a quality above 0, best first. Offers of equal quality keep their order."""
    return sorted([offer for offer in offers if offer[1]], key=lambda offer: offer[1], reverse=True)


def _weighed(offer: Any) -> tuple[str, float]:
    return (offer[0], offer[1]) if isinstance(offer, list | tuple) else (offer, 1)
