"""`python -m tests.dialects.features`: how many rows of the table have tests, and how many of them are seen served.

With `--mutate` rows are broken, to see that their tests can fail.

A test says `@pytest.mark.feature("microdot-001")` of the rows that it holds, and `served` of those that it sees as a
client does, on sockets and over each interface. With `--write` the counts go into
`tested.csv`, of which `python -m scripts.tables` makes a table.
"""

import csv
import os
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.dialects.mutation import is_noticed, targets

FOLDER = Path(__file__).parent
COUNTS = FOLDER / "tested.csv"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def rows() -> dict[str, str]:
    """The document of each row."""
    with (FOLDER / "features.csv").open(newline="") as file:
        return {row["id"]: row["seed"] for row in csv.DictReader(file)}


class Features:
    """A plugin of pytest that runs no tests but looks at what was collected."""

    def __init__(self, options: Namespace) -> None:
        self.options = options
        self.rows = rows()
        self.tests: dict[str, list[pytest.Item]] = {}
        self.served: set[str] = set()
        self.complaints: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("feature"):
                for row in marker.args:
                    self.tests.setdefault(row, []).append(item)
            for marker in item.iter_markers("served"):
                self.served.update(marker.args)
        named = {**self.tests, **dict.fromkeys(sorted(self.served))}
        self.complaints += [f"{row}: there is no such row" for row in named if row not in self.rows]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            self.complaints.append("some tests could not be collected")
        self.count()
        if self.options.mutate:
            self.mutate()
        return True

    def count(self) -> None:
        """Print how many rows of each document have a test, and how many are seen served."""
        tested, served = (
            Counter(self.rows[row] for row in found if row in self.rows) for found in (self.tests, self.served)
        )
        counts = [(seed, tested[seed], served[seed], count) for seed, count in Counter(self.rows.values()).items()]
        for seed, shown, seen, count in counts:
            say(f"{seed:10}{shown:5} / {count}, seen served {seen:5} / {count}")
        lines = [("dialect", "tested", "served", "of"), *counts]
        table = "".join(f"{','.join(map(str, line))}\n" for line in lines)
        if self.options.write:
            COUNTS.write_text(table)
        elif self.options.paths == [str(FOLDER)] and table != COUNTS.read_text():
            say(f"{COUNTS.name} has other counts: --write puts these there")

    def mutate(self) -> None:
        """Break what some rows name, row by row, and note those whose tests all pass nevertheless."""
        chosen = sorted(set(self.tests) & set(self.rows))
        if len(chosen) > self.options.mutate:
            chosen = sorted(Random(self.options.seed).sample(chosen, self.options.mutate))
        say(f"breaking what {len(chosen)} rows name, SEED={self.options.seed}")
        known = targets()
        missed = []
        for row in chosen:
            if row not in known:
                missed.append(f"{row}: no targets.csv says what to break")
            elif not is_noticed(known[row], self.tests[row]):
                missed.append(f"{row}: its tests pass without {' and '.join(known[row])}")
        say(f"{len(chosen) - len(missed)} of {len(chosen)} were noticed")
        self.complaints += missed


def main() -> int:
    options = parse_options()
    features = Features(options)
    arguments = [*options.paths, "-p", "no:cacheprovider", "-p", "no:xdist", "-q", "--no-header", "--no-summary"]
    code = pytest.main(arguments, plugins=[features])
    for complaint in features.complaints:
        say(complaint)
    return 1 if features.complaints or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.dialects.features", description=__doc__)
    parser.add_argument("paths", nargs="*", default=[str(FOLDER)], help="where the tests are (all dialects)")
    parser.add_argument("--write", action="store_true", help="write the counts into tested.csv")
    parser.add_argument("--mutate", type=int, default=int(os.environ.get("MUTATE") or 0), help="how many rows to break")
    parser.add_argument("--seed", type=int, default=os.environ.get("SEED") or None, help="to break the same ones again")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = SystemRandom().randrange(1 << 32)
    return options


if __name__ == "__main__":
    sys.exit(main())
