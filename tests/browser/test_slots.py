"""Slots in a browser that has templates for patches, and in one that needs the script."""

from urllib.parse import urlencode
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.helpers.accessibility import look_at
from tests.helpers.chromium import Chromium

pytestmark = pytest.mark.processes

APP = "tests.helpers.served.slots:app"
WITHOUT_PATCHES = "--disable-blink-features=DocumentPatching,HTMLProcessingInstruction"
SCREENS = [(390, 800, "light"), (1200, 800, "light")]
ROWS = "() => [...document.querySelectorAll('tbody tr')].map(row => row.innerText)"


@pytest.fixture(scope="module")
def older_browser(chromium, tmp_path_factory):
    with Chromium(chromium, tmp_path_factory.mktemp("older"), WITHOUT_PATCHES) as browser:
        yield browser


def browsers(request):
    """Return the browser of a row, and what the page's address adds."""
    way = request.param
    return request.getfixturevalue("older_browser" if way == "by the script" else "browser_of_all"), way


@pytest.fixture(params=["by templates", "without scripts", "by the script"])
def page(request):
    chosen, way = browsers(request)
    with chosen.profile() as profile:
        page = profile.open("about:blank")
        page.query = "&strict" if way == "without scripts" else ""
        page.has_templates = way != "by the script"
        yield page


def test_parts_come_in_the_order_in_which_they_are_ready(page, site):
    gate = uuid4().hex

    def let(name):
        with urlopen(f"{site}/open", urlencode({"gate": f"{gate} {name}"}).encode()) as response:
            assert response.read() == b"open"

    page._call("Page.navigate", url=f"{site}/?gate={gate}{page.query}")
    page.wait_until("() => document.querySelector('footer')?.innerText === 'The foot'")
    assert page.run("() => 'htmlFor' in HTMLTemplateElement.prototype") == page.has_templates
    assert page.run(ROWS) == ["Loading\t..."]
    assert "Loading the news" in page.text
    let("advice")
    page.wait_until("() => document.querySelector('[role=alert]')?.innerText === 'No advice today.'")
    assert page.run(ROWS) == ["Loading\t..."]
    let("orders")
    page.wait_until("() => document.querySelectorAll('tbody tr').length === 2")
    assert "Loading the news" in page.text
    let("news")
    page.wait_until("() => document.querySelector('[aria-live]').innerText.includes('News of </template><script>')")
    page.wait_until("() => document.readyState === 'complete'")
    assert page.run(ROWS) == ["Tea\t3", '</template><script>document.title = "taken"</script><?end>\t4']
    assert page.title == "Shop"
    assert page.run("() => document.querySelectorAll('template').length") == 0
    look_at(page, "slots", SCREENS)
