"""A table of rows is one test, which runs all of them."""

import inspect
import itertools
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies

from tests.helpers import skips, system_programs
from tests.helpers.rows import SHARE, rows

ROOT = Path(__file__).parents[1]


def test_every_row_runs_and_those_that_fail_are_named(seen):
    @rows("number, name", (1, "a"), pytest.param(2, "b", id="the second"), (3, "c"))
    @rows("is_last", [False, True], ids=["first", "last"])
    def table(number, name, is_last):
        seen.append((number, name, is_last))
        if number == 3 and is_last:
            pytest.skip("not here")
        assert number != 2

    with pytest.raises(AssertionError) as failed:
        table()
    assert seen == [(number, name, last) for number, name in ((1, "a"), (2, "b"), (3, "c")) for last in (False, True)]
    first, *named = str(failed.value).splitlines()
    assert first == "2 of 6 rows fail:"
    assert [line.split(":")[0] for line in named] == ["- the second, first", "- the second, last"]
    assert isinstance(failed.value.__cause__, AssertionError)


@rows(
    "environment, outcome, unlisted",
    ({}, pytest.skip.Exception, 1),
    ({"CI": "yes"}, pytest.fail.Exception, 1),
    ({"CI": "yes", "SYSTEM_PACKAGES": "no"}, pytest.skip.Exception, 0),
)
def test_a_test_without_its_program_fails_only_in_ci_that_may_install_it(monkeypatch, environment, outcome, unlisted):
    for name in ("CI", "SYSTEM_PACKAGES"):
        monkeypatch.setenv(name, environment.get(name, ""))
    with pytest.raises(outcome, match="caddy is not installed; `make system-packages`") as told:
        system_programs.lack("caddy")
    report = SimpleNamespace(nodeid="tests/test_any.py::test_any", longrepr=("test_any.py", 1, str(told.value)))
    assert len(skips.unlisted(SimpleNamespace(stats={"skipped": [report]}))) == unlisted


@pytest.mark.once
@pytest.mark.processes
@pytest.mark.parametrize(
    ("environment", "status"), [({}, pytest.ExitCode.OK), ({"CI": "yes"}, pytest.ExitCode.TESTS_FAILED)]
)
def test_a_row_that_skips_is_told_and_fails_only_where_a_change_is_judged(tmp_path, environment, status):
    (tmp_path / "test_table.py").write_text(TABLE)
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "tests.conftest",
               "-p", "no:cacheprovider", tmp_path]  # fmt: skip
    others = {name: value for name, value in os.environ.items() if name != "CI"}
    run = subprocess.run(command, cwd=ROOT, env=others | environment, capture_output=True, text=True, check=False)
    assert (run.returncode, "1 passed" in run.stdout) == (status, True), run.stdout
    for told in (
        "row 2: not here",
        "row 3: could not import 'no_such_package'",
        "row 4: No module named 'no_such_package'",
    ):
        assert told in run.stdout


TABLE = """
import pytest
from tests.helpers.rows import rows

@rows("row", [1, 2, 3, 4, 5])
def test_table(row):
    if row == 2:
        pytest.skip("not here")
    if row == 3:
        pytest.importorskip("no_such_package")
    if row == 4:
        import no_such_package
"""


def test_a_table_of_which_all_rows_skip_is_skipped():
    @rows("row", [1, 2])
    def table(row):
        pytest.importorskip("no_such_package")

    with pytest.raises(pytest.skip.Exception, match="no_such_package"):
        table()


def test_a_row_has_a_folder_patches_and_records_of_its_own(tmp_path, monkeypatch, caplog, capsys):
    monkeypatch.setenv("ROW", "none")

    @rows("row", ["a", "b"])
    def table(row, tmp_path, monkeypatch, caplog, capsys):
        assert [*tmp_path.iterdir()] == []
        assert (os.environ["ROW"], caplog.records, capsys.readouterr().out) == ("none", [], "")
        (tmp_path / row).touch()
        monkeypatch.setenv("ROW", row)
        logging.getLogger("row").warning(row)
        sys.stdout.write(row)

    table(tmp_path=tmp_path, monkeypatch=monkeypatch, caplog=caplog, capsys=capsys)
    assert [*inspect.signature(table).parameters] == ["tmp_path", "monkeypatch", "caplog", "capsys", "request"]


def test_each_test_of_a_class_runs_with_the_rows():
    @rows("row", [1, 2])
    class Class:
        def test_one(self, row):
            assert row == 3

    with pytest.raises(AssertionError, match="2 of 2 rows fail"):
        Class().test_one()


def test_items_share_the_rows_of_several_tables_evenly(request, seen):
    @rows("first", range(3))
    @rows("second", range(3))
    def table(first, second):
        seen.append((first, second))

    for number in range(3):
        request.node.stash[SHARE] = number, 3
        table(request=request)
        assert [{*each} for each in zip(*seen[-3:], strict=True)] == [{0, 1, 2}, {0, 1, 2}]
    assert sorted(seen) == [*itertools.product(range(3), range(3))]


def test_what_can_only_be_a_test_of_its_own_is_refused():
    async def coroutine(row): ...

    @given(number=strategies.integers())
    def prop(row, number): ...

    for function in (coroutine, prop):
        with pytest.raises(TypeError, match="has to be a plain function"):
            rows("row", [1])(function)
    with pytest.raises(TypeError, match="has marks"):
        rows("row", [pytest.param(1, marks=pytest.mark.once)])
    with pytest.raises(ValueError, match="has no rows"):
        rows("row", [])
