"""Try what features do to each other: ``python -m antiphon.testing.pairs --apps 1000 [--seed N]``.

Each application is composed from a seed. One that breaks a rule is made as short as it can be and printed, with its
seed; the exit status is then 1. ``--seed N --apps 1`` tries that one again.
"""

import argparse
import sys
from contextlib import suppress
from random import SystemRandom
from time import monotonic

from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Program
from antiphon.testing.pairs.rendering import script_of
from antiphon.testing.pairs.rules import Failure
from antiphon.testing.pairs.running import WAYS
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import failures, shrunk


def main() -> int:
    """Try applications until all are tried or the time is over. Returns the exit status."""
    options = _options()
    known = features()
    first = SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    say(f"Applications from --seed {first} on, with {len(known)} features.")
    start, count, seen = monotonic(), 0, set[tuple[str, str]]()
    while count < options.apps and monotonic() - start < options.seconds:
        program = program_of(first + count, known)
        for found in failures(program):
            if found[:2] not in seen:
                seen.add(found[:2])
                say(report(program, found))
        count += 1
        if seen and not options.all:
            break
    say(f"{count} applications, {len(seen)} failures, {(monotonic() - start) / count * 1000:.0f} ms each.")
    return int(bool(seen))


def say(text: str) -> None:
    """Print text at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(program: Program, first: Failure) -> str:
    """Return the shortest program that fails in the same way, with what goes wrong."""
    wants_document = first.rule == "document"

    def found_in(each: Program) -> Failure | None:
        with suppress(Exception):  # a program that isn't whole any more
            found = failures(each, first.ways or WAYS[:1], document=wants_document)
            return next((one for one in found if one[:2] == first[:2]), None)
        return None

    shortest = shrunk(program, lambda each: found_in(each) is not None)
    found = found_in(shortest) or first
    way = found.ways[-1] if found.ways else WAYS[0]
    script = script_of(shortest, way, tuple(dict.fromkeys(each.interface for each in found.ways or WAYS[:1])))
    request = "" if found.request is None else f", request {found.request + 1}"
    told = f"--seed {program.seed} --apps 1 breaks {found.rule!r} ({way.name}{request}): {found.kind}\n{found.what}"
    return script + "\n\n" + "\n".join([f"# {line}" for line in told.splitlines()]) + "\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m antiphon.testing.pairs", description=__doc__)
    parser.add_argument("--seed", type=int, help="the seed of the first application; by default a random one")
    parser.add_argument("--apps", type=int, default=1000, help="the number of applications")
    parser.add_argument("--seconds", type=float, default=1e9, help="end after this time")
    parser.add_argument("--all", action="store_true", help="go on after the first failure, and print one of each kind")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
