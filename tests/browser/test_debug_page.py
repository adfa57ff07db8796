"""The error page of `antiphon run --debug` in a browser."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from antiphon.cli.debug.page import HEADERS
from antiphon.cli.debug.page import page as error_page
from tests.contract.process import ServerProcess

pytestmark = pytest.mark.processes

COMMAND = ("-m", "antiphon", "run", "{app}", "--debug", "--port", "{port}")
PATHS = ["markup", "long/7", "deep", "group"]
NOTE_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", event => violations.push(event.violatedDirective));
"""
WIDTHS = """() => {
  const wide = [...document.querySelectorAll("body *")].filter(each => {
    const box = each.getBoundingClientRect();
    return box.right > innerWidth + 1 && !each.closest("pre") && box.width > 0;
  });
  return [document.documentElement.scrollWidth <= innerWidth, wide.map(each => each.outerHTML.slice(0, 80))];
}"""
COLORS = """() => {
  const style = getComputedStyle(document.body);
  return [style.color, style.backgroundColor].map(each => each.match(/\\d+/g).reduce((sum, part) => sum + +part, 0));
}"""


@pytest.fixture(scope="module")
def site():
    with ServerProcess(COMMAND, "tests.helpers.served.failing:app") as process:
        yield f"http://127.0.0.1:{process.port}"


@pytest.fixture
def page(browser):
    page = browser.open("about:blank")
    page.before_each_document(NOTE_VIOLATIONS)
    yield page
    page.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [320, 1280], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(page, site, path, width):
    page.resize(width, 800)
    page.go(f"{site}/{path}")
    page.run('() => document.querySelectorAll("details").forEach(each => each.open = true)')
    assert page.run(WIDTHS) == [True, []]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_its_reader_prefers(page, site, scheme):
    page.prefer(scheme)
    page.go(f"{site}/markup")
    text, back = page.run(COLORS)
    assert (text < back) is (scheme == "light")
    assert abs(text - back) > 500


@pytest.mark.parametrize("path", PATHS)
def test_its_own_policy_stops_nothing_of_it(page, site, path):
    page.go(f"{site}/{path}")
    assert page.status == 500
    assert page.run("() => violations") == []
    assert page.run('() => document.getElementById("copy").hidden') is False


def test_markup_in_an_error_is_text(page, site):
    page.go(f"{site}/markup")
    assert page.title.startswith("tests.helpers.served.failing.Refused: <script>document.title = 'run'</script>")
    assert page.run('() => document.querySelectorAll("img, h1 script, .note b").length') == 0
    assert "<img src=x onerror=alert(1)> [masked]" in page.text


def test_the_policy_stops_scripts_that_are_not_its_own(page, site):
    page.go(f"{site}/markup")
    page.run(
        "() => { const it = document.createElement('script'); it.text = 'window.ran = 1'; document.body.append(it) }"
    )
    assert page.run("() => [window.ran ?? 0, violations]") == [0, ["script-src-elem"]]


def test_a_click_copies_it_as_text(page, site):
    page.allow(site, "clipboardReadWrite", "clipboardSanitizedWrite")
    page.go(f"{site}/markup")
    page.click("#copy")
    page.wait_until('() => document.getElementById("told").textContent === "Copied."')
    copied = page.run("() => navigator.clipboard.readText()")
    assert copied.startswith("# tests.helpers.served.failing.Refused: <script>")
    assert "\n## Traceback\n" in copied
    assert "opensesame" not in copied


def test_without_a_clipboard_the_text_is_selected(page, site):
    page.go(f"{site}/markup")
    page.run("() => { navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false }")
    page.click("#copy")
    page.wait_until('() => document.getElementById("told").textContent.startsWith("Press Ctrl+C")')
    assert page.run("() => getSelection().toString()").startswith("# tests.helpers.served.failing.Refused")


def test_it_can_be_read_without_scripts(page, site):
    page.without_scripts()
    page.go(f"{site}/markup")
    assert "Copy as text" not in page.text
    assert "raise error" in page.text
    assert page.run('() => document.querySelectorAll("details summary").length') > 2


def test_a_keyboard_reaches_all_that_scrolls_and_opens(page, site):
    page.go(f"{site}/long/7")
    unreachable = """() => [...document.querySelectorAll("pre, .values")].filter(each => each.tabIndex < 0).length"""
    assert page.run(unreachable) == 0
    levels = page.run('() => [...document.querySelectorAll("h1, h2, h3")].map(each => +each.tagName[1])')
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_what_failed_is_in_view(page, site):
    page.resize(320, 800)
    page.go(f"{site}/long/7")
    in_view = """() => {
      const mark = document.querySelector("mark").getBoundingClientRect();
      const box = document.querySelector("mark").closest("pre").getBoundingClientRect();
      return mark.left >= box.left && mark.left < box.right;
    }"""
    assert page.run(in_view)


class Mended(BaseHTTPRequestHandler):
    """Answers by the errors of its server, one after the other, and then by a page of the app."""

    def do_GET(self):
        errors = self.server.errors
        body = error_page(errors[0], refreshes=True) if errors else b"<!doctype html><title>mended</title>"
        self.send_response(500 if errors else 200)
        for name, value in HEADERS.items() if errors else ():
            self.send_header(name, value)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def test_it_refreshes_itself_when_the_mistake_is_another_one_or_mended(page):
    with ThreadingHTTPServer(("127.0.0.1", 0), Mended) as server:
        server.errors = [ValueError("first"), ValueError("second")]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.go(f"http://127.0.0.1:{server.server_port}/")
        assert page.title == "ValueError: first"
        del server.errors[0]
        page.wait_until('() => document.title === "ValueError: second"')
        del server.errors[0]
        page.wait_until('() => document.title === "mended"')
        server.shutdown()
