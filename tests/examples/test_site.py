"""The site of `make run`: its guestbook has entries, which are written once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.testing import Client
from examples.guestbook import make_app
from examples.guestbook.book import Book
from examples.guestbook.samples import SAMPLES, add_samples


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def words(book):
    return [entry.words for entry in book.entries(1 << 40, 100)]


def test_a_new_book_has_entries_once_however_many_workers_start(book, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(add_samples, Book(tmp_path)) for _ in range(8)]:
            started.result()
    assert words(book) == [words for _, _, words in reversed(SAMPLES)]
    page = Client(make_app(tmp_path), headers={"accept": "text/html"}).get("/").text
    assert all(f"<bdi>{author}</bdi>" in page for author, _, _ in SAMPLES)


def test_entries_that_are_deleted_stay_deleted(book):
    add_samples(book)
    authors = {user.name: user for number in range(1, len(SAMPLES) + 1) if (user := book.user(str(number)))}
    for entry in book.entries(1 << 40, 100):
        assert book.delete_entry(entry.id, authors[entry.author])
    add_samples(book)
    assert words(book) == []


def test_a_book_that_is_in_use_stays_as_it_is(book):
    ada = book.add_user("Ada", "an oboe in the rain")
    add_samples(book)
    assert (words(book), ada.id) == ([], 1)


def test_with_no_password_one_logs_in_as_an_author_of_the_samples(book):
    add_samples(book)
    author, _, _ = SAMPLES[0]
    assert book.user_with(author, "") is None
