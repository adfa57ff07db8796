"""Whether an event loop may write by itself: told from how long the last batches took."""

import pytest

from antiphon.uploads.temporary_file import SLOW, WARY, WriteTimes
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

SHORT = SLOW / 2


@rows(
    "took, are_short",
    ([], False),
    ([SHORT], True),
    ([SHORT] * 100, True),
    ([SLOW], False),
    ([SHORT, SLOW], False),
    ([SLOW] + [SHORT] * (WARY - 1), False),
    ([SLOW] + [SHORT] * WARY, True),
    ([SLOW] + [SHORT] * (WARY - 1) + [SLOW] + [SHORT] * (WARY - 1), False),
    ([SLOW] * 100 + [SHORT] * WARY, True),
    ids=str,
)
def test_they_are_short_when_so_many_were_in_a_row(took, are_short):
    times = WriteTimes()
    for seconds in took:
        times.add(seconds)
    assert times.are_short is are_short
