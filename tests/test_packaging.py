"""What a wheel has besides the code."""

import re
import tomllib
from pathlib import Path

import pytest

from scripts.absolute_links import with_absolute_links
from scripts.lowest import locked_versions, lowest_versions
from tests.helpers.rows import rows

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

pytestmark = pytest.mark.once


def test_the_licence_is_in_it():
    assert PROJECT["license-files"] == ["LICENSE"]
    assert (ROOT / "LICENSE").read_text().startswith(f"{PROJECT['license']} License")


def test_it_leads_to_the_project():
    assert PROJECT["urls"]
    assert all(url.startswith("https://") for url in PROJECT["urls"].values())


def test_wheels_are_compiled_for_the_systems_that_are_supported():
    systems = re.search(r"system: \[(.+)\]", (ROOT / ".github/workflows/wheels.yml").read_text())[1].split(", ")
    assert {re.match(r"[a-z]+", each)[0] for each in systems} == {"ubuntu", "macos"}
    assert [each for each in PROJECT["classifiers"] if each.startswith("Operating System")] == [
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
    ]


def test_the_page_of_extras_lists_each_with_its_packages():
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", (ROOT / "docs/reference/extras.md").read_text(), re.MULTILINE)
    told = {extra: re.findall(r"`([^`]+)`", packages) for extra, packages in rows}
    assert told == {
        extra: [re.match(r"[\w.-]+", each)[0] for each in packages]
        for extra, packages in PROJECT["optional-dependencies"].items()
    }


def test_each_dependency_has_a_lowest_version_and_a_locked_one():
    lowest = set(lowest_versions())
    assert {"click", "msgspec", "jinja2"} <= lowest
    assert lowest <= set(locked_versions())


@rows(
    "written, built",
    ("[how](docs/README.md)", "[how](https://github.com/o/n/blob/v1.2.3/docs/README.md)"),
    ("[two\nlines](LICENSE)", "[two\nlines](https://github.com/o/n/blob/v1.2.3/LICENSE)"),
    ("[it](docs/a.md#b)", "[it](https://github.com/o/n/blob/v1.2.3/docs/a.md#b)"),
    ("[below](#what-runs-on-it)", "[below](#what-runs-on-it)"),
    ("[a folder](examples/guestbook)", "[a folder](https://github.com/o/n/tree/v1.2.3/examples/guestbook)"),
    ("![A page.](docs/a.png)", "![A page.](https://github.com/o/n/raw/v1.2.3/docs/a.png)"),
    ("[it](https://example.org/)", "[it](https://example.org/)"),
    ("`[it](a.md)`\n\n```\n[it](a.md)\n```\n", "`[it](a.md)`\n\n```\n[it](a.md)\n```\n"),
)
def test_links_of_the_readme_lead_to_the_repository(written, built):
    assert with_absolute_links(written, "https://github.com/o/n/", "1.2.3") == built


def test_all_links_of_the_readme_become_absolute():
    text = with_absolute_links((ROOT / "README.md").read_text(), "https://github.com/o/n", "1.2.3")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 20
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
