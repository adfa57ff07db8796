"""The pages of the reference are what the docstrings say, and describe each public name."""

import importlib
from collections import Counter

import pytest

from scripts.reference import FOLDER, PLACES, pages, target
from scripts.reference_pages import TOPICS

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_it_would_be_written_now(name):
    assert (FOLDER / name).read_text() == PAGES[name], "run: python -m scripts.reference"


@pytest.mark.parametrize("place", PLACES)
def test_each_public_name_has_a_page_that_describes_it(place):
    assert [name for name in importlib.import_module(place).__all__ if target(place, name) is None] == []


def test_no_name_is_described_twice():
    names = Counter((topic.place, name) for topic in TOPICS.values() for name in topic.names.split())
    assert [name for name, count in names.items() if count > 1] == []
