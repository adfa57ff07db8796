"""`antiphon docs` and `antiphon explain`: the documentation of this version, and explanations of errors."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from os.path import normpath
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

from antiphon.cli.errors import BadCommand, Refused
from antiphon.cli.ranking import FENCE, HEADING, Ranking, words, words_of

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
_FOR_MAINTAINERS = re.compile(r"\[([^\]]+)\]\([^)]*\bmaintainers/[^)]+\)")
_of_classes = re.compile(r"# .+\n\n(?:<!-- .+ -->\n\n)?See also \[")
"""Match a page that is made from classes: it begins with the guides about them."""
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
    found = {
        name: path.read_text("utf-8") for name, path in names.items() if not name.startswith(("maintainers/", "index"))
    }
    if CONTENTS not in found:
        raise Refused("This installation has no documentation: its wheel was built without the folder docs.")
    return found | {ERRORS: as_page()}


def page(name: str) -> tuple[str, list[str], list[str]] | None:
    """Return the page with the given name or last part of a name, the names of other pages with that part, and the
    linked files; None for an unknown name.

    These are the files of the source to which the page links.
    """
    known = pages()
    wanted = name.strip("/").removesuffix(".md").removeprefix("docs/")
    places = [wanted, *(f"{folder}/{wanted}".lstrip("/") for folder in FOLDERS)]
    places += sorted(each for each in known if each.endswith(f"/{wanted}"))
    found = [*dict.fromkeys(each for each in places if each in known)]
    # A word such as "caching" is a question, which guides answer first; "reference/http/caching" is a name.
    if not found or (found[0] != wanted and _of_classes.match(known[found[0]])):
        return None
    return without_marks(known[found[0]]), found[1:], _files_of_source(found[0], known[found[0]])


def without_marks(text: str) -> str:
    """Return a page without what only the site reads, and without links to pages that only maintainers read."""
    return _FOR_MAINTAINERS.sub(r"\1", _FOR_THE_SITE.sub(lambda found: found[1] or "", text))


def _files_of_source(name: str, text: str) -> list[str]:
    """Return the files and folders outside of the documentation to which a page links, each once."""
    folder = f"docs/{name}".rpartition("/")[0]
    linked = dict.fromkeys(normpath(f"{folder}/{link}") for link in _LINK.findall(text))
    return [each for each in linked if not each.startswith("docs/")]


def contents() -> Iterator[str]:
    """Yield the lines of a list of all pages, with their names and subjects."""
    for section in pages()[CONTENTS].split("\n## "):
        for group in section.split("\n### "):
            found = [each for each in _ENTRY.findall(group) if each[1] in pages()]
            entries = [(name, " ".join((told.strip() or title).split())) for title, name, told in found]
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


def _lines(known: Iterable["Explanation"]) -> Iterator[str]:
    width = max((len(each.kind) for each in known), default=0)
    section = ""
    for each in known:
        if each.section != section:
            section = each.section
            yield f"\n{section}\n"
        yield f"  {each.kind:{width}}  {each.summary}"


GROUP = "antiphon.explanations"
"""The entry-point group of packages that explain their own errors: ``flags = "antiphon_flags"``."""

_section = re.compile(r"^# (.+)$", re.MULTILINE).split
_entry = re.compile(r"^## (.+)$", re.MULTILINE).split
_code = re.compile(r"^```(py|python)\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_definition = re.compile(r"@|(?:async )?def |class ").match
_import = re.compile(r"from |import ").match
LABELS = {"py": "This raises it:", "python": "Write instead:"}
"""The line above each kind of code block in errors.md: a `py` block raises the error, a `python` block runs."""


_PAGE = """\
# Errors and what to do

If Antiphon raises an error because of a mistake in your program, the error has a note. Tracebacks, the log and the
[debug page](../how-to/debug.md) show it below the message:

```text
ValueError: there is no folder '/shop/static'
To read more: antiphon explain missing-folder
```

