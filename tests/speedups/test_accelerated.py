"""The extension is used where it was built, unless the environment says otherwise; programs see no difference."""

import ast
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from antiphon import speedups
from tests.helpers.rows import rows
from tests.helpers.twins import CLASSES, NAMES, NOT_BUILT, extension


@pytest.fixture
def loaded(monkeypatch):
    """A function that loads the module anew, with ANTIPHON_PURE as given."""

    def load(pure):
        monkeypatch.delenv("ANTIPHON_PURE", raising=False)
        if pure is not None:
            monkeypatch.setenv("ANTIPHON_PURE", pure)
        spec = spec_from_file_location("antiphon.speedups.anew", speedups.__file__)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def parse_fields(data):
    return [(data, "in Python")]


def test_the_function_in_python_stands_where_the_environment_asks_for_it(loaded):
    module = loaded("1")
    assert not module.IS_COMPILED
    assert module.accelerated(parse_fields) is parse_fields
    assert module.PURE["parse_fields"] is parse_fields


@pytest.mark.parametrize("pure", [None, "", "0"])
def test_the_function_in_c_stands_in_its_place_where_it_was_built(loaded, pure):
    module = loaded(pure)
    if not module.IS_COMPILED:
        pytest.skip(NOT_BUILT)
    assert module.accelerated(parse_fields)(b"a=1") == {"a": "1"}
    assert module.PURE["parse_fields"] is parse_fields


@rows("kind, names", [(ast.FunctionDef, NAMES), (ast.ClassDef, CLASSES)])
def test_each_in_c_has_a_twin_and_a_type(kind, names):
    stub = ast.parse(Path(speedups.__file__).with_name("_speedups.pyi").read_text())
    assert sorted(each.name for each in stub.body if isinstance(each, kind)) == names


def test_nothing_else_is_in_the_extension():
    assert extension is None or sorted(name for name in dir(extension) if name[0] != "_") == sorted(NAMES + CLASSES)
