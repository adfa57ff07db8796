"""Runs other projects' own tests with the original that they live on, and then with dialects in its place.

Prints how many pass, of how many that pass with the original, and which of those fail. Exits with 1 if one does for a
reason that is not known, and with 75 if none does and some could not be fetched.
The environment that this runs in gets the projects, and a folder with their sources, which are from PyPI. As many
projects are tested at a time as there are processors. With `--write`, the counts go into `compat.csv`, those of
applications into `wall.csv`, of which `python -m scripts.tables` makes tables.

Without names it runs `PROJECTS`, all in one environment. A name may be one of `APPLICATIONS`, too, each of which has an
environment of its own, since they require different versions of the same packages: `scripts/wall NAME`.
"""

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import xml.etree.ElementTree as ET
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.dialects.applications import APPLICATIONS
from tests.dialects.projects import PROJECTS, SOURCES, Project

COUNTS = Path(__file__).with_name("compat.csv")
WALL = Path(__file__).with_name("wall.csv")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
PYTEST = "pytest<9"  # Flask's tests import a name that is gone since
ORIGINAL = "original"
UNREACHABLE = 75
"""The exit code if packages or tests could not be fetched, and no test failed: EX_TEMPFAIL of sysexits.h."""
UNITTESTS = Path(__file__).with_name("unittests.py")
"""A path, since a project's own `tests` would be found in place of ours."""


class Outcome(NamedTuple):
    """The names of the tests of one run: those that pass, and those that fail."""

    passed: set[str]
    failed: set[str]


class Result(NamedTuple):
    """How many of a project's tests pass on a dialect, of those that pass with the original."""

    project: Project
    dialect: str
    passed: int
    of: int
    original: str
    """The original, and its version."""
    failed: int
    """How many tests fail with the original itself."""

    @property
    def is_worse(self) -> bool:
        """True if tests fail for a reason that is not known, or none could be run."""
        return self.of - self.passed > self.project.dialects[self.dialect] or not self.of


def main() -> int:
    parser = ArgumentParser(prog="scripts/weekly compat")
    parser.add_argument("names", nargs="*", help="projects, or applications (all projects)")
    parser.add_argument("--write", action="store_true", help="write the counts into compat.csv")
    options = parser.parse_args()
    chosen = _chosen(options.names)
    needs = [need for project in chosen for need in (project.pinned, *project.needs)]
    if subprocess.run([*PIP, "install", PYTEST, *needs], check=False).returncode:
        _say(f"Not run, since its packages could not be installed: {' '.join(each.name for each in chosen)}")
        return UNREACHABLE
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        compared = [*workers.map(_compare, chosen)]
    results = [result for each in compared for result in each or ()]
    if options.write:
        applications = {each.project.name for each in APPLICATIONS}
        _write(WALL, [each for each in results if each.project.name in applications])
        _write(COUNTS, [each for each in results if each.project in PROJECTS and not each.project.own_tests])
    if not chosen or any(result.is_worse for result in results):
        return 1
    return UNREACHABLE if None in compared else 0


def _chosen(names: list[str]) -> list[Project]:
    """All projects, or those and the applications that have these names."""
    known = {project.name: project for project in (*PROJECTS, *(each.project for each in APPLICATIONS))}
    if unknown := {*names} - {*known}:
        sys.exit(f"There is no {', '.join(sorted(unknown))} here. There are: {', '.join(sorted(known))}")
    return [known[name] for name in names] if names else PROJECTS


def _write(table: Path, results: list[Result]) -> None:
    """Put counts in the place of those that a table has of these projects, or at its end, in the columns it has."""
    with table.open(newline="") as file:
        known_rows = csv.DictReader(file)
        known = {(row["dialect"], row["distribution"]): row for row in known_rows}
        columns = known_rows.fieldnames or []
    for result in results:
        name = result.project.name
        row = known.setdefault(
            (result.dialect, name), {"dialect": result.dialect, "distribution": name, "project": name}
        )
        counts = {"passed": result.passed, "of": result.of, "failed_with_original": result.failed}
        row.update(version=result.project.version, original=result.original, **{k: str(v) for k, v in counts.items()})
    with table.open("w", newline="") as file:
        rows = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        rows.writerows(known.values())


def _compare(project: Project) -> list[Result] | None:
    """Run a project's tests. Return None if they could not be fetched."""
    try:
        source = _source(project)
    except (OSError, ValueError, subprocess.CalledProcessError, tarfile.TarError) as error:
        _say(f"{project.name} {project.version}: its tests could not be fetched: {error}")
        return None
    if source is None:
        _say(f"{project.name} {project.version}: not run: its tests are in {project.repository}, on GitHub, alone")
        return []
    expected = _run(project, source, ORIGINAL)
    return [_result(project, source, expected, dialect) for dialect in project.dialects]


