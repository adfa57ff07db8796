"""A census: the names of Pyramid that other packages import."""

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


def test_what_other_packages_import_is_there():
    """The table has the number of packages, of 21 extensions and applications, that import each name."""
    assert census.absent(IMPORTED) == GONE
