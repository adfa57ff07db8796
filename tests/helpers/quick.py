"""``--quick``: the tests that start no other process, on one core in a minute or two."""

import sys

import pytest

OPTION = "--quick"
MARK = "processes"
STARTS = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen"}
"""The audit events of what starts a process."""


def add_option(parser: pytest.Parser) -> None:
    """Add ``--quick`` to pytest's options."""
    parser.addoption(OPTION, action="store_true", help="leave out tests that are marked `processes`")


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what starts processes, if ``--quick`` is given, and refuse to start any from then on."""
    if not config.getoption(OPTION):
        return
    left_out = [item for item in items if item.get_closest_marker(MARK)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker(MARK)]
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event in STARTS:
        raise RuntimeError(f"with {OPTION} nothing starts a process: mark the test `{MARK}`")
