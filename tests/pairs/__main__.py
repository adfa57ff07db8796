"""Apply each mutant to a copy of the package, and try random applications there: one of them has to break a rule.

``python -m tests.pairs`` tries all of the table, ``python -m tests.pairs cache`` those whose description has the word.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.mutants.__main__ import copy, say
from tests.mutants.table import ROOT, Mutant

TURNS = 250
"""How often it is the turn of a mutant's pair of features: with about 860 pairs, one application in so many."""
TABLE = Path(__file__).with_name("mutants.toml")
TRY = f"""\
import sys
from itertools import combinations
from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import failures

pairs = [*combinations(sorted(each.name for each in features()), 2)]
first = pairs.index(tuple(sorted(sys.argv[1:])))
for turn in range({TURNS}):
    if found := failures(program_of(first + turn * len(pairs), features()), document=False):
        print(f"turn {{turn + 1}}", first + turn * len(pairs), found[0].rule, found[0].kind, sep=": ")
        break
"""


def mutants() -> list[tuple[list[str], Mutant]]:
    """Read the table: each pair of features, and the mutant that shows beside it."""
    with TABLE.open("rb") as file:
        return [(row.pop("pair"), Mutant(**row, tests=[])) for row in tomllib.load(file)["mutant"]]


def main() -> int:
    """Try the chosen mutants and print what finds each of them. Returns the exit status."""
    found = [find(mutant, pair) for pair, mutant in mutants() if all(word in mutant.breaks for word in sys.argv[1:])]
    say(f"{sum(found)} of {len(found)} were found.")
    return int(not all(found))


def find(mutant: Mutant, pair: list[str]) -> bool:
    """Return True if random applications find a mutant."""
    with tempfile.TemporaryDirectory() as folder:
        package = copy(Path(folder))
        (package / mutant.file).write_text(mutant.applied(package))
        environment = os.environ | {"PYTHONPATH": folder, "ANTIPHON_PURE": "1"}
        command = [sys.executable, "-W", "ignore", "-c", TRY, *pair]
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    say(f"{run.stdout.strip() or run.stderr.strip()[-300:] or 'NOT FOUND'}  {mutant.file}: {mutant.breaks}")
    return bool(run.stdout.strip())


if __name__ == "__main__":
    sys.exit(main())
