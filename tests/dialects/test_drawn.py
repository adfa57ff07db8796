"""Names that are drawn at random: each draw is the same for a seed, in two strata, and without names that we chose."""

import pytest

from tests.dialects import drawn
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def test_a_draw_follows_from_its_seed_and_has_no_name_of_ours(tmp_path):
    table = tmp_path / "packages.tsv"
    own = [f"flask-own-{at}\t1\t{at if at < 5 else ''}" for at in range(30)]
    names = ["name\tversion\trank", "flask-cors\t1\t5", "Flask_Login\t1\t6", *own, "django-x\t1\t1"]
    table.write_text("\n".join(names) + "\n")
    first, again, other = (drawn.draw(table, seed, 8) for seed in (1, 1, 2))
    assert first == again != other
    for found in (first, other):
        assert sorted(each.stratum for each in found) == ["downloaded"] * 4 + ["tail"] * 4
        assert all(each.name.startswith("flask-own-") for each in found)


def test_the_table_is_a_draw_that_has_been_run():
    table = drawn.read()
    assert (len(table), len({each.name for each in table})) == (480, 480)
    assert {each.stratum for each in table} == {"downloaded", "tail"}


@rows("alike, of, limits", (0, 0, (0, 0, 100)), (32, 36, (88.9, 74.7, 95.6)), (40, 40, (100, 91.2, 100)))
def test_the_interval_is_wilson_s(alike, of, limits):
    assert tuple(round(each, 1) for each in drawn.wilson(alike, of)) == limits
