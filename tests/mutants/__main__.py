"""Apply each mutant to a copy of the package and run its tests there: one of them has to fail.

``python -m tests.mutants`` tries all; arguments choose those whose file or description contains one of them. Fails if
a mutant survives, or if its tests did not run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.table import ROOT, SOURCE, Mutant, mutants

LONGEST = 600
"""Seconds after which tests that hang have noticed."""

PYTEST = [sys.executable, "-m", "pytest", "--quick", "--exitfirst", "-p", "no:cacheprovider"]
NOTICED, SURVIVED = 1, 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    """Try the chosen mutants and print what became of each. Returns the exit status."""
    chosen = [each for each in mutants() if not words or any(word in f"{each.file} {each.breaks}" for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        status, output = run_tests(sorted({path for each in chosen for path in each.tests}), copy(Path(folder)))
    if status != SURVIVED:
        say(f"{output}\nWithout any mutant these tests have to pass.")
        return 1
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(tried, chosen))
    say(f"{outcomes.count(NOTICED)} of {len(chosen)} were noticed.")
    return int(outcomes.count(NOTICED) != len(chosen))


def tried(mutant: Mutant) -> int:
    """Run the tests of a mutant and print what became of it. Returns pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        package = copy(Path(folder))
        (package / mutant.file).write_text(mutant.applied(package))
        status, output = run_tests(mutant.tests, package)
    outcome = {NOTICED: "noticed", SURVIVED: "SURVIVED"}.get(status, "NOT RUN")
    say(f"{outcome:<8}  {mutant.file}: {mutant.breaks}")
    if outcome == "NOT RUN":
        say(output)
    return status


def copy(folder: Path) -> Path:
    """Copy the package into a folder."""
    return Path(shutil.copytree(SOURCE, folder / "antiphon", ignore=shutil.ignore_patterns("__pycache__")))


def run_tests(paths: list[str], package: Path) -> tuple[int, str]:
    """Run tests on a copy of the package. Returns pytest's exit status, and what it printed."""
    environment = os.environ | {"PYTHONPATH": str(package.parent), "EXAMPLES": "25", "CI": "true"}
    where = "import antiphon; print(antiphon.__file__)"
    found = subprocess.run([sys.executable, "-c", where], env=environment, capture_output=True, text=True, check=False)
    if not found.stderr and Path(found.stdout.strip()).parent != package:
        raise RuntimeError(f"these tests would run on {found.stdout}")
    try:
        run = subprocess.run(
            [*PYTEST, *paths], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return NOTICED, ""
    return run.returncode, run.stdout + run.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
