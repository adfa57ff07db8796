"""Run tests in several processes, each of which collects only its own files: ``python -m tests [ARGUMENT...]``.

Arguments are pytest's; files and folders say which tests. ``--expensive`` (tests/helpers/costs.py)
leaves out expensive ones.

| option | |
|---|---|
| ``--processes N`` | how many run at once: two more than there are processors, since tests wait, too |
| ``--measure`` | run all tests, and write what they cost |
| ``--make FILE`` | have make write a file before the first test begins, while this process imports |
| ``--groups SEED`` | put the files into other groups and orders: no test may know which others ran |

Files next to each other share a process, and what its fixtures have started, until they cost enough. The most expensive
groups begin first. Each process is forked from this one, which imports what most of many groups need, while the first
one already runs. Few tests that fail run once more, alone, since a busy machine may do too late what they wait for.
Only then pytest explains their asserts, but in CI always: that takes a twentieth of a first run.
"""

import gc
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, text

from antiphon import features
from tests.helpers import costs, skips

ROOT = Path(__file__).parents[1]
FEW = 8
"""How many tests may fail beside others and be run again."""
PLAIN = "--assert=plain"
GROUPS_PER_PROCESS = 8
"""How many groups each process gets at most, so that all end at the same time."""
GROUP = 8.0
"""The CPU seconds of a group, if each process gets one: what is imported and computed first costs one of them."""
LEAST = 2.5
"""The CPU seconds of a group, at least."""
ROOM = 2 << 30
"""How many bytes a folder in memory must have for the temporary files of tests."""
SHARED = (
    "_hypothesis_pytestplugin",
    "antiphon.cli.main", "antiphon.dialects.pyramid.config", "antiphon.dialects.werkzeug.test",
    "antiphon.testing.client", "antiphon.testing.servers.asgi", "antiphon.testing.servers.rsgi",
    "antiphon.testing.servers.wsgi",
    "cryptography.x509", "dateutil.parser", "django.test.client", "flask", "granian.server", "jinja2",
    "joserfc.jwt", "opentelemetry.sdk.trace", "psycopg_pool", "pydantic.main", "redis.asyncio",
    "sqlalchemy.ext.asyncio", "tests.conftest", "uvloop", "watchfiles", "websockets.sync.client",
    "xml.etree.ElementTree",
    *(f"antiphon.features:{name}" for name in features.__all__),
)  # fmt: skip
"""What a third of all groups import."""


class Outcome:
    """A plugin of pytest that tells the first process what has happened in one group of files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts = Counter[str]()
        self._failed: list[str] = []
        self.measuring = costs.Measuring()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test, and an error before or after it."""
        if report.when == "call" or not report.passed:
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that can't be imported, or has no package that it needs."""
        if not report.passed:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        self._counts[report.outcome] += 1
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count what is left out."""
        self._counts["deselected"] += len(items)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what has happened."""
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        told = {
            "counts": self._counts, "failed": self._failed, "costs": self.measuring.costs,
            "skipped": skips.unlisted(reporter),
        }  # fmt: skip
        self._path.write_text(json.dumps(told))


def _tests_of(path: str) -> list[str]:
    """Return the tests of a room of the package, ``src/antiphon/features/cache``; any other path as it is."""
    room = Path(path.rstrip("/")).with_suffix("")
    if room.parts[:2] != ("src", "antiphon"):
        return [path]
    place = Path("tests", *room.parts[2:])
    found = [*ROOT.glob(str(place)), *sorted(ROOT.glob(f"{place.parent}/test_{place.name}*.py"))]
    return [str(each.relative_to(ROOT)) for each in found] or sys.exit(f"there are no tests of {path}")


def files_of(paths: list[str]) -> list[str]:
    """Return the test files of paths, relative to the project, or the paths of single tests."""
    found = dict[str, None]()
    for each in [place for path in paths for place in _tests_of(path)]:
        path = ROOT / each.partition("::")[0]
        files = sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
        found |= dict.fromkeys(each if "::" in each else str(file.relative_to(ROOT)) for file in files)
    return [*found]


