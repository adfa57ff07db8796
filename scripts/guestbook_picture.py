"""`python -m scripts.guestbook_picture`: take the README's pictures of the guestbook and of a new project, in Chromium.

They show a page, and beside it a page as on a phone: the guestbook in Arabic, and the new project in the dark.
"""

import base64
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main as antiphon
from scripts.tutorial_pictures import drawn, see, send, sign_up
from tests.contract.process import ServerProcess
from tests.helpers.chromium import Chromium, Page
from tests.helpers.processes import RUN
from tests.helpers.system_programs import PLACES

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
WIDE, NARROW, GAP = 900, 360, 20
TALL, SHOWN = 900, {"guestbook": 615, "new-project": 460}
TASKS = {"Print programmes": "2030-04-24", "Invite the choir": "2030-04-27", "Tune the organ": "2030-05-01"}
BESIDE = f"""<style>body {{{{ margin: 0; background: #fff; display: flex; gap: {GAP}px }}}}
img {{{{ height: 100vh; object-fit: cover; object-position: top }}}}</style>{{}}"""
IMAGE = """<img alt="" width="{}" src="data:image/png;base64,{}">"""


def main() -> int:
    """Take the picture. Return an exit code."""
    program = shutil.which("chromium", path=PLACES)
    if program is None:
        sys.stderr.write("chromium is not installed; `make system-packages` installs it where it may\n")
        return 1
    for name, way in (("guestbook", take), ("new-project", take_project)):
        taken: list[bytes] = []
        with tempfile.TemporaryDirectory() as folder, Chromium(program, f"{folder}/profile") as browser:
            page = browser.open("about:blank")
            way(page, Path(folder), lambda _, page=page, taken=taken: taken.append(page.screenshot()))  # type: ignore[misc]
            (IMAGES / f"{name}.png").write_bytes(beside(page, taken, SHOWN[name]))
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


def take_project(page: Page, folder: Path, look: Callable[[str], object]) -> None:
    """Write tasks into a new project, and look at its list, and at the form of a task in the dark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        CliRunner().invoke(antiphon, ["new", "choir-office"], catch_exceptions=False)
        patch.chdir(folder / "choir-office")
        with ServerProcess(RUN, "choir_office.app:make_app") as process:
            site = f"http://localhost:{process.port}/"
            page.prefer("light")
            page.resize(WIDE, TALL)
            page.go(site)
            page.click("[name=is_new]")
            send(page, "Add a task", name="Ada", password="an oboe in the rain")
            for what, due in TASKS.items():
                page.go(f"{site}tasks/new")
                page.wait_until("() => document.querySelector('[name=due]') !== null")
                page.run("due => { document.querySelector('[name=due]').value = due }", due)
                send(page, what, what=what)
            look("list")
            page.resize(NARROW, TALL)
            page.prefer("dark")
            page.go(f"{site}tasks/1")
            see(page, "Change a task")
            look("form")


@contextmanager
def guestbook(folder: Path) -> Iterator[str]:
    """Serve the guestbook with its data in a folder. Yield its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.chdir(folder)
        with ServerProcess(RUN, "examples.guestbook:make_app") as process:
            yield f"http://localhost:{process.port}/"


def beside(page: Page, pictures: list[bytes], tall: int) -> bytes:
    """Return the upper parts of pictures beside each other, as one picture."""
    page.resize(WIDE + GAP + NARROW, tall)
    page.prefer("light")
    page.go("about:blank")
    parts = zip((WIDE, NARROW), pictures, strict=True)
    images = "".join(IMAGE.format(width, base64.b64encode(each).decode()) for width, each in parts)
    page.run("html => { document.body.innerHTML = html }", BESIDE.format(images))
    page.wait_until("() => [...document.images].every(each => each.complete && each.naturalWidth)")
    return bytes(page.screenshot())


if __name__ == "__main__":
    sys.exit(main())
