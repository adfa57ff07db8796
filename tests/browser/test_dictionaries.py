"""A browser that keeps pages, and the script of an old release, as dictionaries for the next ones."""

import time

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.processes

SIZE = "() => performance.getEntriesByType('navigation')[0].encodedBodySize"
SCRIPT = "() => [performance.getEntriesByType('resource')[0].encodedBodySize, release]"


def test_pages_and_the_script_of_the_next_release_are_decoded_with_the_last_ones(page, tmp_path, monkeypatch):
    (tmp_path / "static").mkdir()
    monkeypatch.setenv("LAMPS", str(tmp_path))

    def release(number):
        text = f"var release = {number};" + "".join(f"let a{n}={n**7};" for n in range(2000))
        (tmp_path / "static/shop.js").write_text(text)

    release(0)
    with ServerProcess(RUN, "tests.helpers.served.lamps:app") as process:
        pages, scripts, restarts = [], [], 0
        end = time.monotonic() + DEADLINE
        while not (restarts and pages[-1] * 2 < pages[0] and scripts[-1] * 10 < scripts[0]):
            assert time.monotonic() < end, (pages, scripts)
            number = len(pages) + 1
            page.go(f"http://localhost:{process.port}/lamps/{number}")
            assert page.run("() => document.querySelector('h1').innerText") == f"Lamp {number}"
            assert page.run("() => document.querySelectorAll('footer').length") == 40
            pages.append(page.run(SIZE))
            size, shown = page.run(SCRIPT)
            assert shown == restarts
            scripts.append(size)
            # The browser stores dictionaries when it has time: that of the page shows that it had some.
            if pages[-1] * 2 < pages[0] and scripts[-1] * 10 > scripts[0]:
                restarts += 1
                release(restarts)
                process.restart()