def groups_of(files: list[str], known: costs.Costs, processes: int, without: set[str]) -> list[list[str]]:
    """Return the files in groups, the most expensive first."""
    cost = {file: known.of(file.partition("::")[0], without) for file in files}
    total = sum(cost.values())
    enough = max(LEAST, total / min(max(total / GROUP, processes), processes * GROUPS_PER_PROCESS))
    groups: list[list[str]] = [[]]
    for file in files:
        if groups[-1] and sum(cost[each] for each in groups[-1]) + cost[file] > enough:
            groups.append([])
        groups[-1].append(file)
    return sorted(groups, key=lambda group: -sum(cost[each] for each in group))


def carry_out(files: list[str], options: list[str], folder: Path) -> None:
    """Run the tests of a group in this process, which has been forked for it, and end it."""
    code = 3
    try:
        folder.mkdir(parents=True)
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        os.dup2(output, 1), os.dup2(output, 2)
        os.environ["TESTS_GROUP"] = folder.name
        outcome = Outcome(folder / "outcome")
        known = "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
        arguments = [*options, "-p", "no:cacheprovider", *known, f"--basetemp={folder / 'tmp'}", *files]
        code = pytest.main(arguments, plugins=[outcome, outcome.measuring])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


class Run:
    """One run of groups of files, and what it has found so far."""

    def __init__(self, options: list[str], folder: Path, *, measures: bool = False) -> None:
        self._options = options
        self._folder = folder
        self._measures = measures
        self._began = time.monotonic()
        self._open: dict[int, tuple[int, list[str]]] = {}
        self.counts = Counter[str]()
        self.failed: list[str] = []
        self._outputs: list[str] = []
        self.costs: list[tuple[str, float]] = []
        self.skipped: list[tuple[str, str]] = []

    def all(self, groups: list[list[str]], processes: int, prepare: Callable[[], None] = lambda: None) -> None:
        """Run groups, so many at once. The first one begins before ``prepare`` is called."""
        waiting = list(enumerate(groups))[::-1]
        try:
            if waiting:
                self._begin(*waiting.pop())
            prepare()
            while waiting or self._open:
                while waiting and len(self._open) < processes:
                    self._begin(*waiting.pop())
                pid, status = os.wait()
                number, files = self._open.pop(pid)
                self._end(self._folder / str(number), files, os.waitstatus_to_exitcode(status))
                self._tell(len(groups) - len(waiting) - len(self._open), len(groups))
        finally:
            for pid in self._open:
                os.kill(pid, signal.SIGTERM)

    def _begin(self, number: int, files: list[str]) -> None:
        sys.stdout.flush()
        if pid := os.fork():
            self._open[pid] = number, files
        else:
            carry_out(files, self._options, self._folder / str(number))

    def _end(self, folder: Path, files: list[str], code: int) -> None:
        told: dict[str, Any] = {"counts": {"failed": 1}, "failed": [], "costs": [], "skipped": []}
        if (folder / "outcome").exists():
            told = json.loads((folder / "outcome").read_text())
        if self._measures:
            costs.judged(map(tuple, told["costs"]), costs.read()).write()
        self.counts.update(told["counts"])
        self.costs += map(tuple, told["costs"])
        self.skipped += map(tuple, told["skipped"])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            self.failed += dict.fromkeys(told["failed"] or files)  # a process that was killed names no test
            output = (folder / "output").read_text(errors="replace")
            self._outputs.append(f"{output}This was: python -m pytest {shlex.join(files)}")
            if PLAIN not in self._options:
                print(self._outputs.pop())
        subprocess.run(["rm", "-rf", folder], check=False)  # in a fifth of shutil.rmtree's time

    def again(self) -> None:
        """Run what has failed once more, one test at a time. What passes is told: it is to be mended, too."""
        if not 0 < len(self.failed) <= FEW:
            print(*self._outputs, sep="\n", end="")
            return
        alone = Run([each for each in self._options if each != PLAIN], self._folder / "again")
        alone.all([[each] for each in self.failed], 1)
        print("Failed beside others:", *self.failed, sep="\n")
        self.failed, self.counts["failed"] = alone.failed, 0
        self.counts.update(alone.counts)

    def _tell(self, ended: int, groups: int) -> None:
        seconds = time.monotonic() - self._began
        print(f"{ended} of {groups} groups, {self.summary()} in {seconds:.0f} s", flush=True)

    @property
    def ran_none(self) -> bool:
        """True if every test was left out, which is no success."""
        return not self.summary() and "--collect-only" not in self._options

    def summary(self) -> str:
        """Return how many tests passed, failed and so on."""
        return ", ".join(f"{self.counts[each]} {each}" for each in ("passed", "failed", "skipped") if self.counts[each])


