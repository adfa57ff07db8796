"""`python -m scripts.guestbook_picture`: take the README's picture of the guestbook, in Chromium.

It shows the page in English, and beside it the same page in Arabic, as on a phone.
"""

import base64
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.tutorial_pictures import drawn, see, send, sign_up
from tests.contract.process import ServerProcess
from tests.helpers.chromium import Chromium, Page
from tests.helpers.processes import RUN
from tests.helpers.system_programs import PLACES

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/images/guestbook.png"
WIDE, NARROW, GAP = 900, 360, 20
TALL, SHOWN = 900, 615
BESIDE = f"""<style>body {{{{ margin: 0; background: #fff; display: flex; gap: {GAP}px }}}}
img {{{{ height: {SHOWN}px; object-fit: cover; object-position: top }}}}</style>{{}}"""
IMAGE = """<img alt="" width="{}" src="data:image/png;base64,{}">"""


def main() -> int:
    """Take the picture. Return an exit code."""
    program = shutil.which("chromium", path=PLACES)
    if program is None:
        sys.stderr.write("chromium is not installed; `make system-packages` installs it where it may\n")
        return 1
    taken: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder, Chromium(program, f"{folder}/profile") as browser:
        page = browser.open("about:blank")
        take(page, Path(folder), lambda _: taken.append(page.screenshot()))
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_bytes(beside(page, taken))
    return 0


def take(page: Page, folder: Path, look: Callable[[str], object]) -> None:
    """Sign the guestbook in two languages, and look at its page in each."""
    with guestbook(folder) as site:
        lamp = drawn(page, folder)
        page.prefer("light")
        page.resize(WIDE, TALL)
        sign_up(page, site, "ليلى", "يا له من بيت جميل!")
        page.click("header form button")
        see(page, "Log in")
        sign_up(page, site, "Ada")
        page.choose("[type=file]", lamp)
        words = "The lamp by the stairs is my favourite."
        send(page, "Thank you for signing!", words=words, caption="A lamp that is lit")
        page.wait_until("() => document.querySelector('article img')?.naturalWidth === 640")
        for lang, width in (("en", WIDE), ("ar", NARROW)):
            page.resize(width, TALL)
            page.go(f"{site}?lang={lang}")
            see(page, "يا له من بيت جميل!")
            look(lang)


@contextmanager
def guestbook(folder: Path) -> Iterator[str]:
    """Serve the guestbook with its data in a folder. Yield its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.chdir(folder)
        with ServerProcess(RUN, "examples.guestbook:make_app") as process:
            yield f"http://localhost:{process.port}/"


def beside(page: Page, pictures: list[bytes]) -> bytes:
    """Return the upper parts of pictures beside each other, as one picture."""
    page.resize(WIDE + GAP + NARROW, SHOWN)
    page.go("about:blank")
    parts = zip((WIDE, NARROW), pictures, strict=True)
    images = "".join(IMAGE.format(width, base64.b64encode(each).decode()) for width, each in parts)
    page.run("html => { document.body.innerHTML = html }", BESIDE.format(images))
    page.wait_until("() => [...document.images].every(each => each.complete && each.naturalWidth)")
    return page.screenshot()


if __name__ == "__main__":
    sys.exit(main())
