"""The page of names: each public name, with the first sentence of its docstring and a link to where it is described."""

import importlib
from collections.abc import Callable, Iterator

from antiphon import http
from antiphon.http import HTTPError
from scripts import docstrings
from scripts.reference_pages import INTRODUCTIONS, TOPICS

MANY = 6
"""Names of a place from which on they stand below the titles of their pages."""

TYPES = "antiphon.types"
"""The place whose names the page describes itself."""

INTRODUCTION = """# Names

<!-- Written by `python -m scripts.reference` from the docstrings of all public names. -->

Each name links to its attributes and methods, the errors that it raises, and the RFC that defines it. [Types of
parameters and results](#antiphontypes) come last.

Everything you import comes from one of {count} modules. Names that are not listed here are internal, and may move.
[Versions and support](../explanation/versions.md) describes which of them are stable."""

ERRORS_INTRODUCTION = """## Errors

Each of these statuses has a class; for any other from 400 to 599, use `HTTPError(status, detail)`.
`except HTTPError` catches all of them."""

Target = Callable[[str, str], str | None]
"""A function from a place and a name to the page and the heading where it is described."""


def names_page(places: tuple[str, ...], target: Target, results: list[str], types: list[str]) -> str:
    """Return the text of the page, with a section for each place, and what results and types are in the last ones."""
    parts = [INTRODUCTION.format(count=len(places) + 1)]
    for place in places:
        if place != TYPES:
            parts += [f"## {place}", INTRODUCTIONS[place], *_sections(place, target)]
    parts += ["## antiphon.dialects", INTRODUCTIONS["antiphon.dialects"], *_errors()]
    parts += ["## Results", INTRODUCTIONS[""], *results, f"## {TYPES}", INTRODUCTIONS[TYPES], *types]
    return "\n\n".join(parts) + "\n"


def _sections(place: str, target: Target) -> Iterator[str]:
    """Yield tables of the names of a place: first those with a page of their own, then by the pages on the others."""
    names = importlib.import_module(place).__all__
    rows: dict[str, list[str]] = {page: [] for page in ("", *TOPICS)}
    for name in sorted(names, key=str.lower):
        leads = target(place, name) or ""
        page = leads.partition("#")[0]
        rows[page if page in TOPICS else ""].append(_row(place, name, leads))
    for page, here in rows.items():
        if here and page and len(names) >= MANY:
            yield f"### {TOPICS[page].title}"
        if here:
            yield "\n".join(["| name | what it is |", "|---|---|", *here])


def _row(place: str, name: str, leads: str) -> str:
    shown = f"[`{name}`]({leads})" if leads else f"`{name}`"
    provisional = " Provisional." if is_provisional(getattr(importlib.import_module(place), name)) else ""
    said = sentence(place, name).replace("|", r"\|")
    return f"| {shown} | {said}{provisional} |"


def is_provisional(value: object) -> bool:
    """Return True if a docstring says that a minor version may change or remove its name without a deprecation."""
    return "Provisional." in (value.__doc__ or "")


def sentence(place: str, name: str) -> str:
    """Return the first sentence of a public name's docstring, or the code of a type that has none."""
    value = getattr(importlib.import_module(place), name)
    value = getattr(value, "__wrapped__", value)  # of a cached function
    if isinstance(value, type):
        doc = docstrings.class_doc(value)
    elif hasattr(value, "__code__"):
        doc = docstrings.markdown(value.__doc__)
    else:
        shown, doc = docstrings.assigned(place, name)
        if not doc:
            return f"`{' '.join(shown.partition(' = ')[2].split())}`."
    return first_sentence(doc)


def first_sentence(doc: str) -> str:
    """Return the first sentence of a docstring, on one line."""
    return " ".join(doc.partition("\n\n")[0].split()).partition(". ")[0].removesuffix(".") + "."


def _errors() -> list[str]:
    named = ((status, cls.__name__) for status, cls in sorted(HTTPError.by_status.items()))
    rows = [f"| {status} | `{name}` |" for status, name in named if name in http.__all__]
    return [ERRORS_INTRODUCTION, "\n".join(["| status | class |", "|---|---|", *rows])]
