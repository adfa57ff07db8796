"""The page of the last requests in a browser: the guestbook's requests, sent again and shown as tests."""

import time
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.accessibility import look_at
from tests.helpers.chromium import DEADLINE
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path.cwd()))
        patch.chdir(tmp_path_factory.mktemp("data"))
        with ServerProcess((*RUN, "--debug"), "examples.site:make_site") as process:
            yield f"http://127.0.0.1:{process.port}"


def see(page, text):
    page.wait_until(f"() => document.body && document.body.innerText.includes({text!r})")


def see_kept(page, site, text):
    """Load the page of the last requests until it shows a request, which is kept after its response was sent."""
    end = time.monotonic() + DEADLINE
    page.go(f"{site}/.antiphon/requests")
    while text not in page.run("() => document.body?.innerText ?? ''") and time.monotonic() < end:
        page.go(f"{site}/.antiphon/requests")
    see(page, text)


def test_the_guestbooks_requests_are_sent_again_and_become_tests(page, site):
    page.go(f"{site}/guestbook/?lang=en")
    see_kept(page, site, "GET /guestbook/?lang=en")
    look_at(page, "the last requests", [(360, 740, "light"), (1280, 900, "dark")])
    page.click("form[action$='/test'] button")
    see(page, "as a test")
    see(page, "from examples.site import make_site")
    assert page.status == 200
    see_kept(page, site, "GET /guestbook/?lang=en")
    find = "[...document.querySelectorAll('dt')].find(each => each.innerText.includes('lang=en'))"
    page.run(f"() => {{ {find}.id = 'it' }}")
    page.click("#it + dd form[action$='/again'] button")
    see(page, "Leave a note")
