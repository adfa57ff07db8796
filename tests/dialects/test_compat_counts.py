"""The counts of other projects' tests, as `scripts/weekly compat --write` leaves them for the pages that show them."""

import csv
import sys
from pathlib import Path

import pytest

from tests.dialects import compat
from tests.dialects.applications import APPLICATIONS
from tests.dialects.projects import Project

pytestmark = pytest.mark.once


def test_counts_of_what_was_run_replace_earlier_ones_and_leave_the_others(tmp_path):
    table = tmp_path / "compat.csv"
    table.write_text(
        "dialect,distribution,project,version,original,passed,of\n"
        "flask,flask-cors,Flask-CORS,6.0.4,flask 3.1.2,90,98\nkay,a,A,1,kay 1,2,3\n"
    )
    ran = Project("flask-cors", "6.0.5", {"flask": 0, "werkzeug": 0})
    compat._write(table, [compat.Result(ran, dialect, 98, 98, f"{dialect} 3.1.3", 2) for dialect in ran.dialects])
    with table.open(newline="") as file:
        assert [tuple(row.values()) for row in csv.DictReader(file)] == [
            ("flask", "flask-cors", "Flask-CORS", "6.0.5", "flask 3.1.3", "98", "98"),
            ("kay", "a", "A", "1", "kay 1", "2", "3"),
            ("werkzeug", "flask-cors", "flask-cors", "6.0.5", "werkzeug 3.1.3", "98", "98"),
        ]


def test_a_project_is_worse_if_more_tests_fail_than_are_known_to():
    project = Project("pyramid", "2.1", {"webob": 2})
    results = [compat.Result(project, "webob", passed, of, "webob 1.8", 0) for passed, of in ((8, 10), (7, 10), (0, 0))]
    assert [result.is_worse for result in results] == [False, True, True]


def test_an_application_is_run_by_its_name_alone():
    applications = {each.project.name for each in APPLICATIONS}
    assert [project.name for project in compat._chosen(["moto", "isso"])] == ["moto", "isso"]
    assert "moto" in applications
    assert "moto" not in {project.name for project in compat._chosen([])}


def test_a_name_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(SystemExit, match=r"There is no mota here\. There are: .*moto"):
        compat._chosen(["mota"])


def test_tests_that_a_package_lacks_are_copied_into_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sysconfig.get_path", lambda name: tmp_path / name)
    tests = tmp_path / "source/locust/test"
    tests.mkdir(parents=True)
    (tests / "test_web.py").touch()
    compat._graft(Project("locust", "2", {"flask": 0}, grafted="locust/test"), tmp_path / "source")
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.py")] == [Path("purelib/locust/test/test_web.py")]


def test_a_test_that_fails_on_one_of_its_parts_has_failed(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="good"/><testcase classname="a" name="bad"/>'
        '<testcase classname="a" name="bad"><error/></testcase>'
        '<testcase classname="a" name="left"><skipped/></testcase></testsuite></testsuites>'
    )
    assert compat._outcome(report) == ({"a.good"}, {"a.bad"})


def test_each_application_of_the_wall_can_be_run_again():
    with compat.WALL.open(newline="") as file:
        shown = {(row["dialect"], row["distribution"], row["version"]) for row in csv.DictReader(file)}
    known = {(name, each.project.name, each.project.version) for each in APPLICATIONS for name in each.project.dialects}
    assert shown <= known


@pytest.mark.processes
def test_a_project_that_cannot_be_fetched_is_told_and_leaves_the_others(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(Project, "folder", tmp_path / "missing")
    monkeypatch.setattr(compat, "SOURCES", tmp_path)
    monkeypatch.setattr(compat, "PIP", [sys.executable, "-c", "import sys; sys.exit('no network')"])
    assert compat._compare(Project("a", "1", {"flask": 0})) is None
    assert capsys.readouterr().out.startswith("a 1: its tests could not be fetched")
