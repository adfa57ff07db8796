"""Content negotiation: the ranges that a client accepts, and the best of a server's offers (RFC 9110 §12.5).

Reading never raises: malformed elements, including those with a malformed weight (`q=`, `q=2`, `q=-1`, `q=nan`), are
skipped, and only the first 200 elements are read. If a range is repeated, its first weight applies. A media range with
more than 8 parameters is skipped.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, Self, overload

from antiphon.explanations import explained
from antiphon.http.grammar import (
    TCHARS,
    Value,
    format_parameters,
    read_weighted,
    read_weights,
    split_weight,
    weighted_element,
)
from antiphon.http.media_type import MediaType

_MOST_ELEMENTS = 200
_MOST_PARAMETERS = 8
"""The maximum number of a media range's parameters, including its weight. Each is compared with the parameters of every
offer.
"""
_MOST_KEPT = 128
"""The number of parsed headers that are cached for each kind. Each has at most ``_LONGEST_KEPT`` characters."""
_LONGEST_KEPT = 256
_MOST_CHOICES = 8


class _Accepted(Value):
    """The weighted ranges of one header, immutable.

    Iteration yields the ranges as text, ordered by quality, then specificity, then position. Two objects are equal if
    they have the same ranges with the same qualities in the same order. An absent header, or a header without a
    well-formed element, is falsy and accepts everything.
    """

    __slots__ = ("_header", "_known", "_weights")

    _header: str | None
    _known: dict[tuple[str, ...], str | None]
    _weights: dict[str, float]
    _element: ClassVar[re.Pattern[str]] = weighted_element(TCHARS)
    _weights_when_absent: ClassVar[dict[str, float]] = {"*": 1.0}
    _parse_kept: ClassVar[Callable[[str], Any]]

    def __init_subclass__(cls) -> None:
        # One cache for each class: building a key from class and header would take as long as everything else.
        cls._parse_kept = lru_cache(_MOST_KEPT)(cls._parse)

    @classmethod
    def parse(cls, header: str | None) -> Self:
        """Read a header's value; None stands for an absent header. Never raises.

        Results for short headers are cached: most requests have one of the same few values.
        """
        if header is None or len(header) > _LONGEST_KEPT:
            return cls._parse(header)
        kept: Self = cls._parse_kept(header)
        return kept

    @classmethod
    def _parse(cls, header: str | None) -> Self:
        if header and len(header) >= _MOST_ELEMENTS and header.count(",") >= _MOST_ELEMENTS:
            header = "".join([match[0] for match in islice(cls._element.finditer(header), _MOST_ELEMENTS)])
        weights = {} if header is None else cls._weigh(header)
        self = cls.__new__(cls)
        self._header = header if weights else None
        self._known = {}
        self._weights = weights or cls._weights_when_absent
        return self

    @classmethod
    def _weigh(cls, header: str) -> dict[str, float]:
        """Return the quality of each range, by its key."""
        return read_weights(cls._element, header.lower())

    @classmethod
    def _read(cls, header: str) -> list[tuple[str, float]]:
        """Return (range, quality) for each well-formed element, in the header's order."""
        return read_weighted(cls._element, header)

    @staticmethod
    def _key(name: str) -> str:
        """Return text that is the same for all spellings of a range."""
        return name.lower()

    @staticmethod
    def _specificity(name: str) -> tuple[int, ...]:
        return (name != "*",)

    def quality(self, offer: str) -> float:
        """Return the quality of an offer, from 0.0 (unacceptable) to 1.0; the most specific range decides."""
        weights = self._weights
        return weights.get(self._key(offer), weights.get("*", 0.0))

    @overload
    def best(self, offers: Iterable[str], default: None = None) -> str | None: ...
    @overload
    def best(self, offers: Iterable[str], default: str) -> str: ...
    def best(self, offers: Iterable[str], default: str | None = None) -> str | None:
        """Return the best offer, or `default` if none is acceptable. If several offers are equally good, the first
        wins.
        """
        offered = tuple(offers)
        known = self._known
        try:
            chosen = known[offered]
        except KeyError:
            chosen = self._choose(offered)
            if len(known) < _MOST_CHOICES:
                known[offered] = chosen
        return default if chosen is None else chosen

    def _choose(self, offers: Iterable[str]) -> str | None:
        chosen, highest = None, 0.0
        for offer in offers:
            quality = self.quality(offer)
            if quality > highest:
                chosen, highest = offer, quality
        return chosen

    def items(self) -> list[tuple[str, float]]:
        """Return (range, quality) pairs in the order of iteration, including those of quality 0."""
        listed = [] if self._header is None else self._read(self._header)
        return sorted(listed, key=lambda item: (item[1], self._specificity(item[0])), reverse=True)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self.items()])

    def __contains__(self, offer: str) -> bool:
        return self.quality(offer) > 0

    def __bool__(self) -> bool:
        return self._header is not None

    def __str__(self) -> str:
        """Return the header's value in order of preference; "" if it is absent."""
        return ", ".join([name if quality == 1 else f"{name};q={quality:g}" for name, quality in self.items()])

    def __repr__(self) -> str:
        return f"{type(self).__name__}.parse({str(self) if self else None!r})"

    def _identity(self) -> tuple[bool, tuple[tuple[str, float], ...]]:
        return bool(self), tuple([(self._key(name), quality) for name, quality in self.items()])


