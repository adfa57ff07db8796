"""Tests have a budget, and know no other test: files are given out in groups, the most expensive first."""

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.__main__ import Run, _told, files_of, groups_of
from tests.helpers import costs
from tests.helpers.costs import BOUND, BUDGET, Cost, Costs
from tests.helpers.rows import rows

ROOT = Path(__file__).parents[1]
SHARE = 0.5
"""The largest part of the budget for one folder of tests."""


def test_cheap_tests_keep_to_the_budget():
    known = costs.read()
    of_folders = Counter[str]()
    for file in files_of(["tests"]):
        of_folders[file.split("/")[1]] += known.of(file, {*known.tests})
    assert sum(of_folders.values()) <= BUDGET
    assert {folder for folder, cost in of_folders.items() if cost > SHARE * BUDGET} == set()


def test_the_file_of_each_listed_test_exists():
    known = costs.read()
    assert {
        file
        for file in (*known.files, *(name.partition("::")[0] for name in known.tests))
        if not (ROOT / file).exists()
    } == set()


@rows(
    "room, first",
    ("src/antiphon/features/cache", "tests/features/cache/test_at_hand.py"),
    ("src/antiphon/features/sessions.py", "tests/features/test_sessions.py"),
    ("tests/http/urls/", "tests/http/urls/test_path.py"),
)
def test_a_room_of_the_package_has_its_tests(room, first):
    assert files_of([room])[0] == first


@rows(
    "measured, known, made",
    ([("a.py::f[1]", 0.05), ("a.py::f[2]", 0.08)], Costs({}, {}), Costs({}, {})),
    ([("a.py::f[1]", 2.0), ("a.py::f[2]", 1.0)], Costs({}, {}), Costs({}, {"a.py::f": Cost(1.5, 2)})),
    ([("a.py::f", 1.3)], Costs({}, {"a.py::f": Cost(1.0, 1)}), Costs({}, {"a.py::f": Cost(1.0, 1)})),
    (
        [("a.py::f", 0.05)],
        Costs({}, {"a.py::f": Cost(1.0, 1), "a.py::g": Cost(2, 1), "b.py::f": Cost(2, 1)}),
        Costs({}, {"a.py::g": Cost(2, 1), "b.py::f": Cost(2, 1)}),
    ),
    ([(f"a.py::{each}", 0.05) for each in range(20)], Costs({"b.py": 3.0}, {}), Costs({"a.py": 1.0, "b.py": 3.0}, {})),
)
def test_a_measured_cost_replaces_a_known_one_that_it_differs_from_by_half(measured, known, made):
    assert costs.judged(measured, known) == made


SERVER = """
import time, pytest

@pytest.fixture(scope="session")
def server():
    yield
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
"""


def test_the_end_of_a_server_is_shared_by_all_tests_that_may_have_used_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    use = "import pytest\n@pytest.mark.processes\ndef test_use(server): pass\n"
    for name, text in {"conftest": SERVER, "test_a": use, "test_b": use, "test_c": "def test_last(): pass\n"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    measuring = costs.Measuring()
    pytest.main(
        [f"{tmp_path}", f"--rootdir={tmp_path}", "-pno:cacheprovider", "-c", os.devnull, "-Wignore", "--assert=plain"],
        plugins=[measuring],
    )
    found = {name.partition("::")[0]: cost for name, cost in measuring.costs}
    assert found["test_a.py"] > 0.04 < found["test_b.py"]
    assert found["test_c.py"] < 0.04


def test_a_new_test_that_costs_much_is_named():
    known = Costs({}, {"a.py::listed": Cost(5.0, 1)})
    measured = [("a.py::listed", 5.0), ("a.py::cheap", BOUND), ("a.py::new[1]", 2.0), ("a.py::new[2]", 1.0)]
    assert [each.split()[:4] for each in costs.grown(measured, known)] == [["a.py::new", "costs", "1.5", "s"]]


@rows("environment, said", ("", []), ("yes", ["a.py::new costs 2.0 s a row"]))
def test_a_new_test_that_costs_much_is_named_only_in_ci(tmp_path, monkeypatch, environment, said):
    monkeypatch.setenv("CI", environment)
    run = Run([], tmp_path)
    run.counts["passed"], run.costs = 1, [("a.py::new", 2.0)]
    *named, summary = _told(run, Costs({}, {}), has_measured=False)
    assert ([each.partition(",")[0] for each in named], summary) == (said, "1 passed; they cost 2 s")


@rows("ran, options, is_error", ("passed", [], False), ("skipped", [], False), ("deselected", [], True),
      ("deselected", ["--collect-only"], False))  # fmt: skip
def test_a_run_of_which_every_test_is_left_out_is_an_error(tmp_path, ran, options, is_error):
    run = Run(options, tmp_path)
    run.counts[ran] = 46
    *_, said = _told(run, Costs({}, {}), has_measured=False)
    assert (run.ran_none, said.startswith("No tests ran: 46 are left out.")) == (is_error, is_error)


def test_groups_begin_with_the_most_expensive_and_keep_neighbours_together():
    known = Costs({"a.py": 1.0, "b.py": 1.0, "c.py": 40.0, "d.py": 2.0}, {"d.py::f": Cost(3.0, 2)})
    assert groups_of([*"abcd"], Costs({}, {}), 2, {"d.py::f"}) == [[*"abcd"]]
    files = ["a.py", "b.py", "c.py", "d.py"]
    assert groups_of(files, known, 2, set()) == [["c.py"], ["d.py"], ["a.py", "b.py"]]
    assert groups_of(files, known, 2, {"d.py::f"}) == [["c.py"], ["a.py", "b.py"], ["d.py"]]


@rows("part, left", (None, ""), ("0", "abcde"), ("1/2", "ace"), ("2/2", "bd"), ("1/1", ""))
def test_parts_of_expensive_tests_cost_the_same(part, left):
    assert costs.left_out(part, Costs({}, {name: Cost(5 - place, 1) for place, name in enumerate("abcde")})) == {*left}


@rows("part", "1", "0/3", "a/b", "1/2/3", "")
def test_a_part_that_is_none_is_refused(part):
    with pytest.raises(pytest.UsageError, match="must be 0, or a part such as 2/3"):
        costs.left_out(part, Costs({}, {}))
