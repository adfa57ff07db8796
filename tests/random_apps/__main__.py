"""Try random applications for some time: ``python -m tests.random_apps --seconds 60 [--seed N]``.

The first seed is printed. If a program differs from way to way, or leaves something behind, the shortest one that does
is printed, and the exit status is 1. ``--seed N --programs 1`` tries that program alone.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from random import SystemRandom
from time import monotonic

from tests.random_apps.programs import Program, program_of
from tests.random_apps.running import Difference, differences
from tests.random_apps.served import served_differences
from tests.random_apps.shrinking import as_text, shrunk

SERVED_AT_ONCE = 40
"""The number of programs for which servers are started."""


def main() -> int:
    """Try programs until the time is over, or one differs."""
    options = _options()
    first = SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"Random applications from --seed {first} on", flush=True)
    end, count = monotonic() + options.seconds, 0
    while monotonic() < end and count < options.programs:
        batch: dict[int, Program] = {}
        while len(batch) < SERVED_AT_ONCE and monotonic() < end and count < options.programs:
            batch[first + count] = program = program_of(first + count)
            if found := differences(program):
                return _report(first + count, program, found[0], partial(differences, ways=found[0].ways))
            count += 1
        for program, difference in served_differences([*batch.values()]):
            seed = next(seed for seed, each in batch.items() if each.parts == program.parts)
            return _report(seed, program, difference, _on_servers)
    print(f"{count} of them are the same over each interface and on servers, and leave nothing behind.")
    return 0


def _on_servers(program: Program) -> list[Difference]:
    return [difference for _, difference in served_differences([program])]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.random_apps", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--programs", type=int, default=1 << 32)
    return parser.parse_args()


def _report(seed: int, program: Program, first: Difference, find: Callable[[Program], list[Difference]]) -> int:
    kind = first.kind
    shortest = shrunk(program, lambda each: any(found.kind == kind for found in find(each)))
    print(as_text(shortest, is_mounted="mounted" in first.ways[-1]))
    print(f"# of --seed {seed} --programs 1:")
    for difference in find(shortest):
        print("\n".join(f"# {line}" for line in difference.what.splitlines()))
    return 1


if __name__ == "__main__":
    sys.exit(main())
