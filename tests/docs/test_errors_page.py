"""The page of errors is what `antiphon explain` prints."""

import pytest

from scripts.reference import FOLDER, errors_page

pytestmark = pytest.mark.once


def test_the_page_is_as_it_would_be_written_now():
    assert (FOLDER / "errors.md").read_text() == errors_page(), "run: python -m scripts.reference"
