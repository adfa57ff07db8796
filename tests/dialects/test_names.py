"""A census: the names that modules of the originals define, and those that other packages import.

What a dialect has not is on a page of the reference, or below, with the reason.
"""

import importlib
from pathlib import Path

import flask
import pytest
import werkzeug

from antiphon.dialects import webob
from antiphon.dialects.werkzeug import utils, wsgi
from antiphon.dialects.werkzeug.datastructures import EnvironHeaders, headers
from tests.dialects import census
from tests.dialects.webob import original
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs/reference/dialects"
OF_FLASK, OF_WERKZEUG = ([*census.tables(PAGES / name)] for name in ("flask-names.md", "werkzeug-absent.md"))
WEBOB = "byterange client compat datetime_utils dec descriptors etag exc headers multidict request response static util"
MODULES = {"flask": census.modules(flask), "webob": WEBOB.split(), "werkzeug": census.modules(werkzeug)}
ABSENT = {
    "flask": {},
    "webob": {
        "client": {"SendRequest.MULTILINE_RE"}, "compat": {"cgi_FieldStorage.read_multi"},
        "exc": {"br_re", "comment_re", "lazify", "tag_re"}, "headers": {"header2key", "key2header"},
        "request": {"FakeCGIBody", "Transcoder", "detect_charset"},
    },
    "werkzeug": OF_WERKZEUG[0],
}  # fmt: skip
GONE = {
    ("pyramid", "compat"), ("pyramid", "scaffolds"), ("pyramid", "tests"), ("pyramid.paster", "PyramidTemplate"),
    ("pyramid.paster", "paste_script_template_renderer"), ("pyramid.security", "authenticated_userid"),
    ("pyramid.session", "UnencryptedCookieSessionFactoryConfig"),
    ("pyramid.session", "signed_deserialize"), ("pyramid.session", "signed_serialize"),
}  # fmt: skip
"""Names that Pyramid 2.1 lacks as well: the packages import them for older versions, or no longer work."""


def original_of(library, name):
    return getattr(original, name) if library == "webob" else importlib.import_module(f"{library}.{name}")


@rows("library, name", [(library, name) for library, names in MODULES.items() for name in names])
def test_a_module_has_the_names_that_the_original_defines(library, name):
    absent = ABSENT[library].get(name, set())
    if absent == {census.THE_MODULE}:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"antiphon.dialects.{library}.{name}")
        return
    ours = importlib.import_module(f"antiphon.dialects.{library}.{name}")
    assert census.missing(original_of(library, name), ours) == absent


@rows("name", MODULES["flask"])
def test_a_module_has_the_names_that_flask_uses(name):
    ours = importlib.import_module(f"antiphon.dialects.flask.{name}")
    used = census.used(original_of("flask", name), {"blinker", "flask", "itsdangerous", "werkzeug"})
    assert {each for each in used if not census.has(ours, each)} == set()


def test_the_page_names_modules_that_werkzeug_has():
    absent, underscored = OF_WERKZEUG
    assert set(MODULES["werkzeug"]) >= absent.keys() | underscored.keys()
    assert sum(map(len, absent.values())) > 20


@rows(
    "library, absent",
    ("flask", {(module, name) for module, names in OF_FLASK[0].items() for name in names}), ("pyramid", GONE),
)  # fmt: skip
def test_what_other_packages_import_is_there(library, absent):
    """The table has the number of extensions and applications, 51 of Flask and 21 of Pyramid, that import each name."""
    assert census.absent(HERE / library / "imported_names.csv") == absent


@rows(
    "module, names",
    [*OF_FLASK[1].items(), *((f"werkzeug.{module}", names) for module, names in OF_WERKZEUG[1].items())],
)
def test_names_with_an_underscore_that_others_import(module, names):
    assert {name for name in names if not census.is_there(module, name)} == set()


def test_flask_lists_its_names():
    dialect = importlib.import_module("antiphon.dialects.flask")
    assert dialect.globals.current_app is dialect.current_app
    assert set(dialect.__all__) <= set(dir(dialect))
    assert {"json", "globals", "__version__"} <= set(dir(dialect))


@rows("name", ["app.Flask", "sansio.app.App", "sansio.scaffold.Scaffold", "blueprints.Blueprint"])
def test_a_class_has_its_methods_where_flasks_has_them(name):
    """Extensions look them up in ``vars()`` of a class. What Flask has twice, for static files, is in Scaffold."""
    module, name = name.rsplit(".", 1)
    theirs, ours = (
        getattr(importlib.import_module(f"{each}.{module}"), name) for each in ("flask", "antiphon.dialects.flask")
    )
    twice = {"get_send_file_max_age", "send_static_file"}
    assert {each for each in vars(theirs) if not each.startswith("__")} - twice <= set(vars(ours))


def test_webob_has_the_original_s_names():
    assert set(webob.__all__) == set(original.webob.__all__)
    for name in {name for name in dir(original.webob) if not name.startswith("_")}:
        getattr(webob, name)
    with pytest.raises(AttributeError, match=r"webob\.nothing"):
        webob.nothing  # noqa: B018


def test_names_that_are_imported_from_where_werkzeug_only_uses_them():
    from antiphon.dialects.werkzeug.security import safe_join

    assert utils.safe_join is safe_join
    assert headers.EnvironHeaders is EnvironHeaders
    assert wsgi._get_server({"SERVER_NAME": "h", "SERVER_PORT": "80"}) == ("h", 80)
    with pytest.raises(ImportError):
        from antiphon.dialects.werkzeug.datastructures.headers import NoHeaders  # noqa: F401
