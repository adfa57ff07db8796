"""The script of blocks in a browser: a form fills its block, and the rest of the page stays as its user left it."""

import re

import pytest
from playwright.sync_api import expect

from tests.helpers.playwright import launched

pytestmark = pytest.mark.processes

APP = "tests.helpers.served.swaps:app"

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser(chromium):
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser, site):
    """A page that has said nothing on its console at the end: no error, and no violation of its policy."""
    said = []
    page = browser.new_page(base_url=site)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script("addEventListener('securitypolicyviolation', event => console.error(event.violatedDirective))")
    page.goto("/")
    page.evaluate("window.isThisDocument = true")
    yield page
    page.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


def is_same_document(page):
    return page.evaluate("window.isThisDocument === true")


def test_a_form_fills_its_block_and_the_rest_stays_as_it_was(page):
    page.fill("#elsewhere", "typed")
    page.fill("#draft", "a draft")
    page.click("#more summary")
    page.click("#inside summary")
    page.fill("[name=kept]", "kept")
    page.focus("#draft")
    page.evaluate("document.querySelector('#draft').setSelectionRange(2, 5)")
    page.evaluate("scrollTo(0, 300)")
    scrolled = page.evaluate("scrollY")
    page.evaluate("""document.querySelector('[name=text]').value = 'Tea';
                  document.querySelector('#add').requestSubmit()""")
    expect(page.locator("li").last).to_have_text("Tea")
    expect(page.locator("[data-block=count]")).to_have_text(re.compile(r"\d+ notes"))
    assert page.locator("li").count() == int(page.inner_text("p[data-block=count]").split()[0])
    state = """() => [document.activeElement.id, document.activeElement.selectionStart,
        document.activeElement.selectionEnd, document.querySelector('#elsewhere').value,
        document.querySelector('#draft').value, document.querySelector('[name=kept]').value,
        document.querySelector('#more').open, document.querySelector('#inside').open,
        document.querySelector('[name=text]').value]"""
    assert page.evaluate(state) == ["draft", 2, 5, "typed", "a draft", "kept", True, True, ""]
    assert page.evaluate("scrollY") == scrolled > 0
    assert is_same_document(page)


def test_errors_are_shown_in_place(page):
    page.fill("[name=text]", "x")
    page.click("#add button")
    expect(page.locator(".error")).to_have_text("Too short.")
    assert page.input_value("[name=text]") == "x"
    page.fill("[name=kept]", "kept")
    page.click("#break button")
    expect(page.locator("main > [role=alert]")).to_have_text("The shelf is full.")
    assert page.input_value("[name=kept]") == "kept"
    assert page.evaluate("document.activeElement.innerText") == "Break"
    page.fill("[name=text]", "Bread")
    page.click("#add button")
    expect(page.locator("li").last).to_have_text("Bread")
    expect(page.locator("[role=alert], .error")).to_have_count(0)
    assert is_same_document(page)


def test_back_and_forward_restore_what_was_shown(page, site):
    page.fill("#elsewhere", "typed")
    page.evaluate("scrollTo(0, 200)")
    page.evaluate("document.querySelector('#first').click()")
    expect(page.locator("h1")).to_have_text("Page 1")
    assert page.url == f"{site}/pages/1"
    page.click("#next")
    expect(page.locator("h1")).to_have_text("Page 2")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Page 1")
    expect(page).to_have_title("Page 1")
    page.go_back()
    expect(page.locator("#add")).to_be_visible()
    expect(page).to_have_title("Notes")
    page.wait_for_function("() => scrollY == 200")
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Page 1")
    assert page.input_value("#elsewhere") == "typed"
    assert is_same_document(page)
    page.reload()
    expect(page.locator("h1")).to_have_text("Page 1")
    assert page.locator("#elsewhere").count() == 1


def test_nothing_of_another_site_is_shown_in_the_page_though_that_site_allows_it(page, site):
    page.goto("/leaving")
    page.click("a")
    expect(page.locator("h1")).to_have_text("Foreign")
    assert page.url == site.replace("127.0.0.1", "localhost") + "/foreign"