class Accept(_Accepted):
    """The media types of `Accept` (RFC 9110 §12.5.1); `text/html` takes precedence over `text/*`, and `text/*` over
    `*/*`.

    Offers are media types such as "text/html"; an offer without a slash raises ValueError. A range with parameters
    matches only offers that have them, and takes precedence over the range without parameters.
    """

    __slots__ = ()

    _element = weighted_element(rf"\*/\*|(?!\*/){TCHARS}/{TCHARS}", parameters=True)
    _weights_when_absent: ClassVar[dict[str, float]] = {"*/*": 1.0}

    @classmethod
    def _weigh(cls, header: str) -> dict[str, float]:
        if header.count(";") == header.count(";q="):
            weights = super()._weigh(header)
            if ";" not in "".join(weights):
                return weights
        return dict(reversed(cls._read(header)))

    @classmethod
    def _read(cls, header: str) -> list[tuple[str, float]]:
        listed: list[tuple[str, float]] = []
        for name, quality in super()._read(header):
            listed += _read_parameters(name) if ";" in name else [(name.lower(), quality)]
        return listed

    @staticmethod
    def _key(name: str) -> str:
        return name

    @staticmethod
    def _specificity(name: str) -> tuple[int, ...]:
        return MediaType.parse(name).specificity

    def quality(self, offer: str) -> float:
        """Return the quality of an offer, from 0.0 (unacceptable) to 1.0; the most specific range decides.

        Raises ValueError for an offer that isn't a media type.
        """
        weights = self._weights
        essence, has_parameters, _ = offer.partition(";")
        if has_parameters and ";" in "".join(weights):
            return self._quality_with_parameters(MediaType.parse(offer))
        essence = essence.strip().lower()
        main_type, slash, _ = essence.partition("/")
        if not slash:
            raise explained("bad-http-value", f"not a media type: {offer!r}")
        quality = weights.get(essence)
        return weights.get(f"{main_type}/*", weights.get("*/*", 0.0)) if quality is None else quality

    def _quality_with_parameters(self, offer: MediaType) -> float:
        weights = self._weights
        for essence in (offer.essence, f"{offer.type}/*", "*/*"):
            narrow = [MediaType.parse(name) for name in weights if name.startswith(f"{essence};")]
            matching = [media_range for media_range in narrow if offer.matches(media_range)]
            if matching:
                return weights[str(max(matching, key=lambda media_range: media_range.specificity))]
            if essence in weights:
                return weights[essence]
        return 0.0


def _read_parameters(element: str) -> list[tuple[str, float]]:
    """Return the (range, quality) of an element with parameters; nothing if it has too many parameters or a malformed
    weight.
    """
    essence, _, written = element.partition(";")
    if element.count(";") > _MOST_PARAMETERS:
        return []
    try:
        parameters, quality = split_weight(written)
    except ValueError:
        return []
    return [(essence.rstrip().lower() + format_parameters(parameters), quality)]


