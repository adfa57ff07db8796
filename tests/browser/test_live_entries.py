"""The guestbook in two windows: each shows what others write, whichever process they reach, and over a restart."""

import http.client
import json
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from examples.guestbook.book import Book
from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

FORM = {"content-type": "application/x-www-form-urlencoded"}
SHOWN = "() => [...document.querySelectorAll('article p')].map(each => each.textContent)"


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    with ServerProcess((*RUN, "--workers", "2"), "examples.guestbook:make_app") as process:
        yield process


@pytest.fixture
def windows(browser, site):
    return [browser.open(f"http://127.0.0.1:{site.port}/") for _ in range(2)]


@pytest.fixture
def book(site, tmp_path):
    """The book as this process has it open: another one than any of the server's."""
    return Book(tmp_path / "var/guestbook")


class Writer:
    """A user who writes by a program, each time on a new connection, so perhaps to another worker."""

    def __init__(self, port):
        self._port = port
        self._cookie = ""
        self._cookie = self._post("signup", name="Ada", password="an oboe in the rain")

    def write(self, words):
        self._post("", words=words)

    def _post(self, path, **form):
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            connection.request("POST", f"/{path}", urlencode(form), {**FORM, "cookie": self._cookie})
            response = connection.getresponse()
            assert response.status == 303, response.read()
            cookies = [value for name, value in response.getheaders() if name.lower() == "set-cookie"]
            return "; ".join(cookie.partition(";")[0] for cookie in cookies)


def show(windows, *words):
    """Wait until each window shows these entries, newest first, and no others."""
    for window in windows:
        window.wait_until(f"() => JSON.stringify(({SHOWN})()) === JSON.stringify({json.dumps(words)})")


def test_an_entry_appears_in_each_window_and_none_is_missed_over_a_restart(site, windows, book):
    for window in windows:
        window.run("() => { window.isThisDocument = true }")
    ada = Writer(site.port)
    ada.write("<b>First</b>")
    show(windows, "<b>First</b>")
    assert "Nobody has written yet" not in windows[0].text
    for number in range(3):
        ada.write(f"Entry {number}")
    show(windows, "Entry 2", "Entry 1", "Entry 0", "<b>First</b>")
    site.end()
    book.add_entry(book.user("1"), "While nobody served", None, "")
    site.start_again()
    show(windows, "While nobody served", "Entry 2", "Entry 1", "Entry 0", "<b>First</b>")
    ada.write("Back")
    show(windows, "Back", "While nobody served", "Entry 2", "Entry 1", "Entry 0", "<b>First</b>")
    assert all(window.run("() => window.isThisDocument") for window in windows)


def test_an_author_s_window_shows_an_entry_once_and_an_older_page_none(site, windows):
    author, reader = windows
    author.go(f"http://127.0.0.1:{site.port}/signup")
    author.run("() => { document.querySelector('main form').name.value = 'Cleo' }")
    author.run("() => { document.querySelector('main form').password.value = 'an oboe in the rain' }")
    author.run("() => { document.querySelector('main form').requestSubmit() }")
    author.wait_until("() => document.querySelector('textarea') !== null")
    ada = Writer(site.port)
    for number in range(11):
        ada.write(f"Entry {number}")
    show([reader], *(f"Entry {number}" for number in range(10, -1, -1)))
    author.run("() => { document.querySelector('textarea').value = 'Mine' }")
    author.run("() => { document.querySelector('main form').requestSubmit() }")
    show([author], "Mine", *(f"Entry {number}" for number in range(10, 1, -1)))
    show([reader], "Mine", *(f"Entry {number}" for number in range(10, -1, -1)))
    author.click("a[data-block=entries]")
    author.wait_until("() => location.search.startsWith('?before=')")
    show([author], "Entry 1", "Entry 0")
    ada.write("Another")
    show([reader], "Another", "Mine", *(f"Entry {number}" for number in range(10, -1, -1)))
    show([author], "Entry 1", "Entry 0")
    author.run("() => history.back()")
    show([author], "Another", "Mine", *(f"Entry {number}" for number in range(10, 2, -1)))
    author.click("article:nth-of-type(2) button")
    show([author], "Another", *(f"Entry {number}" for number in range(10, 1, -1)))