def chosen(arguments: list[str]) -> tuple[Any, list[str], list[str]]:
    """Return our options, pytest's, and the files."""
    parser = ArgumentParser(prog="python -m tests", allow_abbrev=False)
    parser.add_argument("--processes", type=int, default=(os.cpu_count() or 1) + 2)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--make")
    parser.add_argument("--groups", type=int)
    parser.add_argument(costs.OPTION)
    ours, rest = parser.parse_known_args(arguments)
    paths = [each for each in rest if (ROOT / each.partition("::")[0]).exists() and each.startswith("tests")]
    if ours.expensive == "commit":
        ours.expensive = costs.part_of_commit()
    options = [each for each in rest if each not in paths]
    options += [costs.OPTION, ours.expensive] if ours.expensive else []
    options += [] if os.environ.get("CI") else [PLAIN]
    return ours, options, files_of(paths or ["tests"])


def main(arguments: list[str]) -> int:
    """Run tests. Returns 1 if one fails, or none runs."""
    ours, options, files = chosen(arguments)
    known = costs.read()
    without = costs.left_out(ours.expensive, known)
    if ours.groups is not None:
        random.Random(ours.groups).shuffle(files)
    os.environ.setdefault("HYPOTHESIS_SEED", str(random.SystemRandom().randrange(1 << 32)))
    groups = groups_of(files, known, ours.processes, without)
    making = subprocess.Popen(["make", "--silent", ours.make], cwd=ROOT) if ours.make else None
    prepare = partial(_import_shared, groups, ours.processes)
    if making:
        prepare()
        if making.wait():
            return 1
    with tempfile.TemporaryDirectory(prefix="tests-", dir=_in_memory(), ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o1777)  # PostgreSQL, which root starts, is nobody's
        os.environ["TESTS_FOLDER"] = os.environ["TMPDIR"] = tempfile.tempdir = folder
        run = Run(options, Path(folder), measures=ours.measure)
        run.all(groups, ours.processes, *([] if making else [prepare]))  # it was called while files were made
        run.again()
    print(*_told(run, known, has_measured=ours.measure), sep="\n")
    return int(bool(run.failed) or run.ran_none)


def _told(run: Run, known: costs.Costs, *, has_measured: bool) -> Iterator[str]:
    """Yield what to say at the end of a run."""
    yield from (f"FAILED {each}" for each in run.failed)
    yield from skips.told(run.skipped)
    # Not a failure: beside other work a cheap test may take long, as it does at first on a newcomer's machine.
    yield from costs.grown(run.costs, known) if os.environ.get("CI") and not has_measured else ()
    if run.ran_none:
        yield f"No tests ran: {run.counts['deselected']} are left out. `python -m pytest` with these paths runs them."
    else:
        yield f"{run.summary()}; they cost {sum(cost for _, cost in run.costs):.0f} s"


def _in_memory() -> str | None:
    """Return a folder in memory if there is one with room: on a disk, the files of tests cost 15 CPU seconds."""
    with suppress(OSError):
        found = os.statvfs("/dev/shm")
        return "/dev/shm" if found.f_bavail * found.f_frsize >= ROOM else None
    return None


@settings(database=None, derandomize=True)
@given(text(), integers())
def _property(_: str, __: int) -> None:
    """Have Hypothesis compute once what each process would compute."""


def _import_shared(groups: list[list[str]], processes: int) -> None:
    """Import what most of many groups need, once."""
    if len(groups) <= processes:
        return
    for name in SHARED:
        with suppress(ImportError):  # a test that needs it is skipped
            resolve_name(name)
    with warnings.catch_warnings(action="ignore"):  # that it should not run before pytest
        _property()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
