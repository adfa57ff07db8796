"""A page of a real browser, for tests of pages."""

import pytest

from tests.helpers.chromium import Chromium
from tests.helpers.system_programs import required_program

chromium = required_program("chromium")


@pytest.fixture
def page(chromium, tmp_path):
    """An empty page in a browser with an empty profile."""
    with Chromium(chromium, tmp_path / "profile") as browser:
        yield browser.open("about:blank")
