"""The project beside the tests in a browser: a form fills its block by itself, and the rest of the page stays."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.cli.conftest import Command
from tests.dialects.asok.conftest import PROJECT
from tests.helpers.playwright import launched
from tests.helpers.system_programs import required_program

pytestmark = pytest.mark.processes

chromium = required_program("chromium")
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "project"
    shutil.copytree(PROJECT, folder)
    (folder / ".env").write_text("SECRET_KEY=a key for tests, of more than 32 characters\n")
    command = Command(folder, "run", ("--dialect", "asok", "wsgi:app")).serving()
    yield f"http://127.0.0.1:{command.port}"
    command.end()


@pytest.fixture(scope="module")
def browser(chromium):
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser, site):
    """The page of messages, as one visitor sees it. Its console says nothing, such as a violation of the policy."""
    said = []
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/message")
    page.evaluate("window.isThisDocument = true")
    page.fill("#elsewhere", "typed")
    yield page
    context.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


def send(page, name, form="main form"):
    """Send a form, and return the response that the script was sent."""
    page.fill(f"{form} [name=name]", name)
    with page.expect_response("**/message*") as response:
        page.click(f"{form} button")
    return response.value


def is_as_before(page):
    return page.evaluate("window.isThisDocument === true && document.querySelector('#elsewhere').value === 'typed'")


@pytest.mark.feature("asok-035", "asok-036", "asok-037", "asok-038", "asok-039", "asok-040", "asok-059")
def test_a_form_fills_its_block_with_errors_and_with_thanks(page):
    assert page.evaluate("window.ran")
    page.evaluate("document.querySelector('main form').noValidate = true")
    refused = send(page, "A")
    expect(page.locator("main .form-error")).to_have_text("Minimum 2 characters.")
    assert refused.request.headers["x-block"] == "main"
    assert page.input_value("main [name=name]") == "A"
    sent = send(page, "Ann")
    expect(page.locator(".flash.success")).to_have_text("Thank you, Ann!")
    expect(page.locator("main li").last).to_have_text("Ann")
    assert page.input_value("main [name=name]") == ""
    assert "<header>" not in sent.text()
    is_replaced = "text => { const e = document.querySelector('main').cloneNode(); e.innerHTML = text;"
    assert page.evaluate(f"{is_replaced} return e.isEqualNode(document.querySelector('main')) }}", sent.text())
    assert is_as_before(page)


@pytest.mark.feature("asok-065")
def test_a_form_without_a_token_is_refused_in_place(page):
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach(input => input.remove())")
    assert send(page, "Dan").status == 403
    expect(page.locator("main [role=alert]")).to_contain_text("no valid CSRF token")
    assert page.locator("main li", has_text="Dan").count() == 0
    assert page.input_value("main [name=name]") == "Dan"
    assert is_as_before(page)
