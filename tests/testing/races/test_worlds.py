"""The framework's own state in worlds, a few numbers each: `scripts/weekly worlds` tries new ones for minutes."""

import pytest

from tests.helpers.rows import rows
from tests.testing.races.worlds import WORLDS, explore

pytestmark = pytest.mark.once


@rows("name", [*WORLDS])
def test_no_race_is_found(name):
    assert explore(name, range(4)) is None
