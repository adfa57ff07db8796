"""The site of the documentation: it has every page, and each of its links leads somewhere, down to the heading."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from scripts import docs_site
from tests.helpers.built_site import built_site

DOCS = docs_site.DOCS


class Page(HTMLParser):
    """The links of a page, and the ids that links can lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in ("href", "src"):
                self.links.add(value or "")


def test_the_navigation_has_every_page():
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"README.md"}
    assert pages - set(re.findall(r"\]\(([^)]+)\)", docs_site.navigation())) == set()


@pytest.mark.processes
def test_each_link_leads_somewhere():
    pytest.importorskip("zensical")
    site = built_site()
    pages = {f"/{path.relative_to(site)}": Page(path) for path in site.rglob("*.html")}
    known = pages.keys() | {f"/{path.relative_to(site)}" for path in site.rglob("*.*")}
    broken = set()
    for place, page in pages.items():
        for link in page.links:
            target = urlsplit(urljoin(place, link))
            path = unquote(target.path) + ("index.html" if target.path.endswith("/") else "")
            if target.scheme or target.netloc or place == "/404.html":
                continue
            if path not in known or (target.fragment and unquote(target.fragment) not in pages[path].ids):
                broken.add((place, link))
    assert broken == set()


@pytest.mark.processes
def test_a_page_of_another_folder_that_is_not_on_the_site_is_named(tmp_path, monkeypatch):
    page = DOCS / "maintainers/reading-handlers.md"
    known = {path: str(path.relative_to(DOCS)) for path in page.parent.iterdir()}
    monkeypatch.setattr(docs_site, "places", lambda: known)
    with pytest.raises(LookupError, match=r"docs/maintainers/reading-handlers.md links to .*explanation/contracts.md"):
        docs_site.page(page)
