"""The verdict on what was measured."""

import pytest

from benchmarks.report import Cell, means, missed, shortfalls, summary, table

AHEAD = Cell("wsgi", "hello", {"antiphon": 2.0, "bare": 1.0, "falcon": 4.0, "flask": 8.0})
BEHIND = Cell("wsgi", "form", {"antiphon": 4.0, "falcon": 2.0, "flask": 8.0})
OTHER = Cell("asgi", "hello", {"antiphon": 1.0, "starlette": 4.0})
ALONE = Cell("wsgi", "tuple", {"antiphon": 3.0, "falcon": 3.0})


def test_a_table_has_the_figures_and_how_many_times_ours_they_are():
    assert table([AHEAD, BEHIND]).splitlines() == [
        "| WSGI     |       hello |        form |",
        "| -------- | ----------: | ----------: |",
        "| antiphon |        2.00 |        4.00 |",
        "| bare     | 1.00 (0.50) |             |",
        "| falcon   | 4.00 (2.00) | 2.00 (0.50) |",
        "| flask    | 8.00 (4.00) | 8.00 (2.00) |",
    ]


def test_each_peer_has_to_be_behind_in_each_cell():
    assert list(shortfalls([AHEAD, BEHIND, ALONE])) == [
        "form over WSGI: 4.00 us; falcon's time is 2.00 us",
        "tuple over WSGI: 3.00 us; falcon's time is 3.00 us",
    ]


def test_the_geometric_mean_is_of_what_any_application_does():
    assert means([AHEAD, BEHIND, ALONE, OTHER]) == pytest.approx({"WSGI": 1.0, "ASGI": 0.25, "all": 0.25 ** (1 / 3)})
    assert means([ALONE]) == {}


def test_a_mean_above_the_aim_is_missed():
    assert list(missed([AHEAD, BEHIND, OTHER], 0.7)) == []
    assert list(missed([AHEAD, BEHIND, OTHER], 0.6)) == [
        "the geometric mean over all is 0.63 of the best peer's time, not 0.60"
    ]


def test_the_summary_counts_the_cells():
    assert summary([AHEAD, BEHIND, OTHER], 0.7).endswith("It is ahead of each peer in 2 of 3 cells.")
    assert summary([ALONE], 0.7) == "It is ahead of each peer in 0 of 1 cells."
