"""Live blocks in a browser: a write by another session appears, and what the visitor is doing stays."""

from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.contract.process import ServerProcess
from tests.helpers.playwright import launched
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

expect.set_options(timeout=30_000)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE", f"sqlite:///{tmp_path / 'shop.db'}")
    monkeypatch.setenv("STORE", str(tmp_path / "store.db"))
    with ServerProcess((*RUN, "--workers", "2"), "tests.helpers.served.live:app") as process:
        yield process


@pytest.fixture
def page(chromium, server):
    """A page of which no policy was violated at the end."""
    said = []
    with launched(chromium) as browser:
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}")
        page.on("pageerror", lambda error: said.append(str(error)))
        page.add_init_script("addEventListener('securitypolicyviolation', event => { throw event.violatedDirective })")
        yield page
    assert said == []


def order(page, name):
    """Order as another visitor."""
    with urlopen(page.url, urlencode({"name": name}).encode()) as response:
        assert response.status == 200


def test_a_write_of_another_session_appears_and_typed_text_and_focus_stay(page):
    page.goto("/")
    expect(page.locator("li")).to_have_count(0)
    page.fill("#search", "elsewhere")
    page.fill("[name=name]", "half a na")
    page.evaluate("input = document.activeElement; input.setSelectionRange(2, 4)")
    for number, name in enumerate(["Tea", "<b>Milk</b>"]):
        order(page, name)
        expect(page.locator("li").nth(number)).to_have_text(name)
    state = page.evaluate("[document.activeElement === input, input.value, input.selectionStart, input.selectionEnd]")
    assert state == [True, "half a na", 2, 4]
    assert page.input_value("#search") == "elsewhere"
    page.click("button")
    expect(page.locator("li")).to_have_text(["Tea", "<b>Milk</b>", "half a na"])
    order(page, "Rice")
    expect(page.locator("li")).to_have_count(4)


def send(page, path, **form):
    """Send a form without leaving the page."""
    script = (
        "([path, form]) => fetch(path, {method: 'POST', body: new URLSearchParams(form)}).then(sent => sent.status)"
    )
    assert page.evaluate(script, [path, form]) == 200


def test_after_a_logout_the_block_ends_with_its_last_state_and_says_why(page):
    page.goto("/")
    send(page, "/login", name="ann")
    page.goto("/mine")
    page.evaluate("addEventListener('block:ended', event => { ended = event.detail })")
    send(page, "/mine", name="Tea")
    expect(page.locator("li")).to_have_text(["Tea"])
    send(page, "/logout")
    send(page, "/", name="Milk")
    expect(page.locator("main [role=alert]")).to_have_text("Log in first.")
    expect(page.locator("li")).to_have_text(["Tea"])
    assert page.evaluate("ended") == {"status": 401}
