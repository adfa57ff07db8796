"""Every Python snippet in the README and in docs/ runs as it stands; every link inside the project leads somewhere."""

import gc
import linecache
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from antiphon import App
from antiphon.testing import LifespanError
from tests.helpers.snippets import snippets_of
from tests.helpers.strangers import failures

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
ONCE = ROOT / "docs/how-to/mount-django.md"
"""The page that its own tests run: Django has one project in a process."""
FAILS = {("errors.md", "GET /bug"), ("test-an-app.md", "GET /half"), ("streams.md", "GET /seats")}
"""Routes that show what happens where a handler fails."""
ELSEWHERE = {"events-to-many.md", "object-storage.md", "transactions.md"}
"""Pages whose apps need servers, or a table that only the snippet has in memory."""
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def snippets():
    for page in PAGES:
        if page == ONCE:
            continue
        for line, code, _ in snippets_of(page.read_text()):
            yield pytest.param(page, line, code, id=f"{page.relative_to(ROOT)}:{line}")


@pytest.fixture
def _microdots_limit(monkeypatch):
    """Have what a snippet sets for all requests last no longer than the snippet."""
    from antiphon.dialects.microdot import Request

    monkeypatch.setattr(Request, "max_content_length", Request.max_content_length)


@pytest.mark.usefixtures("_microdots_limit")
@pytest.mark.parametrize(("page", "line", "code"), list(snippets()))
def test_a_snippet_runs(page, line, code, monkeypatch):
    source = "\n" * (line - 1) + code
    monkeypatch.setitem(linecache.cache, str(page), (len(source), None, source.splitlines(keepends=True), str(page)))
    module = ModuleType("snippet")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, str(page), "exec"), vars(module))
    if page.parent.name == "how-to" and page.name not in ELSEWHERE:
        attack(page, code, [value for value in vars(module).values() if isinstance(value, App)])


def attack(page, code, apps):
    """Check that no stranger makes a recipe's application fail."""
    for app in {id(each): each for each in apps}.values():
        try:
            failed = failures(app, code)
        except LifespanError:  # it has been started and stopped, and can't be started again
            failed = {}
            with warnings.catch_warnings(action="ignore"):  # what the startup had opened until it failed
                gc.collect()
        assert {route: sent for route, sent in failed.items() if (page.name, route) not in FAILS} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    for target in LINK.findall(CODE.sub("", page.read_text())):
        assert (page.parent / target).exists(), target


def test_every_page_is_reachable_from_the_index():
    found, ahead = set(), [ROOT / "docs/README.md"]
    while ahead:
        page = ahead.pop()
        if page not in found and page.suffix == ".md" and page.is_relative_to(ROOT / "docs"):
            found.add(page)
            links = LINK.findall(CODE.sub("", page.read_text()))
            ahead += [(page.parent / target).resolve() for target in links]
    assert sorted({*(ROOT / "docs").rglob("*.md")} - found) == []
