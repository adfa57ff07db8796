"""``--quick``: the tests that start no other process, on one core in a minute or two.

It takes the few packages of the dependency group ``quick``: a test of what is not installed is skipped. In every run, a
test without the mark `processes` can't start a process, so that each way of running the tests finds a missing mark.
"""

import re
import sys
from collections.abc import Generator
from importlib.util import find_spec

import pytest

OPTION = "--quick"
MARK = "processes"
STARTS = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen"}
"""The audit events of what starts a process."""

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w+)")
_OURS = {"antiphon", "benchmarks", "examples", "fuzz", "scripts", "tests"}


def add_option(parser: pytest.Parser) -> None:
    """Add ``--quick`` to pytest's options."""
    parser.addoption(OPTION, action="store_true", help="leave out tests that are marked `processes`")


def configure(config: pytest.Config) -> None:
    """Have tests without the mark refuse to start processes, and skip tests of missing packages with ``--quick``."""
    config.pluginmanager.register(_Refusal())
    if config.getoption(OPTION):
        config.pluginmanager.register(_MissingPackages())


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what starts processes, if ``--quick`` is given."""
    if not config.getoption(OPTION):
        return
    left_out = [item for item in items if item.get_closest_marker(MARK)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker(MARK)]


class _Refusal:
    """A plugin of pytest that keeps tests without the mark from starting processes."""

    def __init__(self) -> None:
        self.is_refused = False
        sys.addaudithook(self._audit)

    def _audit(self, event: str, _: tuple[object, ...]) -> None:
        if self.is_refused and event in STARTS:
            raise RuntimeError(f"this test starts a process: mark it `{MARK}`")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.is_refused = item.get_closest_marker(MARK) is None
        try:
            return (yield)
        finally:
            self.is_refused = False


class _MissingPackages:
    """A plugin of pytest that skips the files and tests that fail for lack of a package, and names the packages."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        self._skip(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._skip(report)
        return report

    def _skip(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        found = _NO_MODULE.findall(str(report.longrepr)) if report.failed else ()
        if found and found[-1] not in _OURS and find_spec(found[-1]) is None:
            self.names.add(found[-1])
            report.outcome = "skipped"
            report.longrepr = (report.nodeid, 0, f"there is no {found[-1]} here")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.names:
            names = ", ".join(sorted(self.names))
            terminalreporter.line(
                f"Tests were skipped for lack of {names}; `make .venv/.test` installs all that tests need."
            )
