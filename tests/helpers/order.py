"""The order in which tests are collected, and that in which they run."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def begin_apart(config: pytest.Config) -> None:
    """Have each worker collect another part of all tests first: what one has compiled, the others only read."""
    worker = getattr(config, "workerinput", None)
    if worker and [Path(each).resolve() for each in config.args] == [TESTS]:
        files = sorted(map(str, TESTS.rglob("test_*.py")))
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args[:] = files[first:] + files[:first]


def sort(items: list[pytest.Item]) -> None:
    """Sort tests by their files, those with slow tests first: no worker waits for another's at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, item.path))
