"""The order in which tests are collected, and that in which they run."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def begin_apart(config: pytest.Config) -> None:
    """Have each worker collect another part of the files first: what one has compiled, the others only read."""
    if worker := getattr(config, "workerinput", None):
        is_all = [Path(each).resolve() for each in config.args] == [TESTS]
        files = sorted(map(str, TESTS.rglob("test_*.py"))) if is_all else [*config.args]
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args[:] = files[first:] + files[:first]


def sort(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the workers one order, in which files that wait for other processes are spread among those that compute."""
    if hasattr(config, "workerinput"):
        waiting = {item.path for item in items if any(map(item.get_closest_marker, ("processes", "slow")))}
        places = {}
        for files in waiting, {item.path for item in items} - waiting:
            places |= {path: (place / len(files), path) for place, path in enumerate(sorted(files))}
        items.sort(key=lambda item: places[item.path])
