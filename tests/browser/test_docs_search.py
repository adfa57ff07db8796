"""What people ask the search of the site for, in words of the field: the right page is among the first three."""

from urllib.parse import urlsplit

import pytest

from tests.helpers.built_site import served_site
from tests.helpers.questions import QUESTIONS

pytestmark = [pytest.mark.processes, pytest.mark.slow]

HOST = "[...document.querySelectorAll('*')].find(each => each.shadowRoot?.querySelector('input[role=combobox]'))"
ASK = f"""question => {{
  const input = {HOST}.shadowRoot.querySelector('input[role=combobox]');
  input.value = question;
  input.dispatchEvent(new InputEvent('input', {{bubbles: true}}));
}}"""
FOUND = f"() => [...{HOST}.shadowRoot.querySelectorAll('[role=listbox] a')].map(each => each.href)"


@pytest.fixture(scope="module")
def search(browser_of_all):
    """The open search of the site, in a browser."""
    pytest.importorskip("zensical")
    with served_site() as address, browser_of_all.profile() as browser:
        page = browser.open(address)
        page.run("() => document.querySelector('.md-search__button').click()")
        page.wait_until(f"() => Boolean({HOST})")
        yield page


def pages_for(page, question):
    """Return the pages that a question finds, in order, each once."""
    page.run(ASK, "")
    page.wait_until(f"() => ({FOUND})().length == 0")
    page.run(ASK, question)
    page.wait_until(f"() => ({FOUND})().length > 0")
    return [*dict.fromkeys(urlsplit(link).path.strip("/") for link in page.run(FOUND))]


def test_a_question_in_common_words_finds_its_page_among_the_first_three(search):
    found = {question: pages_for(search, question)[:3] for question, _ in QUESTIONS}
    missed = {question: found[question] for question, wanted in QUESTIONS if not {*wanted.split()} & {*found[question]}}
    assert missed == {}
