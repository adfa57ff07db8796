"""Skips: tests of packages that are not installed, and where a change is judged, only those of a list."""

import os
import re
import sys
from collections import Counter
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

LIST = Path(__file__).parents[1] / "skips.txt"

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


def _skip_without_package(report: pytest.CollectReport | pytest.TestReport) -> None:
    found = _NO_MODULE.findall(str(report.longrepr)) if report.failed else ()
    if found and found[-1] not in _OURS and find_spec(found[-1]) is None:
        report.outcome = "skipped"
        report.longrepr = (report.nodeid, 0, f"there is no {found[-1]} here")


def _forget(path: str) -> None:
    """Remove a file that was imported in part, so that a file that imports it fails, and is skipped, for its reason."""
    for name in [name for name, module in sys.modules.items() if getattr(module, "__file__", None) == path]:
        del sys.modules[name]


def unlisted(reporter: pytest.TerminalReporter) -> list[pytest.TestReport | pytest.CollectReport]:
    """Return the reports of tests that were skipped and are not on the list."""
    lines = [line.split(maxsplit=1)[0] for line in LIST.read_text().splitlines() if line and line[0] != "#"]
    return [each for each in reporter.stats.get("skipped", []) if each.nodeid.partition("[")[0] not in lines]


def fail_for_unlisted(session: pytest.Session) -> None:
    """Have a run fail that skipped what is not on the list, where a change is judged."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and session.exitstatus == pytest.ExitCode.OK and unlisted(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def tell_unlisted(reporter: pytest.TerminalReporter) -> None:
    """Say why tests were skipped that are not on the list, and where a change is judged, which ones."""
    if not (found := unlisted(reporter)):
        return
    reporter.section("skipped, and not in tests/skips.txt", red=bool(os.environ.get("CI")))
    if os.environ.get("CI"):
        for each in found:
            reporter.line(f"{each.nodeid}: {_reason(each)}")
    else:
        for reason, count in Counter(map(_reason, found)).most_common():
            reporter.line(f"{count}: {reason}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
