"""What tests cost: measured, written down, and a bound for `make test`.

| option | the expensive tests that run |
|---|---|
| (none) | all |
| ``--expensive 0`` | none |
| ``--expensive 2/3`` | the second of three parts, which cost the same |
| ``--expensive commit`` | one of these three, chosen by the commit |

A cost is the CPU seconds of a test, its fixtures and its processes, and an eighth of the seconds in which it only
waits, though not for a processor. ``tests/costs.txt`` has a line for each file whose cheap tests cost a second or more
together, and one for each expensive test: the mean of its rows, and their number. ``python -m tests --measure`` writes
it. A known cost stays unless it has changed by half, so that the file seldom changes.
"""

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import zygote

LIST = Path(__file__).parents[1] / "costs.txt"
BOUND = 0.15
"""The cost from which on a test is expensive, on average over its rows: ``make test`` leaves it out."""
BUDGET = 280.0
"""The cost of all that ``make test`` runs."""
OPTION = "--expensive"
_HEAD = "# The cost of each file's cheap tests, and of a row of each expensive test; see tests/helpers/costs.py.\n"
_WAITING = 1 / 8
_SCHEDULED = Path("/proc/thread-self/schedstat")
_UNLISTED = 0.15
"""What a file that isn't listed costs: their mean."""


class Cost(NamedTuple):
    """A test's mean cost and the number of its rows."""

    mean: float
    rows: int


class Costs(NamedTuple):
    """The costs of cheap tests by file, and of expensive tests by name."""

    files: dict[str, float]
    tests: dict[str, Cost]

    def of(self, file: str, without: set[str]) -> float:
        """Return what the tests of a file take, without some. A file that isn't listed takes little."""
        dear = (self.total(name) for name in self.tests if name not in without and name.startswith(f"{file}::"))
        return self.files.get(file, _UNLISTED) + sum(dear)

    def total(self, name: str) -> float:
        """Return what all rows of an expensive test take."""
        return self.tests[name].mean * self.tests[name].rows

    def write(self) -> None:
        lines = {file: f"{file} {cost:g}" for file, cost in self.files.items()}
        lines |= {name: f"{name} {cost.mean:g} x{cost.rows}" for name, cost in self.tests.items()}
        LIST.write_text(_HEAD + "".join(f"{line}\n" for _, line in sorted(lines.items())))


def read() -> Costs:
    costs = Costs({}, {})
    for line in LIST.read_text().splitlines() if LIST.exists() else ():
        match line.split():
            case ["#", *_]:
                pass
            case [name, mean, rows]:
                costs.tests[name] = Cost(float(mean), int(rows.removeprefix("x")))
            case [file, cost]:
                costs.files[file] = float(cost)
    return costs


def judged(measured: Iterable[tuple[str, float]], known: Costs) -> Costs:
    """Return the costs of tests that ran. Of others, and where little has changed, the known costs stay."""
    rows = defaultdict[str, list[float]](list)
    for nodeid, cost in measured:
        rows[test_of(nodeid)].append(cost)
    files = {name.partition("::")[0] for name in rows}
    sums = defaultdict[str, float](float)
    tests = {name: cost for name, cost in known.tests.items() if name not in rows}
    for name, costs in rows.items():
        mean = sum(costs) / len(costs)
        if name in known.tests:
            mean = _steady(mean, known.tests[name].mean)
        if mean >= BOUND:
            tests[name] = Cost(_steady(mean, 0.0), len(costs))
        else:
            sums[name.partition("::")[0]] += sum(costs)
    kept = {file: cost for file, cost in known.files.items() if file not in files}
    kept |= {file: _steady(cost, known.files.get(file, 0.0)) for file, cost in sums.items() if cost >= 1}
    return Costs(kept, tests)


def _steady(new: float, known: float) -> float:
    """Return the known cost unless the new one differs by half, with two digits."""
    return known if known / 1.5 < new < known * 1.5 else float(f"{new:.2g}")


def test_of(nodeid: str) -> str:
    """Return the name of the test that a row belongs to."""
    return nodeid.partition("[")[0]


def commits() -> int:
    """Return the number of commits, by which CI chooses what it runs by turns."""
    git = ["git", "rev-list", "--count", "HEAD"]
    return int(subprocess.run(git, cwd=LIST.parent, capture_output=True, check=True).stdout)


