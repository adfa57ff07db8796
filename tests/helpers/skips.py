"""Skips: tests of packages that are not installed, and where a change is judged, only those of a list."""

import os
import re
import sys
import traceback
from collections import Counter
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.helpers import system_programs

LIST = Path(__file__).parents[1] / "skips.txt"

SKIPPED_ROWS = "skipped rows"
"""The property of a test's report that tells which of its rows were skipped, and why."""

_NO_MODULE = re.compile(r"ModuleNotFoundError: (?:No module named ')?(\w+)")
_OURS = {"antiphon", "benchmarks", "examples", "fuzz", "scripts", "tests"}


class MissingPackages:
    """A plugin of pytest that skips the files and tests that fail for lack of a package."""

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        _skip_without_package(report)
        if report.skipped:
            _forget(str(collector.path))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        _skip_without_package(report)
        return report


def is_skip(error: BaseException) -> bool:
    """Return True for what skips a test, which a missing package does, too."""
    return isinstance(error, pytest.skip.Exception) or _missing("".join(traceback.format_exception(error))) is not None


def _skip_without_package(report: pytest.CollectReport | pytest.TestReport) -> None:
    if report.failed and (name := _missing(str(report.longrepr))):
        report.outcome = "skipped"
        report.longrepr = (report.nodeid, 0, f"there is no {name} here")


def _missing(told: str) -> str | None:
    """Return the package without which this was raised, if there is such a package, and it is not ours."""
    found = _NO_MODULE.findall(told)
    return found[-1] if found and found[-1] not in _OURS and find_spec(found[-1]) is None else None


def _forget(path: str) -> None:
    """Remove a file that was imported in part, so that a file that imports it fails, and is skipped, for its reason."""
    for name in [name for name, module in sys.modules.items() if getattr(module, "__file__", None) == path]:
        del sys.modules[name]


def unlisted(reporter: pytest.TerminalReporter) -> list[tuple[str, str]]:
    """Return the tests, and why, that were skipped or had a row skipped, and are not on the list.

    Where no programs are to be installed, .ci/run itself fails for those that are missing.
    """
    lines = [line.split(maxsplit=1)[0] for line in LIST.read_text().splitlines() if line and line[0] != "#"]
    skipped = [(each.nodeid, _reason(each)) for each in reporter.stats.get("skipped", [])]
    for each in reporter.stats.get("passed", []):
        skipped += [(each.nodeid, str(rows)) for name, rows in each.user_properties if name == SKIPPED_ROWS]
    if os.environ.get("SYSTEM_PACKAGES") == "no":
        skipped = [(nodeid, reason) for nodeid, reason in skipped if system_programs.MISSING not in reason]
    return [(nodeid, reason) for nodeid, reason in skipped if nodeid.partition("[")[0] not in lines]


def fail_for_unlisted(session: pytest.Session) -> None:
    """Have a run fail that skipped what is not on the list, where a change is judged."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and session.exitstatus == pytest.ExitCode.OK and unlisted(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def told(found: list[tuple[str, str]]) -> list[str]:
    """Return what to say of unlisted skips: in a line why, or where a change is judged, which tests."""
    if os.environ.get("CI"):
        return [f"skipped, and not in tests/skips.txt: {nodeid}: {reason}" for nodeid, reason in found]
    reasons = Counter(reason.removeprefix("Skipped: ") for _, reason in found).most_common()
    return ["Skipped: " + ", ".join(f"{reason} ({count})" for reason, count in reasons)] if found else []


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
