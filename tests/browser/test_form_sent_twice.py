"""A form that a browser sends twice, by a double click or from its history, is carried out once."""

import pytest
from playwright.sync_api import expect

from tests.helpers.playwright import launched

pytestmark = pytest.mark.processes

APP = "tests.helpers.served.ordered_once:app"


def test_a_double_click_and_the_back_button_order_once(chromium, site):
    # Browsers keep the page that a user leaves, but Playwright's don't unless told.
    with launched(chromium, ignore_default_args=["--disable-back-forward-cache"]) as browser:
        page = browser.new_page(base_url=site)
        page.goto("/order")
        page.fill("[name=street]", "High")
        page.dblclick("button")
        shown = page.locator("p")
        expect(shown).to_have_text("1 of 1: High", timeout=30_000)
        for street, said in ("High", "1 of 1: High"), ("Low", "This form was sent before, with other values"):
            page.evaluate("history.back()")
            expect(page.locator("button")).to_be_visible(timeout=30_000)
            page.fill("[name=street]", street)
            page.click("button")
            expect(shown.first).to_contain_text(said, timeout=30_000)
        page.goto("/order")
        page.fill("[name=street]", "Low")
        page.click("button")
        expect(shown).to_have_text("2 of 2: Low", timeout=30_000)
