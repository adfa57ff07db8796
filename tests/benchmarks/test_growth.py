"""The command that measures how the cost of a request grows."""

import pytest

from benchmarks.growth import Row, main
from benchmarks.growth_cases import GROWTHS, Growth, page
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def test_measures_each_thing_over_each_interface(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for growth in GROWTHS:
        measured = [line for line in lines if line.startswith(f"{growth.name}  ")]
        assert ["WSGI" in line for line in measured] == [True, False]


@rows(
    "times, is_flat, verdict, fails",
    [
        ({10: 5.0, 100: 5.1, 1000: 5.2}, True, "flat", False),
        ({10: 5.0, 100: 5.1, 1000: 9.0}, True, "linear", True),
        ({1: 5.0, 10: 9.0, 100: 45.0, 1000: 450.0}, False, "linear", False),
        ({0: 5.0, 5: 9.0, 20: 21.0}, False, "linear", False),
        ({10: 5.0, 100: 160.0, 1000: 1600.0}, False, "linear", False),
        ({10: 5.0, 100: 9.0, 1000: 900.0}, False, "4.0 times for twice as much", True),
    ],
    ids=["flat", "flat in vain", "linear", "from none", "a step", "quadratic"],
)
def test_judges_the_growth(times: dict[int, float], is_flat: bool, verdict: str, fails: bool) -> None:
    row = Row(Growth("routes", tuple(times), page, is_flat=is_flat), "wsgi", "antiphon", times)
    assert (row.verdict, row.fails) == (verdict, fails)
