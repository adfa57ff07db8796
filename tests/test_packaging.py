"""What a wheel has besides the code."""

import tomllib
from pathlib import Path

import pytest

from scripts.lowest import locked_versions, lowest_versions

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

pytestmark = pytest.mark.once


def test_the_licence_is_in_it():
    assert PROJECT["license-files"] == ["LICENSE"]
    assert (ROOT / "LICENSE").read_text().startswith(f"{PROJECT['license']} License")


def test_it_leads_to_the_project():
    assert PROJECT["urls"]
    assert all(url.startswith("https://") for url in PROJECT["urls"].values())


def test_each_dependency_has_a_lowest_version_and_a_locked_one():
    lowest = set(lowest_versions())
    assert {"click", "msgspec", "jinja2"} <= lowest
    assert lowest <= set(locked_versions())
