"""The page on the twenty files: they are there, and short enough to be read in a day."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"^\d+\. `([\w/]+\.py)`", (ROOT / "docs/maintainers/twenty-files.md").read_text(), re.MULTILINE)
MOST_LINES = 7_937


def test_they_are_there_and_few():
    files = [ROOT / "src/antiphon" / each for each in NAMED]
    assert len({*files}) == 20
    assert sum(len(each.read_text().splitlines()) for each in files) <= MOST_LINES
