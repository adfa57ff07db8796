"""`python -m scripts.reference`: write the pages of docs/reference that describe public names, from their docstrings.

Which names stand on which page is said in `reference_pages.py`.
"""

import gc
import importlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import antiphon
from antiphon.cli.docs import as_page
from antiphon.http.errors import HTTPError
from scripts import docstrings
from scripts.docstrings import EXTENDING, HEADERS, Member
from scripts.named_types import PLACES
from scripts.names_page import TYPES, first_sentence, names_page
from scripts.reference_pages import CLASSES, GIVEN, RESULTS, TOPICS, Page

FOLDER = Path(__file__).parent.parent / "docs/reference"
NAMES = "names.md"
ABSENT = frozenset({"granian", "hypothesis", "pytest"})
"""The packages that modules with public names import, and that may be absent where the pages are written."""
BY_STATUS = "One class for each status"
SHARED = "Shared with App"
GENERAL = "General"
OBJECTS = {"app": "App", "request": "Request", "response": "Response"}
"""Names that docstrings give to objects of classes that have pages of their own."""

_CODE_OR_NAME = re.compile(
    r"^```.*?^```$|^#.*?$|^<!--.*?$|\[[^\]]*\]\([^)]*\)|`((\w+)(?:\.(\w+))?(\([^`]*\))?)`|`[^`]*`",
    re.MULTILINE | re.DOTALL,
)


def pages() -> dict[str, str]:
    """Return the text of each page, by its place in the folder."""
    classes = {name: _class_page(name, getattr(antiphon, cls), see) for name, (cls, see) in CLASSES.items()}
    topics = {name: _topic_page(name, page) for name, page in TOPICS.items()}
    types = [_linked(_below(_described(TYPES, name)), NAMES, TYPES, [name]) for name in _type_names()]
    given = [_linked(_below(_described(RESULTS[name], name)), NAMES, TYPES, [name]) for name in sorted(RESULTS)]
    return classes | topics | {NAMES: names_page(PLACES, target, given, types), "errors.md": as_page()}


def _type_names() -> list[str]:
    return sorted(importlib.import_module(TYPES).__all__, key=str.lower)


def _below(entry: str) -> str:
    """Return an entry with its headings one level lower."""
    return re.sub("^##", "###", entry, flags=re.MULTILINE)


# A page on one class


def _class_page(page: str, cls: type, see_also: str) -> str:
    members = [*docstrings.members(cls)]
    shared = [] if cls is not antiphon.Blueprint else [each for each in members if each.name in _members_of("App")]
    members = [each for each in members if each not in shared]
    sections = dict.fromkeys(member.section for member in members)
    ordered = sorted(sections, key=lambda section: (section == EXTENDING, section == HEADERS))
    parts = [
        f"# {cls.__name__}",
        f"<!-- Written by `python -m scripts.reference` from the docstrings of `antiphon.{cls.__name__}`. -->",
        f"`from antiphon import {cls.__name__}`",
        f"```text\n{docstrings.constructor(cls)}\n```",
        docstrings.class_doc(cls, cls.__mro__),
        see_also,
    ]
    for section in ordered:
        parts += [f"## {section or GENERAL}"]
        inside = [member for member in members if member.section == section]
        parts += [_table(inside)] if section == HEADERS else [_entry(member.name, member) for member in inside]
    parts += [_shared({each.name for each in shared})] if shared else []
    return _linked("\n\n".join(parts), page, "antiphon", [cls.__name__]) + "\n"


def _table(members: list[Member]) -> str:
    rows = [f"| `{member.name}` | {' '.join(member.doc.split())} |" for member in members]
    return "\n".join(["| attribute | header field and value |", "|---|---|", *rows])


