"""A browser that keeps a page as the dictionary for the next one of its route."""

import time

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.processes

SIZE = "() => performance.getEntriesByType('navigation')[0].encodedBodySize"


def test_later_pages_are_decoded_with_the_dictionary(page):
    with ServerProcess(RUN, "tests.helpers.served.lamps:app") as process:
        sizes = []
        end = time.monotonic() + DEADLINE
        while len(sizes) < 2 or sizes[-1] * 2 > sizes[0]:  # the browser stores a dictionary when it has time
            assert time.monotonic() < end, sizes
            number = len(sizes) + 1
            page.go(f"http://localhost:{process.port}/lamps/{number}")
            assert page.run("() => document.querySelector('h1').innerText") == f"Lamp {number}"
            assert page.run("() => document.querySelectorAll('footer').length") == 40
            sizes.append(page.run(SIZE))
