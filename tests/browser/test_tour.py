"""The tour in a browser: open to everybody, on each screen, and an upload is seen to arrive whole."""

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.accessibility import look_at
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

PAGES = ["", "upload", "items/7", "error", "nowhere"]
SCREENS = [(width, 900, scheme) for width in (360, 390, 768, 1280) for scheme in ("light", "dark")]
ARRIVED = """() => document.querySelector("progress").value === 1 && document.querySelector("#answer h2") !== null"""


@pytest.fixture(scope="module")
def site():
    with ServerProcess(RUN, "examples.tour:app") as process:
        yield f"http://127.0.0.1:{process.port}"


def test_every_page_is_open_to_everybody_and_an_upload_ends_at_all_of_it(page, site, tmp_path):
    file = tmp_path / f"{'a-long-name-without-a-space-' * 4}.mp4"
    file.write_bytes(bytes(1 << 20))
    for path in PAGES:
        page.go(f"{site}/{path}")
        look_at(page, path, SCREENS)
    page.go(f"{site}/upload")
    page.choose("input[type=file]", file)
    page.click("button")
    page.wait_until(ARRIVED)
    look_at(page, "an upload", SCREENS)
    assert f"{file.stat().st_size:,} bytes" in page.text
