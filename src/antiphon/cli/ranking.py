"""Ranking of pages by the words of a question, for `antiphon docs WORDS` and the search of the site.

A page's weight for a word is that of Okapi BM25, in which words of titles, names, keywords and headings count several
times. A word is rare if few pages have most of its weight, even if many mention it. Each section about an error is a
page of its own. SQLite's FTS5 missed 53 of 517 questions; of the 529 in the tests, this misses 7. The site's search
adds up the same weights in a browser, by the same rules (`scripts/docs_search.js`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import log
from typing import NamedTuple

COMMON = (
    "a about actually again all also always am an and another any anyone anything are as at available be been best "
    "between but by can cannot change correct correctly could currently d did didn different do does doesn doing don "
    "during each easily easy even ever every everything existing find fix for from get gets getting got had happen "
    "happens has have having help how i if implement in inside instead into is isn issue it its just know let like ll "
    "look m make makes manage many me more most multiple my need needs never nothing now of on one only or other our "
    "out over own part particular per please possible problem proper properly put question re really right s same "
    "should simple simply so solve some someone something sometimes specific still such t take takes than that the "
    "their them then there these they this those to too tried try trying use used using ve very via want was way we "
    "were what when where which while who why will with within without won work working works would yet you your"
)
ENDINGS = "ments ment ators ator ations ation ates ated ating ate ions ion ings ing ers er ors or ies ed es s y e"
PHRASES = {
    "(log|sign)(ged|ging|ed|ing)?[ -](in|on)(to)?": "login",
    "(log|sign)(ged|ging|ed|ing)?[ -](out|off)": "logout",
    "e-mail(s|ed|ing)?": "email",
    "query[ -]string": "query parameter",
    "real[ -]time": "realtime",
    "time[ -]zones?": "timezone",
    "web[ -]sockets?": "websocket",
}
"""Words that belong together, in pages and in questions."""
SYNONYMS = (
    "args:parameter auth:authentication config:settings configuration:settings controller:handler db:database "
    "ddos:dos dir:folder directory:folder endpoint:handler endpoints:handler env:environment "
    "exception:error jpeg:image js:javascript jpg:image k8s:kubernetes mail:email msg:message params:parameter "
    "png:image prod:production pwd:password serialization:json uri:url view:handler views:handler"
)
"""Words of questions, and those of the pages for them."""
IN_TITLE, IN_HEADINGS, IN_NAME, IN_KEYWORDS = 12, 2, 6, 16
"""How many times a word in one of these parts of a page counts."""
SATURATION, BY_LENGTH = 40, 0.2
"""BM25's k1, which is high because the parts are counted together, and b."""
ENOUGH = 0.38
"""There is a page about a question if one of the first three has this share of its words, weighed by their rarity."""

HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_COMMON, _ENDINGS = frozenset(COMMON.split()), ENDINGS.split()
_KEYWORDS = re.compile(r"^<!-- keywords: (.*?)\s+-->$", re.MULTILINE | re.DOTALL)
_PHRASES = [(re.compile(rf"\b{words}\b"), word) for words, word in PHRASES.items()]
_SYNONYMS = dict(re.findall(r"(\S+):(\S+)", SYNONYMS))
_MENTIONS_MUCH = "reference/(dialects/|embedding/|names)|maintainers/|project/"
_FACTORS = [(re.compile("how-to/"), 1.1), (re.compile(_MENTIONS_MUCH), 0.72)]
"""The pages that are preferred, and those that mention nearly everything or are for contributors."""
_IN_PARTS = "reference/errors"
"""The page each of whose sections is ranked by itself."""


class Ranked(NamedTuple):
    """The names of pages with a word of a question, the best first, and whether there is a page about it.

    A section that is ranked by itself has the name of its page and its heading: "reference/errors#forgotten-return".
    """

    names: list[str]
    is_answered: bool


class Ranking:
    """The weights of words, by word and the page's name."""

    def __init__(self, whole: Mapping[str, str]) -> None:
        pages = dict(_parted(whole))
        self.names = [*pages]
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
        for word in dict.fromkeys(words_of(question)):
            having = self._having(word)
            count = sum(having.values()) / max(having.values(), default=1)
            rarity = log(1 + (len(self.names) - count + 0.5) / (count + 0.5))
            shares[""] += rarity
            for name, weight in having.items():
                scores[name] += rarity * weight
                shares[name] += rarity
        found = sorted(scores, key=lambda name: (-scores[name], name))
        best = {name.partition("#")[0]: name for name in reversed(found)}
        names = [name for name in found if best[name.partition("#")[0]] == name]
        share = max((shares[name] for name in names[:3]), default=0)
        return Ranked(names, 0 < share >= ENOUGH * shares[""])

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


def _parted(pages: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield pages by their names, and the sections of the page that is ranked in parts."""
    for name, text in pages.items():
        if name == _IN_PARTS:
            intro, *sections = re.split(r"^### ", text, flags=re.MULTILINE)
            yield name, intro
            yield from ((f"{name}#{section.partition(chr(10))[0]}", f"# {section}") for section in sections)
        else:
            yield name, text


def _marked(name: str, text: str) -> Counter[str]:
    """Return how often the words of a page count that are not in its text alone."""
    title, *headings = HEADING.findall(FENCE.sub("", text)) or [""]
    keywords = " ".join(_KEYWORDS.findall(text))
    counts: Counter[str] = Counter()
    for part, times in ((title, IN_TITLE), (" ".join(headings), IN_HEADINGS), (name, IN_NAME), (keywords, IN_KEYWORDS)):
        for word, count in Counter(words(part)).items():
            counts[word] += times * min(count, 2)
    return counts


def words_of(question: str) -> Iterator[str]:
    """Yield the words of a question as pages have them."""
    return words(_WORD.sub(lambda found: _SYNONYMS.get(found[0], found[0]), question.lower()))


def words(text: str) -> Iterator[str]:
    """Yield the words of a text without their endings, without common words, and names like `url_for` also whole."""
    text = text.lower()
    for phrase, word in _PHRASES:
        text = phrase.sub(word, text)
    for found in _WORD.findall(text):
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
