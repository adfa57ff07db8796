"""Try what features do to each other: ``python -m antiphon.testing.pairs --apps 1000 [--seed N]``.

Each application is composed from a seed. One that breaks a rule is made as short as it can be and printed, with its
seed; the exit status is then 1. ``--seed N --apps 1`` tries that one again.
"""

import sys
from argparse import ArgumentParser
from pkgutil import resolve_name
from typing import Any

from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Feature, Program
from antiphon.testing.pairs.rendering import script_of
from antiphon.testing.pairs.rules import Failure
from antiphon.testing.pairs.running import WAYS
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import OfPrograms, failures, told


class Pairs(OfPrograms[Program]):
    """Trials of all features in one process."""

    def __init__(self, wanted: str | None = None) -> None:
        given: Any = resolve_name(wanted) if wanted and ":" in wanted else ()
        more = (given,) if isinstance(given, Feature) else given
        known = features(*more)
        names = [each.name for each in more] or ([wanted] if wanted else [])
        if unknown := {*names}.difference([each.name for each in known]):
            raise SystemExit(f"no row is named {unknown.pop()!r}, or a package that it needs is not installed")
        self.arguments = f"--with {wanted} " if wanted else ""
        super().__init__(lambda seed: program_of(seed, known, names), failures)

    def found_again(self, program: Program, first: Failure) -> list[Failure]:
        """Return the rules that a shorter program breaks over the ways of the first failure."""
        return failures(program, first.ways or WAYS[:1], document=first.rule == "document")

    def printed(self, program: Program, failure: Failure) -> str:
        """Return a script that shows the failure."""
        ways = failure.ways or WAYS[:1]
        script = script_of(program, ways[-1], tuple(dict.fromkeys(each.interface for each in ways)))
        return f"{script}\n\n{told(failure)}"


if __name__ == "__main__":
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--with", dest="wanted", metavar="ROW", help="have this row's feature: its name or MODULE:ROW")
    sys.exit(Pairs(parser.parse_known_args()[0].wanted).main(__doc__, 1e9, parser))
