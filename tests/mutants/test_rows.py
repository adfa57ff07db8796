"""Tests that hold nothing are noticed, when what their rows name is broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.rows import Broken, BrokenError, find, targets

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
from antiphon.dialects.microdot import Microdot, Request

@pytest.mark.feature("microdot-004")
@pytest.mark.served("microdot-004", "microdot-998")
def test_that_holds_its_row():
    Microdot().get("/")

@pytest.mark.feature("microdot-013")
def test_that_holds_nothing():
    assert Request

@pytest.mark.feature("microdot-999")
def test_of_no_row(): ...
"""


def run(module, folder, *arguments):
    command = [sys.executable, "-m", module, *arguments, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.processes
def test_rows_whose_tests_pass_nevertheless_are_listed(tmp_path):
    (tmp_path / "test_rows.py").write_text(TESTS)
    counted = run("tests.dialects.features", tmp_path)
    assert counted.returncode == 1
    assert "microdot      2 / 47, seen served     1 / 47" in counted.stdout
    found = run("tests.mutants", tmp_path, "--rows", "50", "--seed", "1")
    assert found.returncode == 1
    assert "1 of 2 were noticed" in found.stdout
    assert "microdot-013: its tests pass without antiphon.dialects.microdot.Request.content_length" in found.stdout
    assert "microdot-999: there is no such row" in found.stdout
    assert "microdot-998: there is no such row" in found.stdout
    assert "microdot-004:" not in found.stdout


@pytest.mark.processes
def test_a_row_that_holds_is_no_complaint(tmp_path):
    tests = TESTS.partition('@pytest.mark.feature("microdot-013")')[0].replace(', "microdot-998"', "")
    (tmp_path / "test_rows.py").write_text(tests)
    found = run("tests.mutants", tmp_path, "--rows", "1")
    assert (found.returncode, "1 of 1 were noticed" in found.stdout) == (0, True)


def test_what_is_broken_raises_where_it_is_used():
    class Thing:
        attribute = Broken("attribute", owner_is_class=True)

    with pytest.raises(BrokenError, match="attribute"):
        Thing.attribute  # noqa: B018
    with pytest.raises(BrokenError):
        Thing().attribute  # noqa: B018
    with pytest.raises(BrokenError):
        Broken("function", owner_is_class=False)(1, a=2)


def test_each_target_is_there():
    for names in targets().values():
        for name in names:
            assert find(name)


@pytest.mark.parametrize("name", ["antiphon.nothing", "nothing.at_all", "antiphon.dialects.microdot.Request.nothing"])
def test_a_target_that_is_not_there_is_an_error(name):
    with pytest.raises(LookupError):
        find(name)
