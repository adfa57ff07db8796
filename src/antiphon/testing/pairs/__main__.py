"""Try what features do to each other: ``python -m antiphon.testing.pairs --apps 1000 [--seed N]``.

Each application is composed from a seed. One that breaks a rule is made as short as it can be and printed, with its
seed; the exit status is then 1. ``--seed N --apps 1`` tries that one again.
"""

import sys

from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Program
from antiphon.testing.pairs.rendering import script_of
from antiphon.testing.pairs.rules import Failure
from antiphon.testing.pairs.running import WAYS
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import OfPrograms, failures, told


class Pairs(OfPrograms[Program]):
    """Trials of all features in one process."""

    def __init__(self) -> None:
        known = features()
        super().__init__(lambda seed: program_of(seed, known), failures)

    def found_again(self, program: Program, first: Failure) -> list[Failure]:
        """Return the rules that a shorter program breaks over the ways of the first failure."""
        return failures(program, first.ways or WAYS[:1], document=first.rule == "document")

    def printed(self, program: Program, failure: Failure) -> str:
        """Return a script that shows the failure."""
        ways = failure.ways or WAYS[:1]
        script = script_of(program, ways[-1], tuple(dict.fromkeys(each.interface for each in ways)))
        return f"{script}\n\n{told(failure)}"


if __name__ == "__main__":
    sys.exit(Pairs().main(__doc__))