The last word is the kind of the error. `antiphon explain missing-folder` prints its section of this page, and
`antiphon explain` lists all kinds. [Errors: types, headers and handlers](problems.md) describes those that clients
receive.
"""


class Explanation(NamedTuple):
    """The explanation of a kind of error."""

    kind: str
    """Its id."""
    section: str
    source: str
    """In Markdown, with blocks of code as errors.md has them."""
    beginning: str = ""
    """Imports and assignments, of which each example begins with those that it needs."""

    @property
    def text(self) -> str:
        """In Markdown, with blocks of code that are complete."""
        return _code.sub(lambda found: f"```{found[1]}\n{_complete(found[2], self.beginning)}```\n", self.source)

    @property
    def summary(self) -> str:
        """The first sentence."""
        return " ".join(self.source.split("\n\n")[0].split()).partition(". ")[0].rstrip(".") + "."

    @property
    def raising(self) -> list[str]:
        """The examples that raise the error."""
        return [found[2] for found in _code.finditer(self.text) if found[1] == "py"]

    @property
    def as_markdown(self) -> str:
        """The text, with a line that introduces each example."""
        return _code.sub(lambda found: f"{LABELS[found[1]]}\n\n{found[0]}", self.text)

    @property
    def as_plain_text(self) -> str:
        """The text for a terminal, with the code indented."""
        return _code.sub(lambda found: f"{LABELS[found[1]]}\n\n{indent(found[2], '    ')}", self.text)


def _complete(code: str, beginning: str) -> str:
    """Return an example after the statements of a beginning, in paragraphs, that bind what it uses and doesn't bind."""
    try:
        missing = _unbound(ast.parse(code))
    except SyntaxError:  # some examples show one
        return code
    paragraphs: list[str] = []
    for paragraph in reversed(beginning.split("\n\n")):
        kept: list[str] = []
        for statement in reversed(ast.parse(paragraph).body):
            if names := [name for name in _bound(statement) if name in missing]:
                kept.insert(0, _with_names(statement, names) or ast.get_source_segment(paragraph, statement) or "")
                missing |= _unbound(statement)
        if kept:
            paragraphs.insert(0, "\n".join(kept))
    if not paragraphs:
        return code
    gap = "\n\n\n" if _definition(code) else "\n\n" if _import(paragraphs[-1]) else "\n"
    return "\n\n".join(paragraphs) + gap + code


def _with_names(statement: ast.stmt, names: list[str]) -> str | None:
    if isinstance(statement, ast.ImportFrom):
        return f"from {statement.module} import {', '.join(names)}"
    return None


def _unbound(node: ast.AST) -> set[str]:
    nodes = [*ast.walk(node)]
    loaded = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    return loaded - {name for each in nodes for name in _bound(each)}


def _bound(node: ast.AST) -> list[str]:
    match node:
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name for alias in node.names]
        case ast.Assign(targets=[ast.Name(name)]) | ast.FunctionDef(name) | ast.ClassDef(name) | ast.arg(name):
            return [name]
        case ast.Name(name, ast.Store()):
            return [name]
    return []


class UnreadableError(Exception):
    """A package whose explanations can't be read. The message names the package."""


def explanations() -> dict[str, Explanation]:
    """Return all explanations by their ids, in the order of errors.md."""
    return _parse(Path(__file__).parents[1].joinpath("explanations", "errors.md").read_text(encoding="utf-8"))


def as_page() -> str:
    """Return the page of all kinds of errors, as Markdown."""
    sections: dict[str, list[Explanation]] = {}
    for each in explanations().values():
        sections.setdefault(each.section, []).append(each)
    parts = [_PAGE, *(_contents(title, kinds) for title, kinds in sections.items())]
    for title, kinds in sections.items():
        parts += [f"## {title}\n", *(f"### {each.kind}\n\n{each.as_markdown}" for each in kinds)]
    return "\n".join(parts)


def _contents(title: str, kinds: list[Explanation]) -> str:
    links = "\n".join(f"- [{each.kind}](#{each.kind}): {each.summary}" for each in kinds)
    return f"**{title}**\n\n{links}\n"


def packages() -> list[str]:
    """Return the sorted entry-point names of all packages that explain their own errors."""
    from importlib.metadata import entry_points

    return sorted({entry.name for entry in entry_points(group=GROUP)})


def explanations_of(name: str) -> dict[str, Explanation]:
    """Return the explanations of a package by their ids, which begin with the name of its entry point and a dot.

    The dict is empty if no package has such an entry point. The package is not imported. Raises UnreadableError.
    """
    from importlib.metadata import entry_points

    entries = entry_points(group=GROUP, name=name)
    if len(modules := sorted({entry.module for entry in entries})) > 1:
        raise UnreadableError(f"The packages {' and '.join(modules)} each explain errors named {name!r}: use only one")
    return _parse(_read(modules[0]), f"{name}.") if modules else {}


def _read(package: str) -> str:
    from importlib.util import find_spec

    try:
        spec = find_spec(package)
        if not spec or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"there is no package {package!r}")
        return Path(next(iter(spec.submodule_search_locations)), "errors.md").read_text(encoding="utf-8")
    except (ImportError, OSError, ValueError) as error:
        raise UnreadableError(f"The explanations of {package} can't be read: {error}") from error


def _parse(source: str, prefix: str = "") -> dict[str, Explanation]:
    before, *sections = _section(source)
    beginning = "\n".join(found[2] for found in _code.finditer(before)).strip()
    return {
        prefix + kind: Explanation(prefix + kind, title, text.strip() + "\n", beginning)
        for title, part in zip(sections[::2], sections[1::2], strict=True)
        for kind, text in _pairs(part)
    }


def _pairs(part: str) -> list[tuple[str, str]]:
    _, *found = _entry(part)
    return [*zip(found[::2], found[1::2], strict=True)]
