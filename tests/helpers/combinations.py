"""Thin collection: one combination of the axes for each row of a test.

An axis is a parameter that multiplies a test without being its subject: the interface, ``def`` or ``async def``, the
kind of a mounted application. The mark ``axes`` names the axes of a test, its class or its module; all other parameters
of a test make its rows. Each row runs with one combination of the axes. Combinations are chosen so that the rows of a
test, and then those of a module, use all values of each axis, and all pairs of two axes, equally often. The rows of
a table (``@rows``) share as many combinations as the longest axis has values.

``--all-combinations`` runs every row with every combination, and so does a test that the command line names (``::``).
"""

import inspect
import itertools
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.rows import SHARE

MARK = "axes"
OPTION = "--all-combinations"


def add_option(parser: pytest.Parser) -> None:
    """Add ``--all-combinations`` to pytest's options."""
    parser.addoption(OPTION, action="store_true", help="run each row with every combination of the axes of its test")


class Combinations:
    """A plugin of pytest that makes tests of the chosen combinations only: to make all of them takes longer."""

    def __init__(self, config: pytest.Config) -> None:
        self._runs_all = config.getoption(OPTION) or any("::" in argument for argument in config.args)
        self._used: Counter[tuple[str, object]] = Counter()
        self._shares: dict[int, tuple[int, int]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> Iterator[None]:
        """Leave out all combinations but one of each row. Fails for an axis that the test does not name."""
        yield
        cases = [Case(metafunc.definition, call) for call in metafunc._calls]
        if cases and (hidden := cases[0].hidden_axes()):
            pytest.fail(f"the signature or the mark `axes` has to name what multiplies a test: {hidden}", pytrace=False)
        if not self._runs_all:
            shares = {id(case.call): share for case, share in _chosen(cases, self._used)}
            metafunc._calls[:] = [call for call in metafunc._calls if id(call) in shares]
            self._shares |= shares

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Tell a table which of its rows are this item's."""
        if share := self._shares.get(id(getattr(item, "callspec", None))):
            item.stash[SHARE] = share


class Case:
    """A case of a test: one row with one combination of axes."""

    def __init__(self, test: pytest.Item, call: Any) -> None:
        self.call = call
        self._test = test
        self._name = test.nodeid
        self._module = test.nodeid.partition("::")[0]
        axes = _names(test, MARK)
        # A value is known by its identity: all cases of a test share its objects, which need not be hashable.
        self.row = tuple((name, id(value)) for name, value in call.params.items() if name not in axes)
        self.values = [(name, id(value)) for name, value in call.params.items() if name in axes]
        self._pairs = list(itertools.combinations(self.values, 2))

    def uses(self) -> Iterator[tuple[str, object]]:
        """Give what the choice of this case uses: values and pairs, of its test and of its module."""
        return itertools.product((self._name, self._module), [*self.values, *self._pairs])

    def cost(self, used: Counter[tuple[str, object]]) -> tuple[int, ...]:
        """Return how often the pairs and values of this case were used; the least of these is the one to choose."""
        kinds = itertools.product((self._name, self._module), (self._pairs, self.values))
        counts = [sum(used[where, each] for each in kind) for where, kind in kinds]
        return *counts, zlib.crc32(f"{self._name}[{self.call.id}]".encode())

    def shares(self) -> int:
        """Return the length of the table of rows that the test runs, 1 for one without."""
        _, _, table = getattr(self._test.obj, "table", (None, None, [None]))
        return len(table)

    def hidden_axes(self) -> list[str]:
        named = {*inspect.signature(self._test.obj).parameters, *_names(self._test, MARK)}
        named |= _names(self._test, "usefixtures") | _names(self._test, "parametrize")
        return [name for name in self.call.params if name not in named]


def _names(item: pytest.Item, mark: str) -> set[str]:
    """Return the names that marks of a kind give: all of their arguments, or the first of ``parametrize``."""
    marks = list(item.iter_markers(mark))
    if mark != "parametrize":
        return {name for each in marks for name in each.args}
    given = [each.args[0] if each.args else each.kwargs["argnames"] for each in marks]
    return {name.strip() for names in given for name in (names.split(",") if isinstance(names, str) else names)}


def _chosen(cases: list[Case], used: Counter[tuple[str, object]]) -> Iterator[tuple[Case, tuple[int, int]]]:
    """Give the cases to run, each with its number among those that share a row, and the number of these."""
    rows = defaultdict(list)
    for case in cases:
        rows[case.row].append(case)
    for combinations in rows.values():
        shares = _shares(combinations)
        for number in range(shares):
            least = combinations[0] if len(combinations) == 1 else min(combinations, key=lambda case: case.cost(used))
            combinations.remove(least)
            used.update(least.uses())
            yield least, (number, shares)


def _shares(combinations: list[Case]) -> int:
    """Return the number of combinations of a row, or of a table of rows, of which each combination runs a share."""
    values = defaultdict(set)
    for name, value in itertools.chain.from_iterable(case.values for case in combinations):
        values[name].add(value)
    return min(combinations[0].shares(), max(map(len, values.values()), default=1))
