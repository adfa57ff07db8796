"""Apply each mutant to a copy of the package and run its tests there: one of them has to fail.

``python -m tests.mutants`` tries all of the table; arguments choose those whose file or description contains one of
them. Fails if a mutant survives, or if its tests did not run. With ``--random 60`` that many are made at random, by
``--seed`` the same ones again; those that survive are listed and are no failure, since some change nothing that can be
observed.

With ``--room features/durable``, 20 are made at random in that folder, and the cheap tests of its folder run: they find
a mistake while its author still works. Fails if they notice less than 80 %, or than ``rooms.txt`` says, which lists the
rooms that are worse. That list only gets shorter.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import SystemRandom

from tests.helpers import costs
from tests.mutants.random_mutants import RandomMutant, random_mutants, random_mutants_of
from tests.mutants.table import LEAST, ROOT, SOURCE, Mutant, mutants, rooms

LONGEST = 600
"""Seconds after which tests that hang have noticed."""

PYTEST = [sys.executable, "-m", "pytest", "--exitfirst", "-p", "no:cacheprovider"]
NOTICED, SURVIVED, NO_TESTS = 1, 0, 5
CHEAP = (costs.OPTION, "0")
MUTANTS_OF_ROOM = 20


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Try the chosen mutants and print the outcome of each. Returns the exit status."""
    parser = ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="parts of the files or descriptions of those to try")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="make N at random instead")
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(1 << 32), help="to make the same ones again"
    )
    parser.add_argument("--room", help="a folder of the package, whose cheap tests are to notice 80 %% of its mutants")
    options = parser.parse_args()
    if options.room:
        return tried_room(options.room, options.seed)
    if options.random:
        say(f"{options.random} at random, --seed {options.seed}")
        return tried_all(random_mutants(options.random, options.seed), may_survive=True)
    words = options.words
    return tried_all(
        [each for each in mutants() if not words or any(word in f"{each.file} {each.breaks}" for word in words)]
    )


def tried_all(chosen: Sequence[Mutant | RandomMutant], *, may_survive: bool = False) -> int:
    """Try mutants beside each other. Returns the exit status."""
    outcomes = outcomes_of(chosen, is_quick=not may_survive)
    expected = {NOTICED, SURVIVED, NO_TESTS} if may_survive else {NOTICED}
    return int(not expected.issuperset(outcomes))


def outcomes_of(chosen: Sequence[Mutant | RandomMutant], paths: Sequence[str] = (), *, is_quick: bool) -> list[int]:
    """Try mutants beside each other, with their own tests or these. Returns pytest's exit statuses.

    Raises SystemExit if the tests fail without a mutant.
    """
    with tempfile.TemporaryDirectory() as folder:
        all_paths = paths or sorted({path for each in chosen for path in each.tests})
        status, output = run_tests([*all_paths], copy(Path(folder)), is_quick=is_quick, longest=None)
    if status != SURVIVED:
        sys.exit(f"{output}\nWithout any mutant these tests have to pass.")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(partial(tried, paths=paths), chosen))
    say(f"{outcomes.count(NOTICED)} of {len(chosen)} were noticed.")
    return outcomes


def tried_room(room: str, seed: int) -> int:
    """Try mutants of one folder with its cheap tests. Returns the exit status."""
    mutants = random_mutants_of(room, MUTANTS_OF_ROOM, seed)
    say(f"{len(mutants)} of {room}, --seed {seed}")
    outcomes = outcomes_of(mutants, [f"tests/{room}", *CHEAP], is_quick=False)
    return int(outcomes.count(NOTICED) < rooms().get(room, LEAST) * len(mutants))


def tried(mutant: Mutant | RandomMutant, paths: Sequence[str] = ()) -> int:
    """Run the tests of a mutant, or these, and print the outcome. Returns pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        package = copy(Path(folder))
        (package / mutant.file).write_text(mutant.applied(package))
        status, output = run_tests([*(paths or mutant.tests)], package, is_quick=isinstance(mutant, Mutant))
    outcome = {NOTICED: "noticed", SURVIVED: "SURVIVED", NO_TESTS: "NO TESTS"}.get(status, "NOT RUN")
    say(f"{outcome:<8}  {mutant.file}: {mutant.breaks}")
    if outcome == "NOT RUN":
        say(output)
    return status


def copy(folder: Path) -> Path:
    """Copy the package into a folder."""
    return Path(shutil.copytree(SOURCE, folder / "antiphon", ignore=shutil.ignore_patterns("__pycache__")))


def run_tests(paths: list[str], package: Path, *, is_quick: bool, longest: int | None = LONGEST) -> tuple[int, str]:
    """Run tests on a copy of the package. Returns pytest's exit status, and what it printed.

    Tests of a mutant that take longer than ``LONGEST`` have noticed it.
    """
    command = [*PYTEST, *(["-m", "not processes"] if is_quick else []), *paths]
    # The extension would answer in place of the code in Python that a mutant changes.
    environment = os.environ | {"PYTHONPATH": str(package.parent), "EXAMPLES": "25", "CI": "true", "ANTIPHON_PURE": "1"}
    where = "import antiphon; print(antiphon.__file__)"
    found = subprocess.run([sys.executable, "-c", where], env=environment, capture_output=True, text=True, check=False)
    if not found.stderr and Path(found.stdout.strip()).parent != package:
        raise RuntimeError(f"these tests would run on {found.stdout}")
    try:
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=longest, check=False
        )
    except subprocess.TimeoutExpired:
        return NOTICED, ""
    return run.returncode, run.stdout + run.stderr


if __name__ == "__main__":
    sys.exit(main())