def part_of_commit() -> str:
    """Return the part of expensive tests that a commit runs: one of three, by turns."""
    return f"{commits() % 3 + 1}/3"


def left_out(part: str | None, known: Costs) -> set[str]:
    """Return the expensive tests that ``--expensive`` leaves out. Raises UsageError for what is no part."""
    if part is None:
        return set()
    if part == "0":
        return {*known.tests}
    if not (match := re.fullmatch(r"([1-9])/([1-9])", part)):
        raise pytest.UsageError(f"{OPTION} must be 0, or a part such as 2/3, not {part}")
    number, parts = map(int, match.groups())
    dearest_first = sorted(known.tests, key=lambda name: (-known.total(name), name))
    return {name for place, name in enumerate(dearest_first) if place % parts != number % parts}


class WithoutExpensive:
    """A plugin of pytest that leaves expensive tests out."""

    def __init__(self, part: str) -> None:
        self._names = left_out(part, read())

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is on the list."""
        dear = [item for item in items if test_of(item.nodeid) in self._names]
        config.hook.pytest_deselected(items=dear)
        items[:] = [item for item in items if test_of(item.nodeid) not in self._names]


class Measuring:
    """A plugin of pytest that notes what each test costs.

    Tests of a file share its fixtures, such as a server, that more than one of them may use. A server that is there for
    several files counts what it has spent at its end: all tests that may start processes share it, of all files.
    """

    def __init__(self) -> None:
        self.costs: list[tuple[str, float]] = []
        self._rows: dict[str, float] = {}
        self._processes: set[str] = set()
        self._shared = 0.0
        self._of_all = 0.0
        self._begins = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Note what a test costs."""
        before, shared = _times(), self._shared
        result = yield
        self._rows[item.nodeid] = _since(before) - (self._shared - shared) - self._of_all
        if item.get_closest_marker("processes"):
            self._processes.add(item.nodeid)
        if nextitem is None or nextitem.path != item.path:
            share = self._shared / len(self._rows)
            self.costs += [(name, cost + share) for name, cost in self._rows.items()]
            self._rows, self._shared = {}, 0.0
        if nextitem is None and self._processes:
            share = self._of_all / len(self._processes)
            self.costs = [(name, cost + share * (name in self._processes)) for name, cost in self.costs]
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """Note what begins for more than one test, with what it asks for meanwhile."""
        before = _times()
        is_shared = fixturedef.scope != "function"
        self._begins += is_shared
        try:
            return (yield)
        finally:
            self._begins -= is_shared
            self._shared += _since(before) if is_shared and not self._begins else 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Note what ends: it may have been there for more than one test, or file."""
        before = [_times()]
        if nextitem is None:
            item.session.addfinalizer(lambda: before.append(_times()))  # called when the file has ended
        try:
            return (yield)
        finally:
            whole, *after_file = map(_since, before)
            self._of_all = sum(after_file)
            self._shared += whole - self._of_all


def _times() -> list[float]:
    """Return the CPU seconds that have been spent so far, and the time but for waits for a processor."""
    *spent, now = os.times()
    delay = int(_SCHEDULED.read_text().split()[1]) / 1e9 if _SCHEDULED.exists() else 0.0
    return [sum(spent) + zygote.spent(), now - delay]


def _since(before: list[float]) -> float:
    spent, passed = (after - start for after, start in zip(_times(), before, strict=True))
    return spent + _WAITING * max(passed - spent, 0.0)


def grown(measured: Iterable[tuple[str, float]], known: Costs) -> Iterator[str]:
    """Yield the tests that are not on the list and cost eight times what a cheap one may, with what to do."""
    rows = defaultdict[str, list[float]](list)
    for nodeid, cost in measured:
        rows[test_of(nodeid)].append(cost)
    for name, costs in rows.items():
        if name not in known.tests and (mean := sum(costs) / len(costs)) > 8 * BOUND:
            yield (
                f"{name} costs {mean:.1f} s a row, and a cheap test {BOUND} at most: have it do less, or list it by"
                f" python -m tests --measure {name.partition('::')[0]}"
            )