def _shared(names: set[str]) -> str:
    """Return a list of the members that a blueprint has as an app has them."""
    members = [each for each in docstrings.members(antiphon.App) if each.name in names and each.section != EXTENDING]
    lines = [f"- [`{each.name}`](app.md#{_anchor(each.name)}): {first_sentence(each.doc)}" for each in members]
    return "\n\n".join(
        [f"## {SHARED}", "A blueprint has these members of an app, for its own routes.", "\n".join(lines)]
    )


# A page on several names


def _topic_page(page: str, topic: Page) -> str:
    names = topic.names.split()
    plain = [name for name in names if _is_plain_error(getattr(importlib.import_module(topic.place), name))]
    start = [
        f"# {topic.title}",
        f"<!-- Written by `python -m scripts.reference` from docstrings of `{topic.place}`. -->",
        topic.see_also,
        f"Everything here is imported from `{topic.place}`.",
    ]
    parts = [_linked(_described(topic.place, name), page, topic.place, [name]) for name in names if name not in plain]
    if len(plain) > 1:
        parts.append(_linked(_by_status(topic.place, plain), page, topic.place, plain))
    return "\n\n".join([*start, *parts]) + "\n"


def _described(place: str, name: str) -> str:
    value = getattr(importlib.import_module(place), name)
    value = getattr(value, "__wrapped__", value)  # of a cached function
    if isinstance(value, type):
        return "\n\n".join([f"## {name}", *_class(value, is_given=name in RESULTS or f"{place}.{name}" in GIVEN)])
    if callable(value) and hasattr(value, "__code__"):
        return f"## {name}\n\n```text\n{docstrings.function_shown(value)}\n```\n\n{docstrings.markdown(value.__doc__)}"
    shown, doc = docstrings.assigned(place, name)
    return f"## {name}\n\n```text\n{shown}\n```\n\n{doc}".rstrip()


def _class(cls: type, is_given: bool) -> Iterator[str]:
    inherited = [base for base in cls.__mro__[1:] if base in _public_classes()]
    known = {(each.name, each.doc) for base in inherited for each in docstrings.members(base)}
    members = [each for each in docstrings.members(cls) if (each.name, each.doc) not in known]
    if not is_given:
        yield f"```text\n{docstrings.constructor(cls)}\n```"
    yield docstrings.class_doc(cls, _public_classes())
    if inherited:
        yield f"It also has the attributes and methods of `{inherited[0].__name__}`."
    attributes = [each for each in members if not each.is_method]
    if attributes:
        yield "\n".join(f"- `{each.shown}`: {' '.join(each.doc.split())}" for each in attributes)
    yield from (_entry(f"{cls.__name__}.{each.name}", each) for each in members if each.is_method)


def _is_plain_error(value: Any) -> bool:
    """Return True for the class of a status that adds nothing to HTTPError."""
    is_error = isinstance(value, type) and issubclass(value, HTTPError) and value.__bases__ == (HTTPError,)
    is_of_http = is_error and value.__module__ == HTTPError.__module__
    return is_of_http and not any(name == "__init__" or name[0] != "_" for name in vars(value).keys() - {"status"})


def _by_status(place: str, names: list[str]) -> str:
    classes = [getattr(importlib.import_module(place), name) for name in names]
    lines = [f"- {cls.status} `{cls.__name__}`{_said_of_status(cls)}" for cls in classes]
    intro = "Each is an `HTTPError` with this status, and accepts the same arguments except `status`."
    return "\n\n".join([f"## {BY_STATUS}", intro, "\n".join(lines)])


def _said_of_status(cls: type) -> str:
    said = " ".join(docstrings.class_doc(cls, _public_classes()).split())
    return re.sub(r"^\d+(:| (?=\())", r"\1", said)


# Links


