"""`python -m scripts.reference`: write the pages of docs/reference of classes, from their docstrings, and of errors.

The comments that divide a class (`# The body`) are the headings of its page. What is meant for other parts of the
project, and for those who extend it, says so in its docstring and comes last.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from antiphon import App, Request, Response
from antiphon.app.route import RouteOptions
from antiphon.app.static_files import StaticFolder
from antiphon.explanations.texts import Explanation, explanations
from antiphon.lazy import attribute_docs
from antiphon.words import OtherWord

FOLDER = Path(__file__).parent.parent / "docs/reference"
EXTENDING = "For adapters and dialects"
HEADERS = "Header fields"
PAGES = {
    "app.md": (App, "See also [routing](routing.md), [return values](return-values.md) and [limits](limits.md)."),
    "request.md": (Request, "See also [bodies](bodies.md), [headers](headers.md) and [typed values](typed-values.md)."),
    "response.md": (Response, "See also [return values](return-values.md) and [headers](headers.md)."),
}
EXPLAINED = {"RouteOptions": RouteOptions, "StaticFolder": StaticFolder}
"""Classes that a docstring sends its reader to."""


class Member(NamedTuple):
    """A public attribute or method of a class."""

    name: str
    section: str
    shown: str
    """Its name with its parameters and its type."""
    doc: str


def page(cls: type, see_also: str) -> str:
    """Return the page of a class, as Markdown."""
    members = [*_members(cls)]
    sections = dict.fromkeys(member.section for member in members)
    ordered = sorted(sections, key=lambda section: (section == EXTENDING, section == HEADERS))
    parts = [
        f"# {cls.__name__}",
        f"<!-- Written by `python -m scripts.reference` from the docstrings of `antiphon.{cls.__name__}`. -->",
        f"`from antiphon import {cls.__name__}`",
        f"```text\n{_signature(cls.__name__, _functions(cls)['__init__'], has_type=False)}\n```",
        _markdown(cls.__doc__),
        see_also,
    ]
    for section in ordered:
        parts += [f"## {section}"] if section else []
        inside = [member for member in members if member.section == section]
        parts += [_table(inside)] if section == HEADERS else [_entry(member) for member in inside]
    return "\n\n".join(parts) + "\n"


def _members(cls: type) -> Iterator[Member]:
    seen: set[str] = set()
    for owner in cls.__mro__[:-1]:
        if owner.__module__.startswith("antiphon."):
            for name in sorted(_documented(owner) - seen, key=_line_of(owner)):
                seen.add(name)
                yield _member(cls, owner, name)


def _documented(owner: type) -> set[str]:
    public = [name for name in vars(owner) if name[0] != "_" or name == "__"]
    own = {name for name in public if not isinstance(vars(owner)[name], OtherWord)}
    return {name for name in own if _doc(owner, name)}


def _doc(owner: type, name: str) -> str:
    value = vars(owner)[name]
    if name in attribute_docs(owner):
        return attribute_docs(owner)[name]
    slots = vars(owner).get("__slots__", ())
    if isinstance(slots, dict) and name in slots:
        return slots[name]
    return (inspect.getdoc(value) or "") if hasattr(value, "__get__") else ""  # other values have that of their class


def _member(cls: type, owner: type, name: str) -> Member:
    doc = _doc(owner, name)
    node = _functions(owner).get(name)
    if EXTENDING in doc:
        section = EXTENDING
    else:
        section = HEADERS if owner.__name__.endswith("Headers") and node is None else _section(owner, name)
    explained = [inspect.getdoc(cls) or "" for name, cls in EXPLAINED.items() if f"see ``{name}``" in doc]
    doc = _markdown("\n\n".join([doc.replace(f"{EXTENDING}.", ""), *explained]))
    if node is None:
        return Member(name, section, f"{name}: {_type_of_attribute(cls, name)}".removesuffix(": "), doc)
    decorators = {ast.unparse(each) for each in node.decorator_list}
    if decorators & {"property", "lazy"}:
        return Member(name, section, f"{name}: {_code(_type(node))}", doc)
    start = f"{cls.__name__}." if "classmethod" in decorators else ""
    return Member(name, section, start + _signature(name, node), doc)


# The source code of a class


@cache
def _source(owner: type) -> tuple[list[str], ast.ClassDef]:
    """Return the lines of a class, and its tree with types that stand in quotes as they are."""
    text = inspect.getsource(owner)
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.ClassDef)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if isinstance(quoted := getattr(node, field, None), ast.Constant) and isinstance(quoted.value, str):
                setattr(node, field, ast.parse(quoted.value, mode="eval").body)
    return text.splitlines(), tree


@cache
def _functions(owner: type) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the functions of a class. Of a property that may be set it is the one that reads."""
    functions = [each for each in _source(owner)[1].body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {each.name: each for each in functions if not any("setter" in ast.unparse(d) for d in each.decorator_list)}


class Declaration(NamedTuple):
    """The line of an attribute, and its type."""

    line: int
    type: str


@cache
def _annotations(owner: type) -> dict[str, Declaration]:
    """Return the attributes that are declared in the body of a class, or in its ``__init__`` with their types."""
    found: dict[str, Declaration] = {}
    for node in ast.walk(_source(owner)[1]):
        if isinstance(node, ast.AnnAssign):
            found.setdefault(ast.unparse(node.target).removeprefix("self."), _declaration(node, node.annotation))
        elif isinstance(node, ast.Assign):
            found.setdefault(ast.unparse(node.targets[0]).removeprefix("self."), Declaration(node.lineno, ""))
    return found


def _type_of_attribute(cls: type, name: str) -> str:
    declared = [_annotations(owner).get(name) for owner in cls.__mro__[:-1] if owner.__module__.startswith("antiphon.")]
    return next((each.type for each in declared if each and each.type), "")


def _declaration(node: ast.AnnAssign, annotation: ast.expr) -> Declaration:
    return Declaration(node.lineno, _code(ast.unparse(annotation)))


def _line_of(owner: type) -> Callable[[str], tuple[int, str]]:
    lines = {name: declared.line for name, declared in _annotations(owner).items()}
    lines |= {name: node.lineno for name, node in _functions(owner).items()}
    return lambda name: (lines[name], name)


def _section(owner: type, name: str) -> str:
    """Return the comment that divides a class above one of its members."""
    line, _ = _line_of(owner)(name)
    divided = (re.fullmatch(r"    # (.+)", text) for text in reversed(_source(owner)[0][:line]))
    return next((found[1] for found in divided if found), "")


# Markdown


def _signature(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, has_type: bool = True) -> str:
    parameters = re.sub(r"^(self|cls)(, /)?(, )?", "", ast.unparse(node.args)).replace("=", " = ")
    result = f" -> {_type(node)}" if has_type and not _is_decorator(node) else ""
    waits = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    signature = _code(f"{waits}{name}({parameters}){result}")
    return "\n".join(textwrap.wrap(signature, 100, subsequent_indent="    ", break_long_words=False))


def _type(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return ast.unparse(node.returns) if node.returns else "Any"


def _code(text: str) -> str:
    return text.replace("'", '"')


def _is_decorator(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return True if a function returns a decorator: the function that it is given."""
    return bool(re.search(r"\[\[(\w)\], \1\]", _type(node)))


def _markdown(doc: str | None) -> str:
    text = inspect.cleandoc(doc or "").replace("``", "`").strip()
    return "\n".join(line.rstrip() for line in text.splitlines())


def _entry(member: Member) -> str:
    return f"### {member.name}\n\n```text\n{member.shown}\n```\n\n{member.doc}"


def _table(members: list[Member]) -> str:
    rows = [f"| `{member.name}` | {' '.join(member.doc.split())} |" for member in members]
    return "\n".join(["| attribute | header field and value |", "|---|---|", *rows])


# Errors

ERRORS = """\
# Errors and what to do

<!-- Written by `python -m scripts.reference` from src/antiphon/explanations/errors.md. -->

Errors of Antiphon that tell of a mistake in a program have a note, which tracebacks, the log and the page of
[the debug mode](../how-to/debug.md) show below the message:

```text
ValueError: there is no folder '/shop/static'
To read more: antiphon explain missing-folder
```

The last word is the kind of the error. `antiphon explain missing-folder` prints what this page says of it, and
`antiphon explain` lists all kinds. What clients are answered is on [another page](problems.md).
"""


def errors_page() -> str:
    """Return the page of all kinds of errors, as Markdown."""
    sections: dict[str, list[Explanation]] = {}
    for each in explanations().values():
        sections.setdefault(each.section, []).append(each)
    parts = [ERRORS, *(_contents(title, kinds) for title, kinds in sections.items())]
    for title, kinds in sections.items():
        parts += [f"## {title}\n", *(f"### {each.kind}\n\n{each.as_markdown}" for each in kinds)]
    return "\n".join(parts)


def _contents(title: str, kinds: list[Explanation]) -> str:
    links = "\n".join(f"- [{each.kind}](#{each.kind}): {each.summary}" for each in kinds)
    return f"**{title}**\n\n{links}\n"


def main() -> int:
    """Write the pages."""
    for name, (cls, see_also) in PAGES.items():
        (FOLDER / name).write_text(page(cls, see_also))
    (FOLDER / "errors.md").write_text(errors_page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
