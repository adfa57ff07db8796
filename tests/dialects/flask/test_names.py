"""A census: the public names of Flask, and those of Flask and Werkzeug that other packages import."""

import importlib
from pathlib import Path

import flask
import pytest

from tests.dialects import census
from tests.dialects.flask.beside import DIALECT, FLASK
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[3] / "docs/reference/dialects/flask-names.md"
IMPORTED = Path(__file__).parent / "imported_names.csv"
ABSENT, UNDERSCORED = census.tables(PAGE)


@rows("name", census.modules(flask))
def test_a_module_has_the_names_that_flasks_defines_or_uses(name):
    theirs = importlib.import_module(f"flask.{name}")
    ours = importlib.import_module(f"antiphon.dialects.flask.{name}")
    assert census.missing(theirs, ours) == set()
    used = census.used(theirs, {"blinker", "flask", "itsdangerous", "werkzeug"})
    assert {each for each in used if not census.has(ours, each)} == set()


def test_what_other_packages_import_is_there_or_on_the_page():
    """The table has the number of packages, of 51 extensions and applications, that import each name."""
    absent = census.absent(IMPORTED)
    assert absent == {(module, name) for module, names in ABSENT.items() for name in names}


@rows("module", UNDERSCORED)
def test_names_with_an_underscore_that_others_import(module):
    assert {name for name in UNDERSCORED[module] if not census.is_there(module, name)} == set()


def test_the_package_lists_its_names():
    dialect = importlib.import_module("antiphon.dialects.flask")
    assert dialect.globals.current_app is dialect.current_app
    assert set(dialect.__all__) <= set(dir(dialect))
    assert {"json", "globals", "__version__"} <= set(dir(dialect))


@rows("name", ["app.Flask", "sansio.app.App", "sansio.scaffold.Scaffold", "blueprints.Blueprint"])
def test_a_class_has_its_methods_where_flasks_has_them(name):
    """Extensions look them up in ``vars()`` of a class. What Flask has twice, for static files, is in Scaffold."""
    module, name = name.rsplit(".", 1)
    theirs, ours = (getattr(importlib.import_module(f"{each}.{module}"), name) for each in (FLASK, DIALECT))
    twice = {"get_send_file_max_age", "send_static_file"}
    assert {each for each in vars(theirs) if not each.startswith("__")} - twice <= set(vars(ours))