def test_a_redirect_is_followed_and_its_end_shown(page, site):
    page.click("#moved")
    expect(page.locator("h1")).to_have_text("Page 7")
    assert page.url == f"{site}/pages/7"
    assert is_same_document(page)


def test_a_page_without_the_region_is_loaded_whole(page, site):
    page.click("#plain")
    expect(page.locator("h1")).to_have_text("Another layout")
    assert page.url == f"{site}/plain"
    assert not is_same_document(page)
    page.go_back()
    expect(page.locator("#add")).to_be_visible()


def test_a_link_may_aim_at_another_element(page):
    page.click("#aimed")
    expect(page.locator("#aside h1")).to_have_text("Page 1")
    expect(page.locator("#add")).to_be_visible()


def test_two_fast_submits_are_one_request(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/slow") else None)
    page.focus("#slow button")
    page.evaluate("""() => {
      const form = document.querySelector("#slow"), button = document.querySelector("#slow button");
      button.click();
      button.click();
      form.requestSubmit();
    }""")
    expect(page.locator("#slow button")).to_be_disabled()
    expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#slow")).to_have_attribute("data-loading", "")
    page.evaluate("document.querySelector('[name=later]').value = 'typed meanwhile'")
    page.evaluate("fetch('/let-go', {method: 'POST'})")
    expect(page.locator("li").last).to_have_text("1 slow")
    expect(page.locator("[aria-busy], [data-loading], :disabled")).to_have_count(0)
    assert len(asked) == 1
    assert page.evaluate("document.activeElement.innerText") == "Wait"
    assert page.input_value("[name=later]") == "typed meanwhile"


def test_an_upload_tells_its_progress(page):
    page.evaluate("""() => {
      window.told = [];
      addEventListener("block:progress", ({detail}) => told.push([detail.loaded, detail.total]));
      addEventListener("block:progress", () => told.push(document.querySelector("progress").value));
    }""")
    file = {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": bytes(3_000_000)}
    page.set_input_files("[name=file]", file)
    page.click("#upload button")
    expect(page.locator("li").last).to_have_text("3000000 bytes")
    (loaded, total), shown = page.evaluate("told.slice(-2)")
    assert loaded == total == shown > 3_000_000


def test_the_browser_keeps_what_is_its_own(page, site):
    with page.context.expect_page() as opened:
        page.click("#first", modifiers=["ControlOrMeta"])
    opened.value.close()
    assert page.url == f"{site}/"
    page.evaluate("document.querySelector('#first').target = '_blank'")
    with page.context.expect_page() as opened:
        page.click("#first")
    opened.value.close()
    assert is_same_document(page)


def test_a_failed_write_is_said_in_the_page_and_a_failed_read_is_left_to_the_browser(page, site):
    page.context.set_offline(True)
    page.evaluate("document.querySelector('#slow').requestSubmit()")
    said = page.locator("#main > [role=alert]")
    expect(said).to_have_text("This could not be sent. Please try again.")
    page.context.set_offline(False)
    page.fill("#add [name=text]", "Sent again")
    page.click("#add button")
    expect(page.locator("li").last).to_have_text("Sent again")
    expect(said).to_have_count(0)
    page.evaluate("""addEventListener('block:failed', event => {
        window.failed = event.target.id;
        if (window.failed == 'slow') event.preventDefault();
    })""")
    page.route("**/slow", lambda route: route.abort())
    page.evaluate("document.querySelector('#slow').requestSubmit()")
    page.wait_for_function("() => window.failed == 'slow'")
    expect(said).to_have_count(0)
    assert is_same_document(page)
    page.route("**/pages/1", lambda route: route.abort() if route.request.resource_type == "xhr" else route.continue_())
    page.click("#first")
    expect(page.locator("h1")).to_have_text("Page 1")
    assert page.url == f"{site}/pages/1"
    assert not is_same_document(page)


def test_of_two_answers_for_a_block_the_later_one_is_shown(page, site):
    """The first link's answer waits until the second one's is there."""
    waiting = []
    page.route("**/pages/1", lambda route: waiting.append(route))  # noqa: PLW0108 - it marks the function
    page.evaluate("(window.first = document.querySelector('#first')).click()")
    page.click("#moved")
    expect(page.locator("h1")).to_have_text("Page 7")
    waiting[0].continue_()
    page.wait_for_function("() => window.first.ariaBusy === null")
    expect(page.locator("h1")).to_have_text("Page 7")
    assert page.url == f"{site}/pages/7"


def test_a_policy_may_have_nonces_alone(page, site):
    page.goto("/nonce")
    page.evaluate("window.isThisDocument = true")
    for count in range(1, 3):
        page.click("a")
        expect(page.locator("main")).to_have_text(f"{count} More")
    assert page.url == f"{site}/nonce?count=2"
    assert is_same_document(page)


MORPHS = [
    (
        "<p>a</p><form id=f><input name=id></form><ul></ul><p>b</p>",
        "<p>a</p><p>!</p><form id=f><input name=id></form><ul></ul><p>b</p>",
        "form ul",
    ),
    ("<h1>a</h1><p>!</p><form></form><ul></ul><p>b</p>", "<h1>a</h1><form></form><ul></ul><p>b</p>", "h1 form ul"),
    ("<i id=a>1</i><i id=b>2</i><i id=c>3</i>", "<i id=c>3</i><i id=a>1</i><i id=b>2!</i>", "#a #b #c"),
    ("<i id=a>1</i><i id=b>2</i><i id=c>3</i>", "<i id=b>2</i><i id=c>3</i><i id=a>1</i>", "#a #b #c"),
    ("<i id=a>1</i><i id=b>2</i>", "<i id=b>2</i>", "#b"),
    (
        "<table><tbody><tr><td>1</td></tr></tbody></table>",
        '<table><tbody><tr class="x"><td>2</td></tr></tbody></table>',
        "tr td",
    ),
    ("<p title=x @click=go>a <b>b</b> c</p>", '<p @click="stop" lang="en">a <b>d</b></p>', "p b"),
    ("text <!-- one -->", "<!-- two --> other", ""),
    (
        "<select name=s><option>1</option></select>",
        "<select name=s><option>2</option><option>1</option></select>",
        "select",
    ),
    ("", "<p>new</p>", ""),
    ("<p>old</p>", "", ""),
]
MORPH = """async ([before, kept]) => {
  const main = document.querySelector("main");
  main.innerHTML = before;
  const nodes = kept.split(" ").filter(Boolean).map(each => [each, main.querySelector(each)]);
  const link = Object.assign(document.createElement("a"), {href: "/morphed"});
  Object.assign(link.dataset, {block: "main", history: "none"});
  document.body.append(link);
  link.click();
  await new Promise((done, fail) => {
    addEventListener("block:done", done, {once: true});
    addEventListener("error", fail, {once: true});
  });
  return [main.innerHTML, nodes.filter(([each, node]) => main.querySelector(each) !== node).map(([each]) => each)];
}"""


def test_a_block_becomes_what_was_sent_and_keeps_the_nodes_that_it_can(page, site):
    answers = [after for _, after, _ in MORPHS]
    headers = {"content-type": "text/html", "x-block": "main"}
    page.route("**/morphed", lambda route: route.fulfill(body=answers.pop(0), headers=headers))
    parse = "text => Object.assign(document.createElement('main'), {innerHTML: text}).innerHTML"
    for before, after, kept in MORPHS:
        assert page.evaluate(MORPH, [before, kept]) == [page.evaluate(parse, after), []], (before, after)
    assert page.url == f"{site}/"


def test_without_scripts_the_same_form_works(browser, site):
    page = browser.new_page(base_url=site, java_script_enabled=False)
    page.goto("/")
    page.fill("[name=text]", "Soap")
    page.click("#add button")
    expect(page.locator("li").last).to_have_text("Soap")
    page.close()
