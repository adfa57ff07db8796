"""The search of the site finds what `antiphon docs WORDS` finds, and says where no page answers a question."""

from urllib.parse import urlsplit

import pytest

from tests.helpers.built_site import served_site
from tests.helpers.questions import FROM_FEATURES, PROGRAMMERS, SENTENCES, STRANGERS, UNANSWERED, WORDS, missed

pytestmark = pytest.mark.processes

NONE = "contents"
"""The page to which the first result leads if none answers a question."""
HOST = "[...document.querySelectorAll('*')].find(each => each.shadowRoot?.querySelector('input[role=combobox]'))"
ASK = f"""question => {{
  const input = {HOST}.shadowRoot.querySelector('input[role=combobox]');
  input.value = question;
  input.dispatchEvent(new InputEvent('input', {{bubbles: true}}));
}}"""
FOUND = f"() => [...{HOST}.shadowRoot.querySelectorAll('[role=listbox] a')].map(each => each.href)"
MARKED = f"() => [...{HOST}.shadowRoot.querySelectorAll('mark')].map(each => each.innerText)"
ASK_ALL = """async questions => {
  const index = await (await fetch("search.json")).json();
  const worker = new Worker(JSON.parse(document.querySelector("#__config").textContent).search);
  const ask = message => new Promise(done => {
    worker.onmessage = ({ data }) => done(data);
    worker.postMessage(message);
  });
  await ask({ type: 0, data: index });
  const found = [];
  for (const input of questions) {
    const { items } = (await ask({ type: 2, data: { input } })).data;
    found.push(items.map(({ id }) => index.items[id].location.split("#")[0].replace(/[/]$/, "")));
  }
  worker.terminate();
  return found;
}"""


@pytest.fixture(scope="module")
def page(browser_of_all):
    pytest.importorskip("zensical")
    with served_site() as address, browser_of_all.profile() as browser:
        yield browser.open(address)


@pytest.fixture(scope="module")
def found(page):
    """What the search finds for each question."""
    questions = [each for each, _ in WORDS + SENTENCES + STRANGERS + FROM_FEATURES + PROGRAMMERS] + UNANSWERED
    return dict(zip(questions, page.run(ASK_ALL, questions), strict=True))


def test_a_question_finds_its_page_among_the_first_three(found):
    assert missed(WORDS, found.get) == {}
    for questions in (SENTENCES, STRANGERS, FROM_FEATURES, PROGRAMMERS):
        assert len(missed(questions, found.get)) <= len(questions) / 20


def test_a_question_that_no_page_answers_is_told_so(found):
    assert {each: found[each][0] for each in UNANSWERED} == dict.fromkeys(UNANSWERED, NONE)
    assert [each for each, _ in WORDS if NONE in found[each]] == []


def test_what_is_typed_is_found_and_marked(page):
    page.run("() => document.querySelector('.md-search__button').click()")
    page.wait_until(f"() => Boolean({HOST})")
    for typed, first in (
        ("resumabel uploads", "how-to/resumable-uploads"),
        ("zzzzzz", NONE),
        ("pagin", "how-to/pagination"),
    ):
        page.run(ASK, typed)
        page.wait_until(f"() => new URL(({FOUND})()[0] ?? 'a:b').pathname.includes('{first}')")
    page.wait_until(f"() => ({MARKED})().length > 0")
    assert urlsplit(page.run(FOUND)[0]).path.strip("/") == "how-to/pagination"
