"""`antiphon docs` and `antiphon explain`: the documentation of this version, and explanations of errors."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from math import log
from os.path import normpath
from pathlib import Path
from typing import NamedTuple

from antiphon.cli.errors import BadCommand, Refused
from antiphon.explanations.texts import Explanation, UnreadableError, as_page, explanations, explanations_of, packages

ARCHIVE = Path(__file__).with_name("docs.xz")
"""All pages in one file, which `setup.py` adds to a wheel."""
SOURCE = Path(__file__).parents[3] / "docs"
"""The pages in a source checkout, which has no archive."""
FOLDERS = ("how-to", "tutorial", "explanation", "reference", "")
"""The order in which pages with the same name are preferred."""
ERRORS = "reference/errors"
"""The name of the page of errors, which is made from the explanations of this version."""
CONTENTS = "README"

_WORD = re.compile(r"[a-z0-9]+")
_HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
_KEYWORDS = re.compile(r"^<!-- keywords: (.*?)\s+-->$", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^(?:-|\d\.) \[([^\]]+)\]\(([^)#:]+)\.md\):? *((?:.|\n(?!\n|- |\d\. ))*)", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((\.\.?/[^)#\s]+)")
_COMMON = frozenset(
    "a an and are as at be by can do does for from how i if in into is it its my of on or that the this to use using "  # noqa: SIM905
    "what when where which with you your".split()
)


class Hit(NamedTuple):
    """A page found by a search."""

    name: str
    title: str
    section: str
    """The heading of the section that contains most of the words."""


@cache
def pages() -> Mapping[str, str]:
    """Return the text of each page by its name, such as "how-to/websockets". Raises `Refused` if there are none."""
    try:
        if ARCHIVE.exists():
            import lzma

            packed = lzma.decompress(ARCHIVE.read_bytes()).decode()
            parted = (page.partition("\n") for page in packed.split("\0"))
            return {name: text for name, _, text in parted} | {ERRORS: as_page()}
    except Exception as error:  # lzma has its own error class, and some Pythons lack lzma
        raise Refused(f"The pages in {ARCHIVE} can't be read: {error}.") from error
    names = {str(path.relative_to(SOURCE).with_suffix("")): path for path in SOURCE.rglob("*.md")}
    found = {name: path.read_text("utf-8") for name, path in names.items() if not name.startswith("maintainers/")}
    if CONTENTS not in found:
        raise Refused("This installation has no documentation: its wheel was built without the folder docs.")
    return found | {ERRORS: as_page()}


def page(name: str) -> tuple[str, list[str], list[str]]:
    """Return the page with the given name or last part of a name, the names of other pages with that part, and the
    linked files.

    These are the files of the source to which the page links. Raises `BadCommand`, with similar names, for an unknown
    name.
    """
    known = pages()
    wanted = name.strip("/").removesuffix(".md").removeprefix("docs/")
    places = [wanted, *(f"{folder}/{wanted}".lstrip("/") for folder in FOLDERS)]
    places += sorted(each for each in known if each.endswith(f"/{wanted}"))
    found = [*dict.fromkeys(each for each in places if each in known)]
    if not found:
        near = get_close_matches(wanted, {each.rpartition("/")[2] for each in known}, 3, 0.6)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise BadCommand(f'There is no page {name!r}. {meant}`antiphon docs --search "{name}"` searches all pages.')
    return known[found[0]], found[1:], _files_of_source(found[0], known[found[0]])


def _files_of_source(name: str, text: str) -> list[str]:
    """Return the files and folders outside of the documentation to which a page links, each once."""
    folder = f"docs/{name}".rpartition("/")[0]
    linked = dict.fromkeys(normpath(f"{folder}/{link}") for link in _LINK.findall(text))
    return [each for each in linked if not each.startswith("docs/")]


def contents() -> Iterator[str]:
    """Yield the lines of a list of all pages, with their names and subjects."""
    for section in pages()[CONTENTS].split("\n## "):
        for group in section.split("\n### "):
            entries = [(name, " ".join((told.strip() or title).split())) for title, name, told in _ENTRY.findall(group)]
            if entries:
                title = group.partition("\n")[0].lstrip("# ")
                yield f"\n{title}\n"
                width = max(len(name) for name, _ in entries)
                yield from (f"  {name:{width}}  {told}" for name, told in entries)


def search(question: str, most: int = 8) -> list[Hit]:
    """Return the pages that match a question, the best first (Okapi BM25, with more weight on titles and keywords)."""
    index, wanted = _index(), dict.fromkeys(_words(question))
    average = sum(sum(counts.values()) for counts in index.values()) / len(index)
    scores: dict[str, float] = {}
    for word in wanted:
        having = {name: counts[word] for name, counts in index.items() if word in counts}
        weight = log(1 + (len(index) - len(having) + 0.5) / (len(having) + 0.5))
        for name, count in having.items():
            length = 0.4 + 0.6 * sum(index[name].values()) / average
            scores[name] = scores.get(name, 0) + weight * count * 2.5 / (count + 1.5 * length)
    best = sorted(scores, key=lambda name: (-scores[name] * (1.03 if name.startswith("how-to/") else 1), name))
    return [_hit(name, set(wanted)) for name in best[:most]]


def _hit(name: str, wanted: set[str]) -> Hit:
    text = pages()[name]
    title, *sections = _HEADING.split(_FENCE.sub("", text))[1:]
    words = {
        heading: len(wanted & {*_words(f"{heading} {body}")})
        for heading, body in zip(sections[1::2], sections[2::2], strict=True)
    }
    best = max(words, key=words.__getitem__, default="")
    return Hit(name, title, best if words.get(best) else "")


@cache
def _index() -> Mapping[str, Counter[str]]:
    """Return each page's weight for each word. Words in titles, keywords and headings weigh more."""
    index: dict[str, Counter[str]] = {}
    for name, text in pages().items():
        if name in (CONTENTS, "index"):
            continue
        counts = Counter(_words(text))
        headings = _HEADING.findall(_FENCE.sub("", text))
        parts = (
            (" ".join(headings[:1]), 12),
            (" ".join(headings[1:]), 3),
            (name, 6),
            (" ".join(_KEYWORDS.findall(text)), 15),
        )
        for words, weight in parts:
            for word in _words(words):
                counts[word] += weight
        index[name] = counts
    return index


