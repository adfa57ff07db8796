"""Tests that may be skipped: where a change is judged (``CI`` is set), any other skip is a failure."""

import os
from pathlib import Path

import pytest

LIST = Path(__file__).parents[1] / "skips.txt"


def unlisted(reporter: pytest.TerminalReporter) -> list[str]:
    """Return the tests that were skipped and are not on the list, with the reason that each gives."""
    lines = [line.split(maxsplit=1)[0] for line in LIST.read_text().splitlines() if line and line[0] != "#"]
    skipped = [report for report in reporter.stats.get("skipped", []) if report.nodeid.partition("[")[0] not in lines]
    return [f"{report.nodeid}: {_reason(report)}" for report in skipped]


def fail_for_unlisted(session: pytest.Session) -> None:
    """Have a run fail that skipped what is not on the list, where a change is judged."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and session.exitstatus == pytest.ExitCode.OK and unlisted(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def tell_unlisted(reporter: pytest.TerminalReporter) -> None:
    """Say which tests were skipped and are not on the list."""
    if found := unlisted(reporter):
        reporter.section("skipped, and not in tests/skips.txt", red=bool(os.environ.get("CI")))
        for line in found:
            reporter.line(line)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
