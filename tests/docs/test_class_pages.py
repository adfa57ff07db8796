"""The pages of classes are what their docstrings say."""

import pytest
from scripts.reference import FOLDER, PAGES, page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_it_would_be_written_now(name):
    assert (FOLDER / name).read_text() == page(*PAGES[name]), "run: python -m scripts.reference"
