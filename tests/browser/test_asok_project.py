"""A project written for Asok in a browser, served unchanged by `antiphon run --dialect asok`."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.contract.process import ServerProcess
from tests.helpers.playwright import launched
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

BAKERY = Path(__file__).parent.parent / "dialects" / "asok" / "projects" / "bakery"

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = shutil.copytree(BAKERY, tmp_path_factory.mktemp("asok") / "bakery")
    with pytest.MonkeyPatch.context() as changed:
        changed.chdir(folder)
        changed.setenv("SECRET_KEY", "a key for tests, of more than 32 characters")
        with ServerProcess((*RUN, "--dialect", "asok"), "wsgi:app") as process:
            yield f"http://127.0.0.1:{process.port}"


@pytest.fixture
def page(chromium, site):
    """A page that has said nothing on its console at the end: no error, and no violation of its policy."""
    said = []
    with launched(chromium) as browser:
        page = browser.new_page(base_url=site)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
    assert [text for text in said if "Failed to load resource" not in text] == []


def test_a_visit_of_the_bakery(page):
    page.goto("/contact")
    page.evaluate("window.isThisDocument = true")
    # A form with data-block fills its block alone: with what is wrong, then empty, since it was sent.
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill("ada@localhost")
    page.get_by_label("Topic").select_option("other")
    page.get_by_label("Message").fill("A <loaf> of rye.")
    page.evaluate("document.querySelector('#topic').options[1].value = 'none'")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#topic-error")).to_have_text("Must be one of: bread,other.")
    expect(page.get_by_label("Topic")).to_have_attribute("aria-describedby", "topic-error")
    expect(page.get_by_label("Message")).to_have_value("A <loaf> of rye.")
    page.get_by_label("Topic").select_option("other")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Message")).to_have_value("")
    expect(page.locator(".form-error")).to_have_count(0)
    assert page.evaluate("window.isThisDocument === true")
    # Its message was for the next whole page.
    page.goto("/bread")
    expect(page.locator(".flash.success")).to_have_text("Thank you, Ada!")
    # A write with another token is refused, and its page is shown.
    page.goto("/login")
    page.evaluate("document.querySelector('[name=csrf_token]').value = 'x'")
    page.get_by_label("E-mail").fill("bo@example.com")
    page.get_by_label("Password").fill("battery staple")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="403")).to_be_visible()
    # A language that is chosen stays chosen, also in the messages of forms.
    page.goto("/login?next=/bread/1&lang=fr")
    page.get_by_label("E-mail").fill("bo@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.locator(".flash.error")).to_have_text("Courriel ou mot de passe incorrect.")
    page.get_by_label("Password").fill("battery staple")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", name="Rye")).to_be_visible()
    expect(page.locator("nav span")).to_have_text("Bo & Co")
    expect(page.locator(".flash.success")).to_have_text("Bonjour Bo & Co")
    page.get_by_role("link", name="Se déconnecter").click()
    expect(page.locator(".flash.info")).to_have_text("Bye.")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
