"""The page into which commands write what they have measured."""

from pathlib import Path

import pytest

from benchmarks import readme

pytestmark = pytest.mark.once


def test_a_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(
        "# Figures\n\n<!-- from growth -->\nold\n<!-- end -->\n\n<!-- from others -->\nkept\n<!-- end -->\n"
    )
    readme.write("growth", readme.table(["route", "ns:"], [["last", "2"]]), page)
    assert page.read_text() == (
        "# Figures\n\n<!-- from growth -->\n\n| route | ns |\n| --- | ---: |\n| last | 2 |\n\n<!-- end -->"
        "\n\n<!-- from others -->\nkept\n<!-- end -->\n"
    )
    with pytest.raises(LookupError, match="no place for routing"):
        readme.write("routing", "", page)