@cache
def _places_of_names() -> dict[tuple[str, str], str]:
    """Return the page and the heading of each name, by the module and the name."""
    found = {("antiphon", cls): page for page, (cls, _) in CLASSES.items()}
    found |= {(TYPES, name): f"{NAMES}#{_anchor(name)}" for name in (*RESULTS, *_type_names())}
    for page, topic in TOPICS.items():
        for name in topic.names.split():
            is_plain = page == "http/errors.md" and _is_plain_error(getattr(importlib.import_module(topic.place), name))
            found[topic.place, name] = f"{page}#{_anchor(BY_STATUS if is_plain else name)}"
    return found


@cache
def _public_classes() -> frozenset[type]:
    found = [getattr(importlib.import_module(RESULTS.get(name, place)), name) for place, name in _places_of_names()]
    return frozenset(value for value in found if isinstance(value, type))


@cache
def _members_of(name: str) -> dict[str, str]:
    """Return the anchors of the members of a class that has a page of its own."""
    members = docstrings.members(getattr(antiphon, name))
    return {each.name: _anchor(HEADERS if each.section == HEADERS else each.name) for each in members}


def _value(place: str, name: str) -> object:
    """Return what a module calls by a name, or None; to ask it for a name that it lacks takes milliseconds."""
    return getattr(importlib.import_module(place), name) if name in _names(place) else None


@cache
def _names(place: str) -> frozenset[str]:
    return frozenset(dir(importlib.import_module(place)))


@cache
def target(place: str, name: str) -> str | None:
    """Return the page and the heading of a name, as one that is imported from a place would understand it."""
    known = _places_of_names()
    value = _value(place, name)
    same = [each for each in PLACES if _value(each, name) is value]
    candidates = [place, *(same if value is not None else PLACES)]
    return next((known[each, name] for each in candidates if (each, name) in known), None)


def _linked(text: str, page: str, place: str, own: list[str]) -> str:
    """Return the text of a page with links from names in backquotes, but those of its own, to what they name."""

    def link(found: re.Match[str]) -> str:
        whole, name, attribute, called = found.groups()
        if whole is None or name in own:
            return found[0]
        if name in OBJECTS and attribute in _members_of(OBJECTS[name]):
            leads = f"{name}.md#{_members_of(OBJECTS[name])[attribute]}"
        elif attribute or (name.islower() and "_" not in name and not called):
            return found[0]
        else:
            leads = target(place, name) or ""
        near = os.path.relpath(leads, Path(page).parent).removeprefix(Path(page).name) if leads else ""
        return f"[{found[0]}]({near})" if near else found[0]

    return _CODE_OR_NAME.sub(link, text)


# Markdown


def _anchor(title: str) -> str:
    return re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))


def _entry(title: str, member: Member) -> str:
    title = f"`{title}`" if "__" in title else title
    return f"### {title}\n\n```text\n{member.shown}\n```\n\n{member.doc}"


# Where a wheel is built


class _AbsentClass(type):
    def __getattr__(cls, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return cls

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        """Return the decorated function or class, if the name is a decorator."""
        is_decorator = len(arguments) == 1 and not options and callable(arguments[0])
        return arguments[0] if is_decorator else cls

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__


class _Absent(metaclass=_AbsentClass):
    """Whatever is imported from a package that isn't installed."""


class _AbsentPackages(MetaPathFinder, Loader):
    """Lets modules be described where packages that they import are not installed: a wheel is built with few."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the interface's
        target: ModuleType | None = None,  # noqa: ARG002 - the interface's
    ) -> ModuleSpec | None:
        """Return the spec of a module that no other finder has found; None for our own, and Python's."""
        is_absent = fullname.partition(".")[0] in ABSENT
        return ModuleSpec(fullname, self, is_package=True) if is_absent else None

    def exec_module(self, module: ModuleType) -> None:
        """Let a module have all names."""
        module.__getattr__ = lambda name: getattr(_Absent, name)  # type: ignore[method-assign]


def main() -> int:
    """Write the pages."""
    sys.meta_path.append(_AbsentPackages())
    gc.disable()  # the trees of all modules are kept, and would be looked at again and again
    for name, text in pages().items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
