"""The page on versions: what it promises holds, as far as a test can tell."""

import importlib
import inspect
import re
from pathlib import Path

import antiphon
from antiphon import App, Observer, Request, Response
from antiphon.features import Store, UserSource
from scripts.names_page import is_provisional
from tests.helpers.rows import rows

ROOT = Path(__file__).parents[2]
PAGE = "".join((ROOT / f"docs/{name}.md").read_text() for name in ("explanation/versions", "reference/stored-data"))
SOURCES = {
    path: path.read_text() for path in Path(antiphon.__file__).parent.rglob("*.py") if "dialects" not in str(path)
}
ABSTRACT = {
    Store: {
        "add", "change", "delete", "delete_owned", "increment", "load", "owned_by", "replace", "rotate",
    },
    UserSource: {"credentials"},
    Observer: set(),
}  # fmt: skip


def test_the_requirement_allows_patches_of_this_minor_version_alone():
    major, minor, _ = map(int, antiphon.__version__.split("."))
    assert f'"antiphon>={major}.{minor},<{major}.{minor + 1}"' in PAGE


@rows("base", ABSTRACT)
def test_a_subclass_that_is_complete_now_stays_complete(base):
    assert set(getattr(base, "__abstractmethods__", ())) == ABSTRACT[base]


@rows("base", [Request, Response, App, Observer])
def test_what_is_made_to_be_subclassed_can_be(base):
    assert issubclass(type("Mine", (base,), {}), base)


def test_stores_are_sync():
    methods = [value for _, value in inspect.getmembers(Store, inspect.isfunction)]
    assert [each for each in methods if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)] == []
    assert len(methods) > 10


def test_all_loggers_are_named():
    named = {"antiphon", *re.findall(r'getLogger\("([\w.]+)"\)', "".join(SOURCES.values())), "antiphon.access"}
    assert {name for name in named if name.startswith("antiphon") and f"`{name}`" not in PAGE} == set()


def test_all_variables_of_the_environment_are_documented():
    pages = "".join(path.read_text() for path in (*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md"))
    names = {name for text in SOURCES.values() for name in re.findall(r"\bANTIPHON_[A-Z_]*[A-Z]\b", text)}
    assert names - set(re.findall(r"ANTIPHON_[A-Z_]*[A-Z]", pages)) == set()


def test_provisional_names_can_be_imported():
    listed = PAGE.partition("These names are provisional")[2].partition("\n## ")[0]
    places = map(importlib.import_module, ("antiphon", "antiphon.features", "antiphon.testing", "antiphon.types"))
    known = {name: getattr(place, name) for place in places for name in place.__all__}
    named = {name for name in re.findall(r"`(\w+)`", listed) if name != "antiphon"}
    assert named == {name for name, value in known.items() if is_provisional(value)}