def _result(project: Project, source: Path, expected: Outcome, dialect: str) -> Result:
    """Count the tests that pass on a dialect, and say which of those that pass with the original do not."""
    missing = sorted(expected.passed - _run(project, source, dialect).passed)
    of = len(expected.passed)
    original = f"{dialect} {version(dialect)}"
    result = Result(project, dialect, of - len(missing), of, original, len(expected.failed))
    lines = [f"{project.name} {project.version}: {result.passed} / {of} of what passes with {original}"]
    lines += [f"  fails: {test}" for test in missing if result.is_worse]
    lines += [f"  fails with the original, too: {test}" for test in sorted(expected.failed)]
    _say("\n".join(lines))
    return result


def _say(lines: str) -> None:
    sys.stdout.write(f"{lines}\n")
    sys.stdout.flush()


def _source(project: Project) -> Path | None:
    """The folder to run tests in: ours, the source distribution's or the repository's; None if that is out of reach."""
    if project.own_tests:
        return project.own_tests
    unpacked = project.folder / "source"
    if not unpacked.exists():
        project.folder.mkdir(parents=True, exist_ok=True)
        (SOURCES / "pytest.ini").touch()  # a project without a configuration would be given that of this one
        (_clone if project.repository else _download)(project, unpacked)
        _graft(project, unpacked)
    return unpacked if unpacked.exists() else None


def _download(project: Project, unpacked: Path) -> None:
    command = [*PIP, "download", "--no-deps", f"--no-binary={project.name}", f"--dest={project.folder}", project.pinned]
    subprocess.run(command, check=True)
    (packed,) = project.folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(project.folder / "packed", filter="data")
    (folder,) = (project.folder / "packed").iterdir()
    for name in project.removed:
        (folder / name).unlink()
    folder.rename(unpacked)


def _clone(project: Project, unpacked: Path) -> None:
    clone = ["git", "clone", "--quiet", "--depth=1", f"--branch={project.tag.format(project.version)}"]
    subprocess.run([*clone, f"https://github.com/{project.repository}", str(unpacked)], check=False)


def _graft(project: Project, unpacked: Path) -> None:
    """Copy tests into the package that they are part of, and test them there."""
    if project.grafted:
        tests = unpacked / project.grafted
        shutil.copytree(tests, Path(sysconfig.get_path("purelib"), project.grafted), dirs_exist_ok=True)
        shutil.rmtree(unpacked)
        unpacked.mkdir()


def _run(project: Project, source: Path, name: str) -> Outcome:
    """Run the tests with the original, or with a dialect, by its name."""
    project.folder.mkdir(parents=True, exist_ok=True)
    report = project.folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = _unittest(report, name) if project.by_unittest else _pytest(project, report, name)
    answers = {"ANSWERS": str(project.folder / "answers.json"), "ANSWERS_OF": name}
    surroundings = os.environ | answers | {"PYTHONHASHSEED": "0"}  # sets are shown in the same order by all runs
    arguments = [sys.executable, *command, *project.options]
    finished = subprocess.run(arguments, cwd=source, env=surroundings, capture_output=True, text=True, check=False)
    report.with_suffix(".log").write_text(finished.stdout + finished.stderr)
    if not report.exists():
        _say(f"The tests of {project.name} could not run:\n{finished.stdout}{finished.stderr}")
        return Outcome(set(), set())
    return _outcome(report)


def _pytest(project: Project, report: Path, name: str) -> list[str]:
    kept = ["-o", f"cache_dir={project.folder / 'cache'}", f"--junitxml={report}"]
    plugin = [] if name == ORIGINAL else ["-p", "antiphon.testing.plugin", f"--antiphon-dialect={name}"]
    return ["-m", "pytest", "-q", "--continue-on-collection-errors", *kept, *plugin]


def _unittest(report: Path, name: str) -> list[str]:
    return [str(UNITTESTS), str(report), "" if name == ORIGINAL else name]


def _outcome(report: Path) -> Outcome:
    """The names of the tests of a report, without those that were skipped."""
    found = Outcome(set(), set())
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if "skipped" not in kinds:
            tests = found.failed if kinds & {"failure", "error"} else found.passed
            tests.add(f"{case.get('classname')}.{case.get('name')}")
    return Outcome(found.passed - found.failed, found.failed)


if __name__ == "__main__":
    sys.exit(main())