def _words(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _COMMON]


def _stem(word: str) -> str:
    """Return a word without its English ending, so a search for "uploads" finds "uploading"."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def explanation_of(kind: str) -> str:
    """Return the explanation of a kind of error.

    Raises `BadCommand` for an unknown kind, with similar kinds, or for a package whose explanations can't be read.
    """
    package, dot, _ = kind.partition(".")
    try:
        known = explanations_of(package) if dot else explanations()
    except UnreadableError as error:
        raise BadCommand(f"{error}.") from None
    if kind not in known:
        near = get_close_matches(kind, known or explanations(), 3, 0.4)
        meant = f"Did you mean {' or '.join(near)}?" if near else "Without an id, the command lists all errors."
        raise BadCommand(f"There is no error {kind!r}. {meant}")
    return f"{kind}\n\n{known[kind].as_plain_text.rstrip()}"


def listed() -> Iterator[str]:
    """Yield the lines of a list of all kinds of errors by section: Antiphon's, then those of other packages."""
    yield from _lines(explanations().values())
    for package in packages():
        try:
            yield from _lines(explanations_of(package).values())
        except UnreadableError as error:
            yield f"\n{error}."


def _lines(known: Iterable[Explanation]) -> Iterator[str]:
    width = max((len(each.kind) for each in known), default=0)
    section = ""
    for each in known:
        if each.section != section:
            section = each.section
            yield f"\n{section}\n"
        yield f"  {each.kind:{width}}  {each.summary}"
