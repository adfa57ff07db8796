"""htmx 2 in a browser: it fills an element with the block of its name, and shows the errors of a form."""

import pytest
from playwright.sync_api import expect

from tests.contract.process import ServerProcess
from tests.helpers.playwright import launched
from tests.helpers.processes import RUN

pytest.importorskip("django_htmx", reason="django-htmx, which has the script of htmx, is not installed")
pytestmark = pytest.mark.processes

expect.set_options(timeout=30_000)


def test_a_boosted_form_gets_its_block_also_with_errors(chromium):
    with ServerProcess(RUN, "tests.helpers.served.htmx:app") as process, launched(chromium) as browser:
        page = browser.new_page(base_url=f"http://127.0.0.1:{process.port}")
        said = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto("/")
        assert page.evaluate("htmx.version").startswith("2.")
        page.evaluate("window.isThisDocument = true")
        for text, problem, tasks in (
            ("", "Enter a task.", ["Milk"]),
            ("Tea", "", ["Milk", "Tea"]),
            ("", "Enter a task.", ["Milk", "Tea"]),
        ):
            page.fill("[name=text]", text)
            page.click("button")
            expect(page.locator("#problem")).to_have_text(problem)
            expect(page.locator("li")).to_have_text(tasks)
        assert page.evaluate("[isThisDocument, document.querySelectorAll('nav, title').length]") == [True, 2]
        assert said == []
