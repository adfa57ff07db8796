"""The language ranges of Accept-Language, matched as RFC 4647 has it (RFC 9110 §12.5.4)."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from antiphon.dialects._environ.caching import LONGEST_CACHED
from antiphon.dialects.webob._accept.grammar import LANGUAGE_RANGE, weighted
from antiphon.dialects.webob._accept.header import Accepted, InvalidHeader, NoHeader, ValidHeader


class AcceptLanguage(Accepted):
    """The language ranges of Accept-Language."""

    grammar = weighted("Accept-Language", LANGUAGE_RANGE)


class AcceptLanguageValidHeader(ValidHeader, AcceptLanguage):
    """A well-formed Accept-Language header."""

    @staticmethod
    def matches(given: str, offer: str) -> bool:
        """Return True if a range or an offer begins with the other: ``en`` and ``en_GB``, but not two variants of
        ``en``.
        """
        given, offer = given.lower(), offer.replace("_", "-").lower()
        return given in ("*", offer, offer.partition("-")[0]) or offer == given.partition("-")[0]

    def acceptable_offers(self, offers: Sequence[str]) -> list[tuple[str, float]]:
        """Return the tags that are acceptable with their qualities, by basic filtering."""
        return self.basic_filtering(offers)

    def basic_filtering(self, language_tags: Sequence[str]) -> list[tuple[str, float]]:
        """Return the tags that a range equals or begins, with the range's quality (RFC 4647 §3.3.1).

        The best quality is first, then the earlier range, then the earlier tag. A tag is left out if a range of
        quality 0 equals or begins it.
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
        """Return the best tag (RFC 4647 §3.4): for the best range, or for the range with its last subtags cut off.

        Otherwise the tag of ``default_range``, or ``default_tag`` unless it is excluded, or ``default``, which is
        called if it can be. Raises TypeError without one of the last two, and ValueError if ``default_range`` is ``*``.
        """
        _check_defaults(default_tag, default)
        if default_range == "*":
            raise ValueError("default_range is a language range other than *")
        search = _looked_up if len(self._header_value or "") <= LONGEST_CACHED else _looked_up.__wrapped__
        tag, excluded = search(tuple(self._parsed), tuple(language_tags), default_range)
        if tag is not None:
            return tag
        if default_tag is not None and not excluded & {"*", default_tag.lower()}:
            return default_tag
        return _called(default)


class _EveryLanguage(AcceptLanguage):
    def basic_filtering(self, language_tags: Sequence[str]) -> list[tuple[str, float]]:  # noqa: ARG002 - as above
        """Return no tags: without ranges there is nothing to filter by."""
        return []

    def lookup(
        self,
        language_tags: Sequence[str] | None = None,  # noqa: ARG002 - as above
        default_range: str | None = None,  # noqa: ARG002 - as above
        default_tag: str | None = None,
        default: Any = None,
    ) -> Any:
        """Return ``default_tag``, or ``default``, which is called if it can be. Raises TypeError without either."""
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
    """Return the best tag, None without one, and the ranges that are excluded, in lower case."""
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
    """Return the quality of a tag and the negative position of the range that gives it."""
    subtags = tag.split("-")
    matching = ["-".join(subtags[:count]) for count in range(1, len(subtags) + 1)]
    found = [qualities[name] for name in matching if name in qualities]
    if any(not quality for quality, _ in found):
        return 0.0, 0
    return max(found, default=qualities.get("*", (0.0, 0)))


def _fallbacks(language_range: str) -> Iterable[str]:
    """Return a range and those that remain as its last subtags are cut off; no range ends with a single character."""
    subtags = language_range.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()
        if len(subtags) > 1 and len(subtags[-1]) == 1:
            subtags.pop()


def _check_defaults(default_tag: str | None, default: Any) -> None:
    if default_tag is None and default is None:
        raise TypeError("lookup needs a default_tag or a default")


def _called(default: Callable[[], Any] | Any) -> Any:
    return default() if callable(default) else default
