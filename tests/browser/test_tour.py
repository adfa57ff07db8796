"""The tour in a browser: open to everybody, on each screen and in both directions, and each card does what it says."""

import pytest
from playwright.sync_api import expect

from tests.contract.process import ServerProcess
from tests.helpers.accessibility import look_at
from tests.helpers.playwright import launched
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

expect.set_options(timeout=30_000)
PAGES = ["", "?direction=rtl&program=session", "docs/", "docs/how-to/forms.md", "docs/?q=sign+a+cookie", "api/docs"]
SCREENS = [(width, 900, scheme) for width in (390, 1280) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def site():
    with ServerProcess((*RUN, "--debug"), "examples.tour:app") as process:
        yield f"http://127.0.0.1:{process.port}"


@pytest.fixture
def context(chromium, site):
    with launched(chromium) as browser:
        yield browser.new_context(base_url=site)


def test_every_page_is_open_to_everybody(page, site):
    for path in PAGES:
        page.go(f"{site}/{path}")
        look_at(page, path, SCREENS)
    page.go(f"{site}/.antiphon/docs/how-to/forms.md")
    assert page.status == 200


def test_an_interface_is_chosen_and_a_mistake_is_told_with_the_keyboard(context):
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Interface").focus()
    page.keyboard.press("w")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Interface")).to_have_value("wsgi")
    expect(page.locator("article")).to_have_count(8)
    page.set_viewport_size({"width": 390, "height": 900})
    page.locator(".ways pre").first.focus()
    page.keyboard.press("Tab")
    expect(page.locator(".ways pre").nth(1)).to_be_in_viewport(ratio=0.9)
    page.locator("#typed button").press("Enter")
    expect(page.locator("#typed output")).to_contain_text("/price")
    page.locator("#readers button").press("Enter")
    expect(page.locator("#readers output")).to_contain_text("2 stream")
    page.get_by_text("A handler that fails").press("Enter")
    expect(page.locator("h1")).to_contain_text("unsupported operand")
    assert "sk-" not in page.locator("main").inner_text()


def test_a_vote_in_one_tab_appears_in_the_other(context):
    one, other = context.new_page(), context.new_page()
    one.goto("/")
    other.goto("/")
    for count in (1, 2):
        one.get_by_role("button", name="coffee").click()
        for page in (one, other):
            expect(page.locator(".votes li").nth(1)).to_contain_text(f"{count}")


def test_an_upload_goes_on_after_its_tab_was_closed(context, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(bytes(8 << 20))
    first = context.new_page()
    first.route(
        "**/films/**", lambda route: route.continue_() if route.request.headers.get("upload-offset") == "0" else None
    )
    first.goto("/")
    first.set_input_files("#film", film)
    first.click("#films button")
    expect(first.locator("#films output")).to_have_text("12 % have arrived")
    first.close()
    offsets = []
    second = context.new_page()
    second.on("request", lambda sent: offsets.append(sent.headers.get("upload-offset")))
    second.goto("/")
    expect(second.locator("#films output")).to_contain_text("it goes on")
    second.set_input_files("#film", film)
    second.click("#films button")
    expect(second.locator("#films output")).to_contain_text("201")
    assert "0" not in offsets
