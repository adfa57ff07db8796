"""An application whose store fails once keeps what always holds, and what loses a write then is found."""

import pytest

from antiphon.testing.pairs.programs import Around
from tests.pairs.faults import Faulty, failures, faulty

ACCEPTS = "@app.errorhandler(503)\ndef planted(request, error):\n    return 'fine', 200"


@pytest.mark.parametrize("seed", range(4))
def test_an_application_whose_store_fails_once_keeps_what_always_holds(seed):
    assert failures(faulty(seed)) == []


def test_a_write_that_is_lost_while_the_store_fails_is_found():
    def found(seed):
        program = faulty(seed)
        return failures(Faulty(*program._replace(around=(*program.around, Around("planted", ACCEPTS)))))

    assert any("has 0 effects at a fault" in each.kind for seed in range(60) for each in found(seed))
