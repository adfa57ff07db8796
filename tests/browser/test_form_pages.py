"""Forms in a browser: reached by keys, named and described to assistive technology, and shown again when too large."""

import os

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.helpers.served.form_pages import LIMIT

pytestmark = pytest.mark.processes

FOCUSED = "() => document.activeElement.id || document.activeElement.className || document.activeElement.type"


@pytest.fixture
def page(browser):
    command = server("Granian, ASGI").command
    with ServerProcess(command, "tests.helpers.served.form_pages:app") as site:
        yield browser.open(f"http://127.0.0.1:{site.port}/async/picture")


def test_a_form_is_filled_in_by_keys_and_says_what_is_wrong_to_everybody(page, tmp_path):
    reached = []
    for _ in range(6):
        page.press("Tab")
        reached.append(page.run(FOCUSED))
    assert reached == ["picture-title", "picture-file", "picture-shelf", "picture-kind-0", "picture-terms", "submit"]
    page.click("label[for=picture-shelf]")
    assert page.run(FOCUSED) == "picture-shelf"
    page.enter("Zürich٣")
    wrong = "() => document.getElementById('picture-shelf').validity.patternMismatch"
    assert page.run(wrong)
    page.run("() => document.getElementById('picture-shelf').value = ''")
    page.enter("Zürich-٣")
    assert not page.run(wrong)
    page.click("label[for=picture-terms]")
    assert page.run("() => document.getElementById('picture-terms').checked")
    page.run("() => { document.forms[0].noValidate = true }")
    page.submit()
    assert page.status == 422
    page.wait_until(f"() => ({FOCUSED})() == 'errors'")
    alert = page.accessible("[role=alert]")
    assert (alert["role"], alert["focused"]) == ("alert", True)
    title = page.accessible("#picture-title")
    assert title["name"].rstrip(" *") == "Title"
    assert title["description"] == "As it hangs in the gallery. Please fill this in."
    assert (title["invalid"], title["required"]) == ("true", True)
    kinds = page.accessible("#picture-kind")
    assert (kinds["role"], kinds["name"], kinds["description"]) == ("radiogroup", "Kind", "Ask if unsure.")
    assert page.accessible("#picture-kind-1")["name"].strip() == "ink"
    page.click("a[href='#picture-file']")
    assert page.run(FOCUSED) == "picture-file"
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        os.truncate(file.fileno(), 20 * LIMIT)
    page.click("label[for=picture-title]")
    page.enter("Tea")
    page.choose("#picture-file", large)
    page.submit()
    assert page.status == 413
    assert "This was too large to receive: the limit is 200 kB in total." in page.text
    assert page.run("() => document.getElementById('picture-title').value") == ""