class AcceptLanguage(_Accepted):
    """The language ranges of `Accept-Language` (RFC 9110 §12.5.4). Offers are tags; `_` is read as `-`.

    `quality` and `in` use basic filtering (RFC 4647 §3.3.1): the range `en` matches the offer `en-GB`, but not the
    reverse. `best` uses lookup (§3.4): the range `en-GB` falls back to the offer `en`. If lookup finds nothing for a
    range, `best` uses filtering: `en` matches `en-GB` if `en` isn't offered. The server's order decides between ranges
    of the same quality.
    """

    __slots__ = ()

    _element = weighted_element(r"[A-Za-z]{1,8}+(?>(?:-[A-Za-z0-9]{1,8}+){0,15})|\*")

    @classmethod
    def _weigh(cls, header: str) -> dict[str, float]:
        return read_weights(cls._element, header.lower().replace("_", "-"))

    @classmethod
    def _read(cls, header: str) -> list[tuple[str, float]]:
        return super()._read(header.replace("_", "-"))

    @staticmethod
    def _key(name: str) -> str:
        return name.lower().replace("_", "-")

    @staticmethod
    def _specificity(name: str) -> tuple[int, ...]:
        return name != "*", name.count("-")

    def quality(self, offer: str) -> float:
        """Return the quality of the longest range that the offer equals or extends, from 0.0 to 1.0."""
        return self._weights.get(self._range_of(self._key(offer)), 0.0)

    def _range_of(self, tag: str) -> str:
        if tag in self._weights:
            return tag
        return max([name for name in self._weights if tag.startswith(f"{name}-")], key=len, default="*")

    def _choose(self, offers: Iterable[str]) -> str | None:
        weights = self._weights
        tags: dict[str, str] = {}
        for offer in offers:
            tags.setdefault(offer.lower().replace("_", "-"), offer)
        if 0.0 in weights.values():
            tags = {tag: offer for tag, offer in tags.items() if weights.get(self._range_of(tag)) != 0.0}
        taken, highest = self._take(tags)
        if weights.get("*", 0.0) > highest:
            taken = [tag for tag in tags if self._range_of(tag) == "*"] or taken
        if len(taken) > 1:
            taken.sort(key=list(tags).index)
        return tags[taken[0]] if taken else None

    def _take(self, tags: dict[str, str]) -> tuple[list[str], float]:
        """Return the tags that match ranges of the highest quality, and that quality."""
        taken: list[str] = []
        highest = 0.0
        for name, quality in self._weights.items():
            if quality and quality >= highest:
                tag = name if name in tags else _look_up(name, tags)
                if tag is not None:
                    if quality > highest:
                        taken, highest = [], quality
                    taken.append(tag)
        return taken, highest


def _look_up(language_range: str, tags: dict[str, str]) -> str | None:
    """Return the tag that a range falls back to, otherwise the first tag that extends the range."""
    fallback = language_range
    while fallback := fallback.rpartition("-")[0]:
        if fallback in tags:
            return fallback
    beginning = f"{language_range}-"
    return next((tag for tag in tags if tag.startswith(beginning)), None)


class AcceptEncoding(_Accepted):
    """The content codings of `Accept-Encoding` (RFC 9110 §12.5.3), such as "gzip" or "identity".

    `identity` is acceptable unless excluded, by its name or by `*`; if it is not listed, its quality is 0.001. Without
    a well-formed element, only `identity` is acceptable. Without a header, every coding is acceptable, but the client
    may not support it: `identity` then has a quality of 1, and any other coding has 0.001.
    """

    __slots__ = ()

    _weights_when_absent: ClassVar[dict[str, float]] = {"identity": 1.0, "*": 0.001}

    @classmethod
    def _weigh(cls, header: str) -> dict[str, float]:
        weights = super()._weigh(header)
        if "x-gzip" in weights:
            weights.setdefault("gzip", weights["x-gzip"])
        if "*" not in weights:
            weights.setdefault("identity", 0.001)
        return weights
