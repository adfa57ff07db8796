"""The page of an OpenAPI document in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.helpers.accessibility import look_at
from tests.helpers.playwright import launched

pytestmark = pytest.mark.processes

APP = "tests.features.openapi.shop:make_app"

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def driven_browser(chromium):
    with launched(chromium) as browser:
        yield browser


def test_everybody_can_read_it(page, site):
    page.go(f"{site}/api/docs")
    assert page.run("() => getComputedStyle(document.querySelector('section')).borderTopWidth") == "1px"
    page.run("() => document.querySelectorAll('details').forEach(each => { each.open = true })")
    look_at(page, "docs", [(390, 800, "light"), (390, 800, "dark"), (1280, 800, "light"), (1280, 800, "dark")])


def operation(page, name):
    """The form of an operation, opened, and what its answer is shown in."""
    section = page.locator(f"[id='{name}']")
    section.get_by_text("Try it").click()
    return section, section.get_by_role("status")


def test_its_forms_are_sent_and_answered_on_the_page(driven_browser, site):
    said = []
    page = driven_browser.new_page(base_url=site)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/api/docs")
    page.add_init_script("addEventListener('securitypolicyviolation', event => console.error(event.violatedDirective))")
    expect(page.get_by_text("This form needs JavaScript")).to_have_count(0)
    # JSON begins as an example. A browser sends no such form by itself.
    form, answer = operation(page, "lamps.add")
    expect(form.get_by_label("body")).to_have_value('{\n "id": 0,\n "name": "text"\n}')
    form.get_by_label("body").fill('{"id": 7, "name": "Desk"}')
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text(
        re.compile(r'^201 [^{]*location: /api/lamps/7[^{]*\{\n  "id": 7,\n  "name": "Desk"', re.DOTALL)
    )
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("There is such a lamp.")
    # Parameters of the path, the query and headers; another method.
    form, answer = operation(page, "lamps.show")
    form.get_by_role("button", name="Send").click()
    expect(answer).to_be_empty()  # a number is required
    form.get_by_label("number").fill("7")
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text('"name": "Desk"')
    form, answer = operation(page, "lamps.index")
    form.get_by_label("q").fill("a&b")
    form.get_by_label("color").select_option("warm")
    form.get_by_label("tags").fill("x\ny")
    with page.expect_request("**/api/lamps?*") as sent:
        form.get_by_role("button", name="Send").click()
    assert sent.value.url == f"{site}/api/lamps?q=a%26b&color=warm&tags=x&tags=y"
    form, answer = operation(page, "lamps.me")
    form.get_by_label("Authorization").fill("Bearer t1")
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text('"user": "ada"')
    form, answer = operation(page, "lamps.remove")
    form.get_by_label("number").fill("7")
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("204 ")
    # A form with a file, and one of texts.
    form, answer = operation(page, "lamps.picture")
    form.get_by_label("number").fill("7")
    form.get_by_label("file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"x"})
    form.get_by_label("caption").fill("Desk")
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text("204 ")
    form, answer = operation(page, "lamps.search_post")
    form.get_by_label("q").fill("<b>")
    form.get_by_role("button", name="Send").click()
    expect(answer).to_contain_text('"found": "<b>"')
    page.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


def test_without_a_script_the_browser_sends_what_html_can(driven_browser, site):
    page = driven_browser.new_page(base_url=site, java_script_enabled=False)
    page.goto("/api/docs")
    form, _ = operation(page, "lamps.remove")
    expect(form.get_by_role("button", name="Send")).to_be_disabled()
    expect(form.get_by_text("This form needs JavaScript")).to_be_visible()
    form, _ = operation(page, "lamps.search_get")
    form.get_by_label("q").fill("a b")
    form.get_by_role("button", name="Send").click()
    expect(page).to_have_url(f"{site}/api/search?q=a+b")
    expect(page.locator("body")).to_contain_text('{"found":"a b"}')
    page.go_back()
    form, _ = operation(page, "lamps.search_post")
    form.get_by_label("q").fill("c d")
    form.get_by_role("button", name="Send").click()
    expect(page.locator("body")).to_contain_text('{"found":"c d"}')
    page.close()
