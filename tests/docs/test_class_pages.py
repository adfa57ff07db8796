"""The pages that are written from docstrings describe each public name."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from scripts import docstrings
from scripts.reference import PLACES, target
from scripts.reference_pages import TOPICS
from tests.helpers.rows import rows

ROOT = Path(__file__).parents[2]
PUBLIC = {(place, name) for place in PLACES for name in importlib.import_module(place).__all__}
NOT_SPECIFIED = {
    "Address", "ClientDisconnected", "ExternalLocation", "FieldProblemCode", "Limits", "MissingKey", "MultiDict",
}  # fmt: skip
"""Names that no standard knows."""
SPECIFICATION = re.compile(r"RFC [0-9]+|W3C|WHATWG|draft-")


@rows("place", PLACES)
def test_each_public_name_has_a_page_that_describes_it(place):
    assert [name for name in importlib.import_module(place).__all__ if target(place, name) is None] == []


def test_no_name_is_described_twice():
    names = Counter((topic.place, name) for topic in TOPICS.values() for name in topic.names.split())
    assert [name for name, count in names.items() if count > 1] == []


# What the docstrings say


@cache
def functions_of(module):
    """The functions of a module, by name."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {node.name: node for node in tree.body if isinstance(node, docstrings.Function)}


def raised_in(node, module, seen=()):
    """The errors that a function raises by itself, or by functions of its module that it calls, and doesn't catch."""
    match node:
        case ast.Raise(exc=ast.Call(func=ast.Name(id=error)) | ast.Name(id=error)) if error[0].isupper():
            yield error
        case ast.Call(func=ast.Name(id=name)) if name not in seen and name in functions_of(module):
            yield from raised_in(functions_of(module)[name], module, (*seen, name))
    tried = node.body if isinstance(node, ast.Try) else ()
    caught = {ast.unparse(each.type) for each in node.handlers if each.type} if tried else ()
    for child in ast.iter_child_nodes(node):
        yield from (error for error in raised_in(child, module, seen) if child not in tried or error not in caught)


def documented():
    """Each public function, and each public method, with its source code and what its docstring says."""
    for place, name in sorted(PUBLIC):
        value = getattr(importlib.import_module(place), name)
        if inspect.isfunction(value):
            yield name, value.__module__, functions_of(value.__module__)[name], value.__doc__
        elif isinstance(value, type):
            for method, node in docstrings.functions(value).items():
                if method in (*docstrings.CONSTRUCTORS, "__post_init__"):
                    yield name, value.__module__, node, docstrings.class_doc(value)
                elif not method.startswith("_"):
                    doc = inspect.getdoc(inspect.getattr_static(value, method)) or ""
                    yield f"{name}.{method}", value.__module__, node, doc


def test_a_function_says_which_errors_it_raises():
    missing = {
        (name, error)
        for name, module, node, doc in documented()
        for error in raised_in(node, module)
        if error not in doc
    }
    assert sorted(missing) == []


LONGEST = 120
"""Words that an editor shows of a class: more is in its constructor's docstring, and on its page."""


@rows("place", PLACES)
def test_what_an_editor_shows_of_a_class_is_short(place):
    names = {name for where, name in PUBLIC if where == place}
    words = {name: len(own_doc(getattr(importlib.import_module(place), name)).split()) for name in names}
    assert {name: count for name, count in words.items() if count > LONGEST} == {}


def own_doc(value):
    doc = vars(value).get("__doc__") if isinstance(value, type) else ""
    return doc if isinstance(doc, str) else ""


def uses():
    """The lines of code in the docstrings of classes, by the class."""
    for place, name in sorted(PUBLIC):
        doc = inspect.cleandoc(own_doc(getattr(importlib.import_module(place), name)))
        for block in re.findall(r"\n\n((?:    .+\n?)+)", doc):
            yield name, block


@rows("name, code", [*uses()], ids=lambda value: "" if "\n" in value else value)
def test_a_line_of_use_calls_a_class_as_it_can_be_called(name, code):
    known = {name: getattr(importlib.import_module(place), name) for place, name in PUBLIC}
    calls = [each for each in ast.walk(ast.parse(inspect.cleandoc(code))) if isinstance(each, ast.Call)]
    made = {known[call.func.id]: call for call in calls if isinstance(call.func, ast.Name) and call.func.id in known}
    assert made or code.lstrip().startswith("@")
    for cls, call in made.items():
        inspect.signature(cls).bind(*call.args, **{each.arg: each.value for each in call.keywords if each.arg})


def test_each_feature_shows_a_line_of_use():
    features = importlib.import_module("antiphon.features")
    shown = {name for name, _ in uses()}
    made = {name: value for name in features.__all__ if hasattr(value := getattr(features, name), "install")}
    concrete = {name for name, value in made.items() if not inspect.isabstract(value)}
    missing = {name for name in concrete if "``app.use(" not in own_doc(made[name])}
    assert sorted(missing - shown) == []


@rows("place", ["antiphon.http", "antiphon.http1"])
def test_a_value_of_http_says_which_specification_it_is_of(place):
    names = {name for where, name in PUBLIC if where == place} - NOT_SPECIFIED
    assert [name for name in sorted(names) if not SPECIFICATION.search(everything_said_of(place, name))] == []


def everything_said_of(place, name):
    value = getattr(importlib.import_module(place), name)
    own = docstrings.class_doc(value) if isinstance(value, type) else value.__doc__ or ""
    members = docstrings.members(value) if isinstance(value, type) else []
    return " ".join([own, *(member.doc for member in members)])


AS_IN_A_BUILD = """
import sys
from importlib.machinery import PathFinder
from pathlib import Path

found = PathFinder.find_spec
absent = {"granian", "hypothesis", "psycopg", "pytest", "redis"}
PathFinder.find_spec = lambda name, *more: None if name.partition(".")[0] in absent else found(name, *more)
from scripts import reference

reference.FOLDER = Path(sys.argv[1])
sys.exit(reference.main())
"""


@pytest.mark.processes
def test_the_pages_are_the_same_where_a_wheel_is_built(tmp_path):
    subprocess.run([sys.executable, "-c", AS_IN_A_BUILD, str(tmp_path)], cwd=ROOT, check=True)
    written = {page.relative_to(tmp_path): page.read_text() for page in tmp_path.rglob("*.md")}
    assert written == {name: (ROOT / "docs/reference" / name).read_text() for name in written}
    assert len(written) > 50
