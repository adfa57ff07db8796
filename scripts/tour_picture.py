"""`python -m scripts.tour_picture`: take the README's picture of the tour's first card, in Chromium."""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.contract.process import ServerProcess
from tests.helpers.chromium import Chromium, Page
from tests.helpers.processes import RUN
from tests.helpers.system_programs import PLACES

PICTURE = Path(__file__).parents[1] / "docs/images/tour.png"
WIDE, TALL = 1280, 1160
CARD = """() => {
  document.body.replaceChildren(document.querySelector("#ways"))
  for (const way of [...document.querySelectorAll("article")].slice(4)) way.remove()
  document.body.style = "padding: 1rem; min-height: 0"
}"""


def main() -> int:
    """Take the picture. Return an exit code."""
    program = shutil.which("chromium", path=PLACES)
    if program is None:
        sys.stderr.write("chromium is not installed; `make system-packages` installs it where it may\n")
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        Chromium(program, f"{folder}/profile") as browser,
        ServerProcess(RUN, "examples.tour:app") as process,
    ):
        PICTURE.write_bytes(take(browser.open("about:blank"), f"http://localhost:{process.port}/"))
    return 0


def take(page: Page, site: str) -> bytes:
    """Return the first four ways as a wide screen shows them, once all programs have responded."""
    page.prefer("light")
    page.resize(WIDE, TALL)
    page.go(site)
    page.wait_until("() => document.querySelectorAll('article').length === 8")
    page.run(CARD)
    return bytes(page.screenshot())


if __name__ == "__main__":
    sys.exit(main())
