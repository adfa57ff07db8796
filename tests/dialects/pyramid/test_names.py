"""A census: the names of Pyramid that other packages import."""

import json
from pathlib import Path
from types import SimpleNamespace

from antiphon.dialects.pyramid.asset import asset_spec_from_abspath
from tests.dialects import census

IMPORTED = Path(__file__).parent / "imported_names.csv"
GONE = {
    ("pyramid", "compat"), ("pyramid", "scaffolds"), ("pyramid", "tests"), ("pyramid.paster", "PyramidTemplate"),
    ("pyramid.paster", "paste_script_template_renderer"), ("pyramid.security", "authenticated_userid"),
    ("pyramid.session", "UnencryptedCookieSessionFactoryConfig"),
    ("pyramid.session", "signed_deserialize"), ("pyramid.session", "signed_serialize"),
}  # fmt: skip
"""Names that Pyramid 2.1 lacks as well: the packages import them for older versions, or no longer work."""


def test_what_other_packages_import_is_there():
    """The table has the number of packages, of 21 extensions and applications, that import each name."""
    assert census.absent(IMPORTED) == GONE


def test_the_package_of_an_asset_can_be_anything_with_a_modules_name():
    package = SimpleNamespace(__name__="json")
    folder = Path(json.__file__).parent
    assert asset_spec_from_abspath(f"{folder}/tool.py", package) == "json:tool.py"
