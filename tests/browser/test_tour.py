"""The tour in a browser: on a phone nothing scrolls sideways, and an upload is seen to arrive whole."""

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN

pytestmark = pytest.mark.once

PAGES = ["", "upload", "items/7", "error", "nowhere"]
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("body *")]
  .filter(each => getComputedStyle(each).display !== "inline" && each.scrollWidth > each.clientWidth)
  .map(each => each.outerHTML.slice(0, 80))"""
ARRIVED = """() => document.querySelector("progress").value === 1 && document.querySelector("#answer h2") !== null"""


@pytest.fixture(scope="module")
def site():
    with ServerProcess(RUN, "examples.tour:app") as process:
        yield f"http://127.0.0.1:{process.port}"


def test_nothing_scrolls_sideways_on_a_phone_and_an_upload_ends_at_all_of_it(page, site, tmp_path):
    file = tmp_path / f"{'a-long-name-without-a-space-' * 4}.mp4"
    file.write_bytes(bytes(1 << 20))
    for width in (360, 375):
        page.resize(width, 800)
        for path in PAGES:
            page.go(f"{site}/{path}")
            assert page.run(TOO_WIDE) == [], path
        page.go(f"{site}/upload")
        page.choose("input[type=file]", file)
        page.click("button")
        page.wait_until(ARRIVED)
        assert page.run(TOO_WIDE) == []
        assert f"{file.stat().st_size:,} bytes" in page.text
