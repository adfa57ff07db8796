"""Ranking of pages by the words of a question, for `antiphon docs --search` and the search of the site.

A page's weight for a word is that of Okapi BM25, in which words of titles, names, keywords and headings count several
times. The site's search adds up the same weights in a browser, by the same rules (`scripts/docs_search.js`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import log
from typing import NamedTuple

COMMON = (
    "a about again all also am an and another any anything are as at be been best between but by can cannot change "
    "could did do does doing each every find for from get gets getting got had happen happens has have having how i "
    "if in instead into is isn it its just know let like look make makes many me more most my need needs now of on "
    "one only or other our out over own part put s same should so some such t take takes than that the their them "
    "then there these they this those to too use used using very via want was way we were what when where which while "
    "who why will with within would you your"
)
ENDINGS = "ations ation ings ing ies ed es s y e"
IN_TITLE, IN_HEADINGS, IN_NAME, IN_KEYWORDS = 12, 2, 6, 16
"""How many times a word in one of these parts of a page counts."""
SATURATION, BY_LENGTH = 40, 0.2
"""BM25's k1, which is high because the parts are counted together, and b."""
ENOUGH = 0.3
"""A page is about a question if it has this share of the question's words, weighed by their rarity."""

HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_COMMON, _ENDINGS = frozenset(COMMON.split()), ENDINGS.split()
_KEYWORDS = re.compile(r"^<!-- keywords: (.*?)\s+-->$", re.MULTILINE | re.DOTALL)
_MENTIONS_MUCH = "reference/(dialects/|embedding/|names|errors|(app|blueprint|request|response)$)"
_FACTORS = [(re.compile("how-to/"), 1.1), (re.compile(_MENTIONS_MUCH), 0.72)]
"""The pages that are preferred, and those that mention nearly everything."""


class Ranked(NamedTuple):
    """The names of pages with a word of a question, the best first, and whether there is a page about it."""

    names: list[str]
    is_answered: bool


class Ranking:
    """The weights of words, by word and the page's name."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self.size = len(pages)
        self.weights: dict[str, dict[str, float]] = {}
        bodies = {name: Counter(words(_KEYWORDS.sub("", text))) for name, text in pages.items()}
        average = sum(map(Counter.total, bodies.values())) / len(pages)
        for name, body in bodies.items():
            length = 1 - BY_LENGTH + BY_LENGTH * body.total() / average
            marked = _marked(name, pages[name])
            factor = next((factor for place, factor in _FACTORS if place.match(name)), 1)
            for word in body | marked:
                count = marked[word] + body[word] / length
                weight = factor * count * (SATURATION + 1) / (count + SATURATION)
                self.weights.setdefault(word, {})[name] = round(weight, 2)

    def ranked(self, question: str) -> Ranked:
        """Return the pages for a question."""
        scores, shares = defaultdict[str, float](float), defaultdict[str, float](float)
        for word in dict.fromkeys(words(question)):
            having = self._having(word)
            rarity = log(1 + (self.size - len(having) + 0.5) / (len(having) + 0.5))
            shares[""] += rarity
            for name, weight in having.items():
                scores[name] += rarity * weight
                shares[name] += rarity
        names = sorted(scores, key=lambda name: (-scores[name], name))
        return Ranked(names, bool(names) and shares[names[0]] >= ENOUGH * shares[""])

    def _having(self, word: str) -> dict[str, float]:
        """Return the weights of pages for a word, or else for words that begin with it or differ in a letter."""
        if word in self.weights or len(word) < 3:
            return self.weights.get(word, {})
        near = [each for each in self.weights if each.startswith(word)]
        near = near or [each for each in self.weights if len(word) > 4 and differ_in_one(each, word)]
        having: dict[str, float] = {}
        for each in near:
            having |= {name: max(weight, having.get(name, 0)) for name, weight in self.weights[each].items()}
        return having


def _marked(name: str, text: str) -> Counter[str]:
    """Return how often the words of a page count that are not in its text alone."""
    title, *headings = HEADING.findall(FENCE.sub("", text)) or [""]
    keywords = " ".join(_KEYWORDS.findall(text))
    counts: Counter[str] = Counter()
    for part, times in ((title, IN_TITLE), (" ".join(headings), IN_HEADINGS), (name, IN_NAME), (keywords, IN_KEYWORDS)):
        for word, count in Counter(words(part)).items():
            counts[word] += times * min(count, 2)
    return counts


def words(text: str) -> Iterator[str]:
    """Yield the words of a text without their endings, without common words, and names like `url_for` also whole."""
    for found in _WORD.findall(text.lower()):
        parts = found.split("_")
        if len(parts) > 1:
            yield "".join(parts)
        yield from (_stem(part) for part in parts if part not in _COMMON)


def _stem(word: str) -> str:
    """Return a word without its English ending, so that "logging" finds "logs"."""
    ending = next((each for each in _ENDINGS if word.endswith(each) and len(word) - len(each) >= 3), "")
    stem = word.removesuffix(ending)
    is_doubled = ending in {"ing", "ings", "ed"} and len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls"
    return stem[:-1] if is_doubled else stem


def differ_in_one(one: str, other: str) -> bool:
    """Tell whether words differ in one letter that is missing or wrong, or in two that are swapped."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])
