"""`python -m scripts.tutorial_pictures`: take the tutorial's pictures, in Chromium, into docs/tutorial/images.

Each picture is of the app as a page of the tutorial has brought it, after what its reader does there.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.helpers.chromium import Chromium, Page
from tests.helpers.system_programs import PLACES
from tests.helpers.tutorial import PAGES, follow, typed_before
from tests.helpers.tutorial_server import TutorialServer

IMAGES: Path = PAGES[0].parent / "images"
WIDTH, TALL = 700, 2000
LAMP = """<body style="margin:0;background:#4a3d52">
<svg width="640" height="320" viewBox="0 0 480 240">
<ellipse cx="240" cy="120" rx="170" ry="110" fill="#ffd98a" opacity=".18"/>
<path d="M205 60h70l35 75H170z" fill="#f2b84b"/>
<path d="M234 135h12v62h-12z" fill="#2b2420"/><ellipse cx="240" cy="200" rx="48" ry="9" fill="#2b2420"/></svg>"""


def main() -> int:
    """Take all pictures. Return an exit code."""
    program = shutil.which("chromium", path=PLACES)
    if program is None:
        sys.stderr.write("chromium is not installed; `make system-packages` installs it where it may\n")
        return 1
    IMAGES.mkdir(exist_ok=True)
    for name in STORIES:
        with tempfile.TemporaryDirectory() as folder, Chromium(program, f"{folder}/profile") as browser:
            page = browser.open("about:blank")
            take(name, page, Path(folder), lambda name=name, page=page: picture(name).write_bytes(page.screenshot()))  # type: ignore[misc]
    return 0


def picture(name: str) -> Path:
    """Return the file of a page's picture."""
    return IMAGES / f"{name}.png"


def take(name: str, page: Page, folder: Path, look: Callable[[], object]) -> None:
    """Type the tutorial up to a page, do in a browser what its reader does, and look at what is there then."""
    source = next(path for path in PAGES if path.stem.startswith(name))
    (folder / "site").mkdir()
    typed_before(source, folder / "site")
    list(follow(source, folder / "site"))
    with TutorialServer(folder / "site") as server:
        page.prefer("light")
        page.resize(WIDTH, TALL)
        STORIES[name](page, f"http://localhost:{server.port}/", folder)
        page.resize(WIDTH, page.run("() => Math.ceil(document.body.getBoundingClientRect().bottom) + 16"))
        look()


def pages(page: Page, site: str, _: Path) -> None:
    """Look at the entries."""
    page.go(site)


def forms(page: Page, site: str, _: Path) -> None:
    """Send a name that is too short."""
    page.go(site)
    page.run("() => document.querySelector('form').noValidate = true")
    send(page, "This is too short", author="E", words="What a roof!")


def users(page: Page, site: str, _: Path) -> None:
    """Have Ada and Bob write."""
    sign_up(page, site, "Ada", "What a house!")
    page.click("nav button")
    see(page, "Goodbye")
    sign_up(page, site, "Bob", "The tea was good.")


def pictures(page: Page, site: str, folder: Path) -> None:
    """Add a picture, and have the page change where it has to."""
    lamp = drawn(page, folder)
    sign_up(page, site, "Ada")
    page.run("() => { window.isThisDocument = true }")
    page.choose("[type=file]", lamp)
    send(page, "My lamp", words="My lamp", caption="A lamp that is lit")
    page.wait_until("() => document.querySelector('article img')?.naturalWidth === 640")


def languages(page: Page, site: str, folder: Path) -> None:
    """Read and write in German, and forget to say what a picture shows."""
    lamp = drawn(page, folder)
    page.go(f"{site}?lang=de")
    sign_up(page, site, "Ada", "Was für ein Haus!")
    page.choose("[type=file]", lamp)
    send(page, "Bitte sag", words="Meine Lampe")


STORIES = {"2-pages": pages, "3-forms": forms, "5-users": users, "6-pictures": pictures, "7-languages": languages}
"""What a reader does before each picture, by the name of the picture."""


def drawn(page: Page, folder: Path) -> Path:
    """Return a picture of a lamp."""
    page.resize(640, 320)
    page.go("about:blank")
    page.run("html => { document.body.outerHTML = html }", LAMP)
    path = folder / "lamp.png"
    path.write_bytes(page.screenshot())
    page.resize(WIDTH, TALL)
    return path


def sign_up(page: Page, site: str, name: str, words: str = "") -> None:
    """Sign up, and write something."""
    page.go(f"{site}signup")
    send(page, name, name=name, password="an oboe in the rain")
    if words:
        send(page, words, words=words)


def send(page: Page, wanted: str, **fields: str) -> None:
    """Fill in the form of the page, send it, and wait for a text."""
    for name, text in fields.items():
        page.wait_until(f"() => document.querySelector('main [name={name}]') !== null")
        page.click(f"main [name={name}]")
        page.enter(text)
    page.click("main form [type=submit], main form button")
    see(page, wanted)


def see(page: Page, wanted: str) -> None:
    """Wait for a text."""
    page.wait_until(f"() => document.body.innerText.includes({wanted!r}) && document.readyState === 'complete'")


if __name__ == "__main__":
    sys.exit(main())
