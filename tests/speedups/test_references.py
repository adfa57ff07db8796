"""A call of the extension gives back each reference that it takes."""

import sys
from contextlib import suppress

import pytest

from tests.helpers.twins import NAMES, compiled
from tests.speedups.test_twins import CASES

total = getattr(sys, "gettotalrefcount", None)
CALLS = 1000


@pytest.mark.skipif(total is None, reason="this Python does not count references")
@pytest.mark.parametrize("name", NAMES)
def test_no_call_keeps_a_reference(name):
    function = compiled(name)
    for arguments in [*(arguments for of, arguments, _ in CASES if of == name), (), (None,), (object(), 1)]:
        grown = [_growth(function, arguments) for _ in range(3)]
        assert min(grown) < CALLS / 2, arguments


def _growth(function, arguments):
    before = total()
    for _ in range(CALLS):
        with suppress(TypeError, AttributeError, ValueError):
            function(*arguments)
    return total() - before
