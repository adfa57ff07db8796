"""A census: the names of Pyramid that other packages import."""

import csv
import importlib
from pathlib import Path

import pytest

from tests.dialects import census

pytestmark = pytest.mark.once

IMPORTED = Path(__file__).parent / "imported_names.csv"
GONE = {
    ("pyramid", "compat"),
    ("pyramid", "scaffolds"),
    ("pyramid", "tests"),
    ("pyramid.paster", "PyramidTemplate"),
    ("pyramid.paster", "paste_script_template_renderer"),
    ("pyramid.security", "authenticated_userid"),
    ("pyramid.session", "UnencryptedCookieSessionFactoryConfig"),
    ("pyramid.session", "signed_deserialize"),
    ("pyramid.session", "signed_serialize"),
}
"""Names that Pyramid 2.1 lacks as well: the packages import them for older versions, or no longer work."""
COMMANDS = {("pyramid.scripts.pserve", ""), ("pyramid.scripts.pserve", "main")}
"""Names of Pyramid's commands, in whose place is `antiphon run`."""


def is_there(module: str, name: str) -> bool:
    try:
        found = importlib.import_module(f"antiphon.dialects.{module}")
    except ModuleNotFoundError:
        return False
    return not name or census.has(found, name)


def test_what_other_packages_import_is_there():
    """The table has the number of packages, of 21 extensions and applications, that import each name."""
    with IMPORTED.open(newline="") as file:
        imported = {(row["module"], row["name"]) for row in csv.DictReader(file)}
    assert {each for each in imported if not is_there(*each)} == GONE | COMMANDS
