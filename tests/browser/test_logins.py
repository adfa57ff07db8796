"""Logins in a browser: in all of its tabs, with the way back, and ended everywhere by another browser."""

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes


@pytest.fixture
def site():
    with ServerProcess(RUN, "tests.helpers.served.logins:app") as server:
        yield f"http://localhost:{server.port}"


def test_a_login_counts_in_all_tabs_until_another_browser_ends_it(site, browser, other_browser):
    tab, other_tab = browser.open(f"{site}/account?tab=1"), browser.open(f"{site}/account")
    assert tab.url == f"{site}/login?next=%2Faccount%3Ftab%3D1"
    tab.submit()
    assert (tab.url, tab.text.strip()) == (f"{site}/account?tab=1", "Hello, Ada. Visit 1.\n\nLog out")
    other_tab.go(f"{site}/account")
    assert "Hello, Ada. Visit 2." in other_tab.text
    elsewhere = other_browser.open(f"{site}/login?next=https://evil.example/")
    elsewhere.submit()
    assert (elsewhere.url, "Visit 1." in elsewhere.text) == (f"{site}/account", True)
    elsewhere.submit()
    assert elsewhere.url == f"{site}/login"
    for page in (tab, other_tab, elsewhere):
        page.go(f"{site}/account")
        assert page.url == f"{site}/login?next=%2Faccount"
