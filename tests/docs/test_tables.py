"""The pages that show programs, counts and times of other files show what these say now."""

from scripts.tables import PAGES, PART, PARTS, written
from tests.helpers.rows import rows


@rows("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_as_it_would_be_written_now(page):
    assert page.read_text() == written(page.read_text()), "run: python -m scripts.tables"


def test_each_part_is_on_a_page():
    assert {found[2] for page in PAGES for found in PART.finditer(page.read_text())} == {*PARTS}
