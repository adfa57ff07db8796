"""`python -m tests.dialects.features`: how many rows of the table have tests, and how many of them are seen served.

A test says `@pytest.mark.feature("microdot-001")` of the rows that it holds, and `served` of those that it sees as a
client does, on sockets and over each interface. With `--write` the counts go into
`tested.csv`, of which `python -m scripts.tables` makes a table.
"""

import csv
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import pytest

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
    """A plugin of pytest that runs no tests but looks at those that were collected, by the rows that they hold."""

    def __init__(self) -> None:
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
        self.look()
        return True

    def look(self) -> None:
        """Look at what was collected."""
        raise NotImplementedError


class Counts(Features):
    """The counts of rows that have a test, and of those that are seen served, for each document."""

    def __init__(self, *, is_written: bool, is_whole: bool) -> None:
        super().__init__()
        self.is_written = is_written
        self.is_whole = is_whole

    def look(self) -> None:
        """Print the counts, and write or compare the table of them."""
        tested, served = (
            Counter(self.rows[row] for row in found if row in self.rows) for found in (self.tests, self.served)
        )
        counts = [(seed, tested[seed], served[seed], count) for seed, count in Counter(self.rows.values()).items()]
        for seed, shown, seen, count in counts:
            say(f"{seed:10}{shown:5} / {count}, seen served {seen:5} / {count}")
        lines = [("dialect", "tested", "served", "of"), *counts]
        table = "".join(f"{','.join(map(str, line))}\n" for line in lines)
        if self.is_written:
            COUNTS.write_text(table)
        elif self.is_whole and table != COUNTS.read_text():
            say(f"{COUNTS.name} has other counts: --write puts these there")


def collected(features: Features, paths: list[str]) -> int:
    """Collect the tests below some paths, and have the plugin look at them. Returns the exit status."""
    arguments = [*paths, "-p", "no:cacheprovider", "-q", "--no-header", "--no-summary"]
    code = pytest.main(arguments, plugins=[features])
    for complaint in features.complaints:
        say(complaint)
    return 1 if features.complaints or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else 0


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.dialects.features", description=__doc__)
    parser.add_argument("paths", nargs="*", default=[str(FOLDER)], help="where the tests are (all dialects)")
    parser.add_argument("--write", action="store_true", help="write the counts into tested.csv")
    options = parser.parse_args()
    return collected(Counts(is_written=options.write, is_whole=options.paths == [str(FOLDER)]), options.paths)


if __name__ == "__main__":
    sys.exit(main())
