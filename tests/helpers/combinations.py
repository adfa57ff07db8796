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

import pytest

from tests.helpers.rows import SHARE

MARK = "axes"
OPTION = "--all-combinations"


def add_option(parser: pytest.Parser) -> None:
    """Add ``--all-combinations`` to pytest's options."""
    parser.addoption(OPTION, action="store_true", help="run each row with every combination of the axes of its test")


def thin(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect all combinations but one of each row. Raises UsageError for an axis that its test does not name."""
    cases = [Case(item) for item in items]
    if hidden := [f"{case.test}: {', '.join(case.hidden_axes())}" for case in _one_a_test(cases) if case.hidden_axes()]:
        raise pytest.UsageError("the signature or the mark `axes` has to name what multiplies a test", *hidden)
    if config.getoption(OPTION) or any("::" in argument for argument in config.args):
        return
    chosen = {case.item for case in _chosen(cases)}
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


class Case:
    """A collected case of a test: one row with one combination of axes."""

    def __init__(self, item: pytest.Item) -> None:
        self.item = item
        self.test = item.nodeid.partition("[")[0]
        self.module = item.nodeid.partition("::")[0]
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        axes = _names(item, MARK) if parameters else set()
        # A value is known by its identity: all cases of a test share its objects, which need not be hashable.
        self.row = (self.test, *((name, id(value)) for name, value in parameters.items() if name not in axes))
        self.values = [(name, id(value)) for name, value in parameters.items() if name in axes]
        self.pairs = list(itertools.combinations(self.values, 2))

    def uses(self) -> Iterator[tuple[str, object]]:
        """Give what the choice of this case uses: values and pairs, of its test and of its module."""
        return itertools.product((self.test, self.module), [*self.values, *self.pairs])

    def cost(self, used: Counter[tuple[str, object]]) -> tuple[int, ...]:
        """Return how often the pairs and values of this case were used; the least of these is the one to choose."""
        kinds = itertools.product((self.test, self.module), (self.pairs, self.values))
        counts = [sum(used[where, each] for each in kind) for where, kind in kinds]
        return *counts, zlib.crc32(self.item.nodeid.encode())

    def hidden_axes(self) -> list[str]:
        """Return what multiplies the test and is named neither in its signature nor in a mark."""
        if not hasattr(self.item, "callspec"):
            return []
        named = {*inspect.signature(self.item.function).parameters, *_names(self.item, MARK)}
        named |= _names(self.item, "usefixtures") | _names(self.item, "parametrize")
        return [name for name in self.item.callspec.params if name not in named]


def _names(item: pytest.Item, mark: str) -> set[str]:
    """Return the names that marks of a kind give: all of their arguments, or the first of ``parametrize``."""
    marks = list(item.iter_markers(mark))
    if mark != "parametrize":
        return {name for each in marks for name in each.args}
    given = [each.args[0] if each.args else each.kwargs["argnames"] for each in marks]
    return {name.strip() for names in given for name in (names.split(",") if isinstance(names, str) else names)}


def _one_a_test(cases: list[Case]) -> list[Case]:
    return list({case.test: case for case in cases}.values())


def _chosen(cases: list[Case]) -> Iterator[Case]:
    rows = defaultdict(list)
    for case in cases:
        rows[case.row].append(case)
    used: Counter[tuple[str, object]] = Counter()
    for combinations in rows.values():
        shares = _shares(combinations)
        for number in range(shares):
            least = combinations[0] if len(combinations) == 1 else min(combinations, key=lambda case: case.cost(used))
            combinations.remove(least)
            used.update(least.uses())
            least.item.stash[SHARE] = number, shares
            yield least


def _shares(combinations: list[Case]) -> int:
    """Return the number of combinations of a row, or of a table of rows, of which each combination runs a share."""
    _, _, table = getattr(getattr(combinations[0].item, "function", None), "table", (None, None, [None]))
    values = defaultdict(set)
    for name, value in itertools.chain.from_iterable(case.values for case in combinations):
        values[name].add(value)
    return min(len(table), max(map(len, values.values()), default=1))
