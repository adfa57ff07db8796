"""The page into which commands write what they have measured."""

import re
from pathlib import Path

import pytest

from benchmarks import readme


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


def test_each_program_is_in_the_table_and_each_page_names_programs_that_exist() -> None:
    folder = readme.FILE.parent
    programs = {path.stem for path in folder.glob("*.py") if '"__main__"' in path.read_text()} - {"__main__", "counted"}
    listed = {*re.findall(r"^\| `benchmarks\.(\w+)`", readme.FILE.read_text(), re.MULTILINE)}
    assert listed == programs
    root = folder.parent
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), readme.FILE]
    for page in pages:
        if page.name != "CHANGELOG.md":
            assert {*re.findall(r"(?<![\w/])benchmarks\.([a-z_]+)", page.read_text())} <= listed, page
    (makefile,) = re.findall(r"addprefix benchmarks\., ([\w ]+)\)", (root / "Makefile").read_text())
    assert {*makefile.split()} <= listed
