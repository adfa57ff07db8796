"""The guestbook in a browser: open to everybody, on each screen, by day and by night, with scripts and without."""

from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.contract.process import ServerProcess
from tests.helpers.chromium import Chromium
from tests.helpers.system_programs import required_program

pytestmark = pytest.mark.once

chromium = required_program("chromium")

COMMAND = ("-m", "antiphon", "run", "{app}", "--port", "{port}")
SCREENS = [(360, 740, "light"), (360, 740, "dark"), (1280, 900, "light"), (1280, 900, "dark")]
VIOLATIONS = "async () => (await axe.run()).violations.map(each => [each.id, each.nodes.map(node => node.html)])"
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTLINE = "() => getComputedStyle(document.activeElement).outlineStyle"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path.cwd()))
        patch.chdir(tmp_path_factory.mktemp("data"))
        with ServerProcess(COMMAND, "examples.site:make_site") as process:
            yield f"http://127.0.0.1:{process.port}/guestbook/"


@pytest.fixture
def page(chromium, tmp_path):
    with Chromium(chromium, tmp_path / "profile") as browser:
        yield browser.open("about:blank")


def look_at(page, part):
    """Look at a page as everybody may see it."""
    page.run("source => { if (!window.axe) eval(source) }", AXE_SCRIPT)
    for width, height, scheme in SCREENS:
        page.resize(width, height)
        page.prefer(scheme)
        seen = (part, width, scheme)
        assert (seen, page.run(VIOLATIONS), page.run(TOO_WIDE)) == (seen, [], 0)


def send(page, **fields):
    """Fill in the form of a page, and send it as a user does."""
    for name, text in fields.items():
        page.click(f"main [name={name}]")
        page.enter(text)
    page.click("main form [type=submit]")
    page.wait()


def test_every_page_is_open_to_everybody(page, site, tmp_path):
    for path in ("", "login", "signup", "nowhere"):
        page.go(site + path)
        look_at(page, path)
    page.go(f"{site}signup")
    send(page, name=f"Ada {LONG[:30]}", password="an oboe in the rain")
    look_at(page, "welcome")
    page.press("Tab")
    assert page.run(OUTLINE) == "solid"
    picture = tmp_path / "lamp.gif"
    picture.write_bytes(b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;")
    page.choose("[type=file]", picture)
    send(page, words=f"{LONG} is a word.", caption="A lamp")
    assert "Thank you for signing!" in page.text
    assert page.run("() => document.querySelector('article img').naturalWidth") == 1
    look_at(page, "an entry")
    picture.write_text("No picture.")
    page.choose("[type=file]", picture)
    send(page, words="Look!")
    assert (page.status, "This is no picture that we know" in page.text) == (422, True)
    look_at(page, "a mistake")


def test_the_tour_leads_to_it(page, site):
    page.go(site.removesuffix("guestbook/"))
    page.click("a[href='guestbook/']")
    page.wait()
    assert page.url == site
    assert "Leave a word" in page.text


def test_it_is_signed_without_scripts(page, site):
    page.without_scripts()
    page.go(f"{site}signup")
    send(page, name="Bob", password="an oboe in the rain")
    send(page, words="No script was needed.")
    assert "Thank you for signing!" in page.text
