"""A census: each public name of Werkzeug is in the module of the same name here, or on the page of what is absent."""

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

import pytest
import werkzeug

from antiphon.dialects.werkzeug import utils, wsgi
from antiphon.dialects.werkzeug.datastructures import EnvironHeaders, headers

PAGE = Path(__file__).parents[3] / "docs/reference/dialects/werkzeug-absent.md"
THE_MODULE = "the module"

MODULES = sorted(
    module.name.removeprefix("werkzeug.")
    for module in pkgutil.walk_packages(werkzeug.__path__, "werkzeug.")
    if module.name != "werkzeug.__main__"
)


def tables():
    """The tables of the page: the names of each module."""
    for text in PAGE.read_text().split("| module |")[1:]:
        names = defaultdict(set)
        for module, cell in re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \|", text, re.MULTILINE):
            names[module] |= {THE_MODULE} if cell == THE_MODULE else set(re.findall("`([^`]+)`", cell))
        yield names


ABSENT, UNDERSCORED = tables()


def defined(module):
    """The public names that a module defines: functions, classes and variables, but no type variables."""
    found = set()
    statements = ast.parse(Path(module.__file__).read_text()).body
    for node in statements:
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name):
                found.add(name)
            case ast.Assign() | ast.AnnAssign():
                found |= {
                    each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                }
            case ast.If() | ast.Try():
                statements += [*node.body, *node.orelse]
    values = vars(module)
    own = {name for name in found & values.keys() if not name.startswith("_") and not inspect.ismodule(values[name])}
    return {name for name in own if not isinstance(values[name], TypeVar) and not hasattr(builtins, name)}


def attributes(module):
    """The public attributes of the classes that a module defines, after the names of the classes."""
    classes = {name: vars(module)[name] for name in defined(module) if inspect.isclass(vars(module)[name])}
    return {f"{name}.{own}" for name, each in classes.items() for own in vars(each) if not own.startswith("_")}


def has(module, name):
    try:
        attrgetter(name)(module)
    except AttributeError:
        return False
    return True


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_the_names_that_werkzeugs_defines(name):
    absent = ABSENT.get(name, set())
    theirs = importlib.import_module(f"werkzeug.{name}")
    if absent == {THE_MODULE}:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"antiphon.dialects.werkzeug.{name}")
        return
    ours = importlib.import_module(f"antiphon.dialects.werkzeug.{name}")
    names = defined(theirs) | attributes(theirs)
    missing = {each for each in names if not has(ours, each)}
    assert {each for each in missing if each.partition(".")[0] in vars(ours) or "." not in each} == absent


def test_the_page_names_modules_that_werkzeug_has():
    assert set(MODULES) >= ABSENT.keys() | UNDERSCORED.keys()
    assert sum(map(len, ABSENT.values())) > 20


@pytest.mark.parametrize("name", UNDERSCORED)
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
