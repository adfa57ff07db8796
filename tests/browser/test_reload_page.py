"""A mistake in a browser, under `antiphon run --reload`: its page refreshes itself when that is mended."""

import time

import pytest

from tests.helpers.reloaded_site import INIT, INNER, RATES, SHOP, running

pytestmark = pytest.mark.processes

BROKEN = {
    "a mistake in the syntax": (INNER, "EUR = (\n", "SyntaxError", INNER),
    "an error at import": (INNER, "EUR = {}['<b>EUR</b>']\n", "KeyError", "EUR = {}['<b>EUR</b>']"),
    "a startup hook": (INIT, SHOP.replace("pass", "{}['database']"), "KeyError", "{}['database']"),
    "a missing name": (INIT, SHOP + "del app\n", "Not loaded", "There is no 'app' in the module 'shop'"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running(tmp_path_factory.mktemp("site")) as site:
        yield site


def wait_for(page, text):
    def has_text():
        try:
            return text in page.text
        except RuntimeError:  # the document is being left
            return False

    end = time.monotonic() + 30
    while not has_text():
        assert time.monotonic() < end, page.text
        time.sleep(0.05)


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_shown_and_the_page_of_the_app_as_soon_as_it_is_mended(browser, site, name):
    path, text, error, shown = BROKEN[name]
    site.mend()
    site.save(path, text)
    site.wait_until(lambda: site.ask().status == 500)
    page = browser.open(f"http://127.0.0.1:{site.port}/")
    assert page.status == 500
    assert error in page.title
    assert shown in page.text
    assert page.run("() => document.querySelectorAll('pre b').length") == 0
    site.mend()
    wait_for(page, "1 hello")
    assert page.status == 200
    page.close()


def test_the_next_mistake_is_shown_in_place_of_the_first(browser, site):
    site.mend()
    site.save(INNER, "EUR = first\n")
    site.wait_until(lambda: site.ask().status == 500)
    page = browser.open(f"http://127.0.0.1:{site.port}/")
    site.save(INNER, "EUR = second\n")
    wait_for(page, "name 'second' is not defined")
    site.save(INNER, RATES)
    wait_for(page, "1 hello")
    page.close()


def test_a_page_of_the_app_stays_as_it_is(browser, site):
    site.mend()
    page = browser.open(f"http://127.0.0.1:{site.port}/")
    shown = page.text
    site.save(INNER, "EUR = 2\n")
    site.wait_for("2 hello")
    assert page.text == shown
    page.close()
