"""Every Python snippet in the README and in docs/ runs as it stands; every link inside the project leads somewhere."""

import gc
import linecache
import re
import sqlite3
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from argon2 import PasswordHasher

from antiphon import App
from antiphon.dialects.microdot import Request as MicrodotRequest
from antiphon.testing import Client, LifespanError
from tests.helpers.rows import rows
from tests.helpers.snippets import module_name_of, snippets_of
from tests.helpers.strangers import failures

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "MAINTAINING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
ONCE = ROOT / "docs/how-to/mount-django.md"
"""The page that its own tests run: Django has one project in a process."""
FAILS = {
    ("errors.md", "GET /bug"),
    ("kept-requests.md", "POST /orders"),
    ("test-an-app.md", "GET /half"),
    ("streams.md", "GET /seats"),
}
"""Routes that show what happens where a handler fails."""
ELSEWHERE = {"events-to-many.md", "object-storage.md"}
"""Pages whose apps need servers."""
CHEAP = (1, 8, 1, *PasswordHasher.__init__.__defaults__[3:])
"""One pass over 8 KiB for a hash of a password, instead of three over 64 MiB."""
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.+)", re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in PAGES if page != ONCE], ids=lambda page: str(page.relative_to(ROOT)))
def test_the_snippets_of_a_page_run(page):
    run_all(page, start)


@rows("page", [page for page in (ROOT / "docs/how-to").glob("*.md") if page.name not in ELSEWHERE and page != ONCE],
      ids=lambda page: page.name)  # fmt: skip
def test_no_stranger_makes_a_recipe_fail(page):
    run_all(page, attack)


def run_all(page, check):
    """Run the snippets of a page in one folder. One that begins with a file's name can be imported by the next ones."""
    failed = []
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SECRET_KEYS", "a-key-that-a-reader-makes-anew")
        for line, code, _ in snippets_of(page.read_text()):
            module = ModuleType(module_name_of(code))
            if check is attack and module.__name__.startswith("test_"):
                continue  # strangers have used the limits up
            patch.setitem(sys.modules, module.__name__, module)
            try:
                run(page, line, code, check, module)
            except Exception as error:
                error.add_note(f"in the snippet at {page.relative_to(ROOT)}:{line}")
                failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} snippets fail", failed)


def run(page, line, code, check, module):
    source = "\n" * (line - 1) + code
    with pytest.MonkeyPatch.context() as patch:
        # Other snippets don't get the limit that one sets for all requests.
        patch.setattr(MicrodotRequest, "max_content_length", MicrodotRequest.max_content_length)
        patch.setattr(PasswordHasher.__init__, "__defaults__", CHEAP)  # strangers try many passwords
        patch.setitem(linecache.cache, str(page), (len(source), None, source.splitlines(keepends=True), str(page)))
        exec(compile(source, str(page), "exec"), vars(module))
        check(page, code, [value for value in vars(module).values() if isinstance(value, App)])
        # Whoever collects one that is open gets the warning, some tests later.
        assert [
            name for name, value in vars(module).items() if type(value) is sqlite3.Connection and is_open(value)
        ] == []


def is_open(connection):
    try:
        return connection.total_changes >= 0
    except sqlite3.ProgrammingError:
        return False


def start(page, _code, apps):
    """Start and stop the applications."""
    for app in apps if page.name not in ELSEWHERE else ():
        with suppress(LifespanError), Client(app):  # it has been started and stopped, and can't be started again
            pass


def attack(page, code, apps):
    for app in {id(each): each for each in apps}.values():
        try:
            failed = failures(app, code)
        except LifespanError:
            failed = {}
            with warnings.catch_warnings(action="ignore"):  # what the startup had opened until it failed
                gc.collect()
        assert {route: sent for route, sent in failed.items() if (page.name, route) not in FAILS} == {}


@rows("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    for target, heading in LINK.findall(CODE.sub("", page.read_text())):
        led_to = page.parent / target if target else page
        assert led_to.exists(), target
        assert not heading or led_to.suffix != ".md" or heading in headings(led_to), f"{target}#{heading}"


def headings(page):
    """Return what links to the headings of a page have after the ``#``."""
    found = HEADING.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL))
    texts = (re.sub(r"[^\w\s-]", "", re.sub(r"\]\([^)]*\)", "", text)).strip() for text in found)
    return {re.sub(r"[-\s]+", "-", text.lower()) for text in texts}


def test_every_page_is_reachable_from_the_index():
    found, ahead = {ROOT / "docs/index.md"}, [ROOT / "docs/README.md"]
    while ahead:
        page = ahead.pop()
        if page not in found and page.suffix == ".md" and page.is_relative_to(ROOT / "docs"):
            found.add(page)
            links = LINK.findall(CODE.sub("", page.read_text()))
            ahead += [(page.parent / target).resolve() for target, _ in links if target]
    assert sorted({*(ROOT / "docs").rglob("*.md")} - found) == []
