"""The pages of the site in a browser that reaches no other host: open to everybody, and their examples run."""

import json
import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from scripts.playground.fetch import is_fetched
from tests.helpers.built_site import built_site, served_site
from tests.helpers.chromium import Chromium
from tests.helpers.combinations import OPTION

pytestmark = pytest.mark.processes

KINDS = ["", "tutorial/1-one-file/", "how-to/health/", "reference/wall/", "explanation/contracts/"]
KINDS += ["reference/dialects/pyramid/", "reference/app/", "maintainers/design/"]
"""The front page, and one page of each kind. Axe looks at all pages each week, with ``--all-combinations``."""
SCHEMES = ("light", "dark")
SCREENS = [(390, "light"), (768, "dark"), (1280, "light"), (390, "dark"), (768, "light"), (1280, "dark")]
"""The screens of the front page; the first half of them are those of the other pages."""
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
VIOLATIONS = """async (left_out, scheme) => {
  const colours = scheme === "dark" && { runOnly: ["color-contrast"] };  // all that a scheme changes
  const rules = { resultTypes: ["violations"], ...colours };
  const { violations } = await axe.run({ include: ["html"], exclude: left_out }, rules);
  return violations.map(each => [each.id, each.nodes.map(node => [node.html, node.any.map(check => check.message)])]);
}"""
MARKUP = re.compile(
    r"\|[^|\n]+\|[^|\n]+\||\|-+\||\]\([^)\n]*\)|\*\*[^*\n]+\*\*|^#+ \w.*|\{:? ?[.#][^}\n]*\}|`|^ *!!! |<!--",
    re.MULTILINE,
)
KEEP_ERRORS = """
  const kept = window.errors = [];
  for (const kind of ["error", "warn"]) console[kind] = (...told) => kept.push(told.join(" "));
  addEventListener("error", ({ message, target }) => kept.push(message ?? target.outerHTML), true);
  addEventListener("unhandledrejection", ({ reason }) => kept.push(String(reason)));
"""
READ = """() => {
  const copy = document.querySelector(".md-container, body").cloneNode(true);
  copy.querySelectorAll("script, style, pre, code").forEach(each => each.remove());
  return [errors, copy.textContent];
}"""
COLOURS_OF_CODE = ["pre span"]
"""Many, and seen on the front page: axe looks at each."""
WITHOUT_MOTION = """() => {
  const style = document.createElement("style");
  style.textContent = "*, *::before, *::after { transition: none !important; animation: none !important }";
  document.head.append(style);
}"""
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
IS_TOO_WIDE = "() => document.documentElement.scrollWidth > innerWidth"
ASKED = "() => performance.getEntriesByType('resource').map(each => new URL(each.name).origin)"
FILLED = "() => getComputedStyle(document.querySelector('.way rect')).fill"
BREAK_THE_FIRST_WORKER = """() => {
  const Whole = Worker;
  window.Worker = class extends Whole {
    constructor(url, options) {
      const isOurs = String(url).includes("playground");  // the search has a worker, too
      super(isOurs ? `${url}.missing` : url, options);
      if (isOurs) window.Worker = Whole;
    }
  };
}"""
HAS_FAILED = "() => document.querySelector('.run__status')?.textContent.includes('could not')"
HAS_ANSWERS = "() => document.querySelector('.run__status')?.textContent.startsWith('Answered')"
ANSWERS = "() => [...document.querySelectorAll('.run__answers > div')].map(each => each.innerText.split('\\n'))"


@pytest.fixture(scope="module")
def site():
    pytest.importorskip("zensical")
    with served_site() as address:
        yield address


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    with Chromium(chromium, tmp_path_factory.mktemp("profile"), NO_OTHER_HOST) as browser:
        page = browser.open("about:blank")
        page.before_each_document(KEEP_ERRORS)
        yield page


@pytest.mark.parametrize("part", range(16))
def test_every_page_is_read_as_text_and_fits_on_its_screen_without_an_error(page, site, part, pytestconfig):
    wrong = {}
    for number, file in enumerate(sorted(built_site().rglob("index.html"))[part::16]):
        path = file.relative_to(built_site()).parent
        page.prefer(SCHEMES[number % 2])
        page.go(f"{site}{path}/")
        errors, text = page.run(READ)
        widths = (1280, 390) if number % 2 else (390, 1280)  # the first is that of the page before
        widths = [width for width in widths if page.resize(width, 900) or page.run(IS_TOO_WIDE)]
        closed = [closed_to_some(page, scheme) for scheme in SCHEMES if pytestconfig.getoption(OPTION)]
        if errors or widths or MARKUP.search(text) or any(closed):
            wrong[str(path)] = errors, widths, MARKUP.findall(text), closed
    assert wrong == {}


def closed_to_some(page, scheme):
    prepare(page)
    page.prefer(scheme)
    page.run(TWO_FRAMES)
    return page.run(VIOLATIONS, ["pre code"], scheme)


def prepare(page):
    """Load axe into the page, and let nothing in it move."""
    page.run("source => { if (!window.axe) eval(source) }", AXE_SCRIPT)
    page.run(WITHOUT_MOTION)


@pytest.mark.parametrize("path", KINDS)
def test_a_page_is_open_to_everybody_and_asks_no_other_host(page, site, path):
    page.go(site + path)
    prepare(page)
    for width, scheme in SCREENS if path == "" else SCREENS[:3]:
        page.resize(width, 900)
        page.prefer(scheme)
        page.run(TWO_FRAMES)
        seen = (path, width, scheme)
        assert (seen, page.run(VIOLATIONS, COLOURS_OF_CODE if path else [], scheme), page.run(IS_TOO_WIDE)) == (
            seen,
            [],
            False,
        )
    assert {*page.run(ASKED)} == {site.rstrip("/")}


def test_a_page_says_its_version_and_draws_in_the_colours_of_the_reader(page, site):
    page.go(f"{site}maintainers/design/")
    page.prefer("light")
    page.wait_until("() => document.querySelector('.md-version')?.innerText.includes('0.')")
    page.wait_until("() => document.body.getAttribute('data-md-color-scheme') === 'default'")
    light = page.run(FILLED)
    page.run("() => document.body.setAttribute('data-md-color-scheme', 'slate')")
    assert page.run(FILLED) != light


def test_an_example_runs_in_the_page_also_when_python_could_not_be_started_at_first(page, site):
    if not is_fetched():
        pytest.skip("Pyodide is not here: `make docs` fetches it")
    page.go(f"{site}tutorial/2-pages/")
    page.resize(1280, 900)
    page.wait_until("() => document.querySelectorAll('.run button').length === 3")
    page.run(BREAK_THE_FIRST_WORKER)
    page.click(".run button")
    page.wait_until(HAS_FAILED)
    assert page.run(ANSWERS) == [["The worker could not be loaded."]]
    page.click(".run button")
    page.wait_until(HAS_ANSWERS)
    title, entries, missing = page.run(ANSWERS)
    assert title[1:] == ["200 text/html; charset=utf-8", "  <title>Guestbook</title>"]
    assert [each["author"] for each in json.loads(entries[-1])] == ["Ada", "Bob"]
    assert missing[1:3] == ["404 text/html; charset=utf-8", "<p>There is no entry 9.</p>"]
    prepare(page)
    page.run(TWO_FRAMES)
    assert page.run(VIOLATIONS, COLOURS_OF_CODE, "light") == []
    assert {*page.run(ASKED)} == {site.rstrip("/")}
