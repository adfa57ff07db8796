"""`antiphon docs` and `antiphon explain`: the documentation of this version, and explanations of errors."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from os.path import normpath
from pathlib import Path
from typing import NamedTuple

from antiphon.cli.errors import BadCommand, Refused
from antiphon.cli.ranking import FENCE, HEADING, Ranking, words, words_of
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

_ENTRY = re.compile(r"^(?:-|\d\.) \[([^\]]+)\]\(([^)#:]+)\.md\):? *((?:.|\n(?!\n|- |\d\. ))*)", re.MULTILINE)
_FOR_THE_SITE = re.compile(
    r"(^```.*?^```$)|\A---\n.*?^---\n+|^(?:<!--.*?-->|</?div\b[^>]*>)\n+|\s?\{:? ?[.#][^}\n]*\}$",
    re.MULTILINE | re.DOTALL,
)
"""A program, which stays, or what only the site reads: front matter, comments, blocks and attributes of HTML."""
_LINK = re.compile(r"\]\((\.\.?/[^)#\s]+)")


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
    return _for_a_terminal(known[found[0]]), found[1:], _files_of_source(found[0], known[found[0]])


def _for_a_terminal(text: str) -> str:
    """Return a page without what only the site reads."""
    return _FOR_THE_SITE.sub(lambda found: found[1] or "", text)


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


def search(question: str, most: int = 8) -> tuple[list[Hit], bool]:
    """Return the pages that have words of a question, the best first, and whether the first is about it."""
    found = ranking().ranked(question)
    wanted = {*words_of(question)}
    return [_hit(name, wanted) for name in found.names[:most]], found.is_answered


def _hit(name: str, wanted: set[str]) -> Hit:
    name, is_section, section = name.partition("#")
    title, *sections = HEADING.split(FENCE.sub("", pages()[name]))[1:]
    shared = {
        heading: len(wanted & {*words(f"{heading} {body}")})
        for heading, body in zip(sections[1::2], sections[2::2], strict=True)
    }
    best = section if is_section else max(shared, key=shared.__getitem__, default="")
    return Hit(name, title, best if shared.get(best) else "")


@cache
def ranking() -> Ranking:
    """Return the ranking of all pages."""
    return Ranking({name: text for name, text in pages().items() if name not in {CONTENTS, "index"}})


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
