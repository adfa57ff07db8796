"""Processes that tests start."""

import os
import sys
from collections.abc import Generator

import pytest

UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
"""An environment for a process that could not write down which of its lines ran, since it becomes another user."""

RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}")
"""The command of a ``ServerProcess`` that runs an application by ours."""

STARTS = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen"}
"""The audit events of what starts a process."""


class UnmarkedProcesses:
    """A plugin of pytest that keeps tests without the mark `processes` from starting any, however they are run."""

    def __init__(self) -> None:
        self.is_refused = False
        sys.addaudithook(self._audit)

    def _audit(self, event: str, _: tuple[object, ...]) -> None:
        if self.is_refused and event in STARTS:
            raise RuntimeError("this test starts a process: mark it `processes`")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.is_refused = item.get_closest_marker("processes") is None
        try:
            return (yield)
        finally:
            self.is_refused = False
