"""Thin collection: each row of a test runs with one combination of the axes that the mark ``axes`` names."""

from collections import Counter

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest
from tests.helpers import combinations

def pytest_addoption(parser):
    combinations.add_option(parser)

def pytest_configure(config):
    config.addinivalue_line("markers", "axes(name, ...): as in this project")

def pytest_collection_modifyitems(config, items):
    combinations.thin(config, items)

@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def interface(request):
    return request.param

@pytest.fixture(params=["def", "async def"])
def style(request):
    return request.param

@pytest.fixture
def serving(interface):
    return interface
"""
ROWS = """
import pytest

@pytest.mark.axes("interface", "style")
@pytest.mark.parametrize("row", range(12))
def test_rows(interface, style, row): ...
"""
TABLE = """
import pytest
from tests.helpers.rows import rows

@pytest.mark.axes("interface", "style")
@rows("row", range({count}))
def test_table(interface, style, row): ...
"""
SINGLE = """
import pytest

pytestmark = pytest.mark.axes("interface")

def test_first(serving): ...
def test_second(serving): ...
def test_third(serving): ...
"""


@pytest.fixture
def collected(pytester):
    """Collects tests of one module: what is between the brackets of each case, or the outcome of what is no success."""

    def collected(tests, *arguments):
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(test_it=tests)
        outcome = pytester.runpytest_inprocess("--collect-only", "-q", "-p", "no:cacheprovider", *arguments)
        if outcome.ret:
            return outcome
        return [line.partition("[")[2].rstrip("]") for line in outcome.outlines if "::" in line]

    return collected


def test_each_row_runs_once_and_the_rows_of_a_test_use_each_combination_equally_often(collected):
    cases = [case.rsplit("-", 1) for case in collected(ROWS)]
    assert sorted(int(row) for _, row in cases) == [*range(12)]
    assert set(Counter(combination for combination, _ in cases).values()) == {2}
    assert len({combination for combination, row in cases if int(row) < 6}) == 6


def test_a_table_of_rows_is_shared_by_combinations_that_have_each_value_of_each_axis(collected):
    cases = [case.split("-") for case in collected(TABLE.format(count=12))]
    assert sorted(interface for interface, _ in cases) == ["asgi", "rsgi", "wsgi"]
    assert {style for _, style in cases} == {"def", "async def"}
    assert len(collected(TABLE.format(count=2))) == 2


def test_the_tests_of_a_module_use_each_value(collected):
    assert sorted(collected(SINGLE)) == ["asgi", "rsgi", "wsgi"]


@pytest.mark.parametrize("arguments", [["--all-combinations"], ["test_it.py::test_rows"]], ids=["option", "by name"])
def test_every_combination_runs_when_it_is_asked_for(collected, arguments):
    assert len(set(collected(ROWS, *arguments))) == 72


def test_a_choice_by_keyword_changes_no_combination(collected):
    assert set(collected(ROWS, "-k", "wsgi")) == {case for case in collected(ROWS) if "wsgi" in case}


@pytest.mark.parametrize("mark", ["", "@pytest.mark.axes('style')"])
def test_what_multiplies_a_test_unnamed_is_an_error(collected, mark):
    outcome = collected(f"import pytest\n{mark}\ndef test_it(serving): ...")
    outcome.stderr.fnmatch_lines(["*name what multiplies a test*", "*test_it.py::test_it: interface"])


@pytest.mark.parametrize("mark", ["usefixtures('interface')", "parametrize('interface', [1, 2, 3])"])
def test_what_is_named_but_no_axis_runs_whole(collected, mark):
    assert len(collected(f"import pytest\n@pytest.mark.{mark}\ndef test_it(serving): ...")) == 3
