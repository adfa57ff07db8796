"""llms.txt and what it leads to: every page of the documentation is named and there, and the reference is one file."""

import re

import pytest

from scripts import docs_site
from tests.helpers.built_site import built_site


LINK = re.compile(r"^- \[[^\]]+\]\(([^)]+)\)", re.MULTILINE)
DOCS = docs_site.DOCS


@pytest.fixture(scope="module")
def site():
    pytest.importorskip("zensical")
    return built_site()


@pytest.mark.processes
def test_llms_txt_names_pages_that_exist(site):
    text = (site / "llms.txt").read_text()
    title, quote = text.split("\n\n")[:2]
    assert title == "# Antiphon"
    assert quote.startswith("> ")
    named = LINK.findall(text)
    assert len(named) > 100
    assert [target for target in named if not (site / target).is_file()] == []


@pytest.mark.processes
def test_llms_txt_names_every_page_that_the_contents_list(site):
    listed = {target for target in re.findall(r"\]\(([^)#:]+\.md)\)", (DOCS / "README.md").read_text())}
    named = {*LINK.findall((site / "llms.txt").read_text())}
    assert listed - named == set()


@pytest.mark.processes
def test_the_reference_is_one_file_of_the_size_that_is_told(site):
    whole = (site / "llms-full.txt").read_text()
    pages = {f"reference/{path.relative_to(DOCS / 'reference')}" for path in (DOCS / "reference").rglob("*.md")}
    assert pages - {*re.findall(r"^<!-- (reference/\S+) -->$", whole, re.MULTILINE)} == set()
    told = re.search(r"\(llms-full\.txt\): ([\d,]+) kB", (site / "llms.txt").read_text())
    assert int(told[1].replace(",", "")) == round(len(whole.encode()) / 1000)


@pytest.mark.processes
def test_each_page_is_there_as_markdown_without_what_only_the_site_reads(site):
    for path in DOCS.rglob("*.md"):
        text = (site / docs_site.places()[path]).read_text()
        assert not text.startswith("---"), path
        assert "data-example" not in text, path
