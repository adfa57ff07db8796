"""The counts of other projects' tests, as `make compat --write` leaves them for the pages that show them."""

import csv

import pytest

from tests.dialects import compat

pytestmark = pytest.mark.once


def test_counts_of_what_was_run_replace_earlier_ones_and_leave_the_others(tmp_path, monkeypatch):
    table = tmp_path / "compat.csv"
    table.write_text(
        "dialect,distribution,project,version,passed,of\nflask,flask-cors,Flask-CORS,6.0.4,90,98\nkay,a,A,1,2,3\n"
    )
    monkeypatch.setattr(compat, "COUNTS", table)
    ran = compat.Project("flask-cors", "6.0.5", {"flask": 0, "werkzeug": 0})
    compat._write({(dialect, ran.name): compat.Result(ran, dialect, 98, 98) for dialect in ran.dialects})
    with table.open(newline="") as file:
        assert [tuple(row.values()) for row in csv.DictReader(file)] == [
            ("flask", "flask-cors", "Flask-CORS", "6.0.5", "98", "98"),
            ("kay", "a", "A", "1", "2", "3"),
            ("werkzeug", "flask-cors", "flask-cors", "6.0.5", "98", "98"),
        ]


def test_a_project_is_worse_if_more_tests_fail_than_are_known_to():
    project = compat.Project("pyramid", "2.1", {"webob": 2})
    assert [compat.Result(project, "webob", passed, of).is_worse for passed, of in ((8, 10), (7, 10), (0, 0))] == [
        False,
        True,
        True,
    ]
