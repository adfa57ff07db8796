"""A census: each public name of Werkzeug is in the module of the same name here, or on the page of what is absent."""

import importlib
from pathlib import Path

import pytest
import werkzeug

from antiphon.dialects.werkzeug import utils, wsgi
from antiphon.dialects.werkzeug.datastructures import EnvironHeaders, headers
from tests.dialects import census
from tests.helpers.rows import rows

PAGE = Path(__file__).parents[3] / "docs/reference/dialects/werkzeug-absent.md"
MODULES = census.modules(werkzeug)
ABSENT, UNDERSCORED = census.tables(PAGE)


@rows("name", MODULES)
def test_a_module_has_the_names_that_werkzeugs_defines(name):
    absent = ABSENT.get(name, set())
    theirs = importlib.import_module(f"werkzeug.{name}")
    if absent == {census.THE_MODULE}:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"antiphon.dialects.werkzeug.{name}")
        return
    ours = importlib.import_module(f"antiphon.dialects.werkzeug.{name}")
    assert census.missing(theirs, ours) == absent


def test_the_page_names_modules_that_werkzeug_has():
    assert set(MODULES) >= ABSENT.keys() | UNDERSCORED.keys()
    assert sum(map(len, ABSENT.values())) > 20


@rows("name", UNDERSCORED)
def test_names_with_an_underscore_that_others_import(name):
    for library in ("werkzeug", "antiphon.dialects.werkzeug"):
        module = importlib.import_module(f"{library}.{name}")
        assert {each for each in UNDERSCORED[name] if not hasattr(module, each)} == set()


def test_names_that_are_imported_from_where_werkzeug_only_uses_them():
    from antiphon.dialects.werkzeug.security import safe_join

    assert utils.safe_join is safe_join
    assert headers.EnvironHeaders is EnvironHeaders
    assert wsgi._get_server({"SERVER_NAME": "h", "SERVER_PORT": "80"}) == ("h", 80)
    with pytest.raises(ImportError):
        from antiphon.dialects.werkzeug.datastructures.headers import NoHeaders  # noqa: F401
