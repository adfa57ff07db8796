"""The explanations of errors, read from errors.md here and in other packages."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

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
`antiphon explain` lists all kinds. [Types of problem details](problems.md) describes the errors that clients receive.
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
        return _code.sub(lambda found: f"{LABELS[found[1]]}\n\n{_indented(found[2])}", self.text)


def _indented(code: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in code.splitlines())


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
    return _parse(Path(__file__).with_name("errors.md").read_text(encoding="utf-8"))


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

    found: dict[str, Explanation] = {}
    for entry in entry_points(group=GROUP, name=name):
        found |= _parse(_read(entry.module), f"{name}.")
    return found


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
