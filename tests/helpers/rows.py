"""A table of rows as one test, which runs them all and names each row that fails.

Collecting, setting up and reporting a test costs more than most rows do, and one fault should print one failure.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from tests.helpers.skips import SKIPPED_ROWS, is_skip

T = TypeVar("T", bound=Callable[..., Any])
Case = tuple[Callable[[], str], tuple[Any, ...]]
"""A row: a function that makes its name, which only a row that fails needs, and its values."""

SHARE = pytest.StashKey[tuple[int, int]]()
"""The number of an item, and of the items that share its table."""

OUTCOMES = (Exception, pytest.fail.Exception, pytest.skip.Exception)


def rows(names: str, *table: Any, ids: Iterable[Any] | Callable[[Any], Any] | None = None) -> Callable[[T], T]:
    """Run a test, or each test of a class, with the rows of a table: as ``pytest.mark.parametrize``, but as one test.

    The rows follow the names; what stands there alone is an iterable of them. A row may skip: the rest of the test
    counts, and the skip is told with those of tests. If all do, the test skips. Several tables of a test are one of all
    their combinations. Each row gets a folder of its own as ``tmp_path``, a ``monkeypatch`` that is undone after it,
    and nothing of what the rows before it logged or printed. Other fixtures are made once for all rows, so a row must
    not change what the next one sees. Raises ValueError for a table without rows, and TypeError for what can only be a
    test of its own: a row with marks, a coroutine function, a property of Hypothesis.
    """
    own_names = [name.strip() for name in names.split(",")]
    own_cases = _cases(list(*table) if len(table) == 1 else [*table], ids, is_single=len(own_names) == 1)
    if not own_cases:
        raise ValueError(f"the table of {names} has no rows")

    def decorate(decorated: Any) -> Any:
        if inspect.isclass(decorated):
            for name in [name for name in vars(decorated) if name.startswith("test")]:
                setattr(decorated, name, decorate(vars(decorated)[name]))
            return decorated
        test, more_names, more_cases = getattr(decorated, "table", (decorated, [], []))
        if inspect.iscoroutinefunction(test) or hasattr(test, "hypothesis"):
            raise TypeError(f"{test.__qualname__} has to be a plain function to be run with rows")
        wanted = [*own_names, *more_names]
        pairs = itertools.product(own_cases, more_cases)
        both = [(functools.partial(_both, name, more), (*one, *other)) for (name, one), (more, other) in pairs]
        cases = both or own_cases

        @functools.wraps(decorated)
        def run_rows(*arguments: Any, **fixtures: Any) -> None:
            __tracebackhide__ = True
            request = fixtures["request"] if "request" in parameters else fixtures.pop("request", None)
            shared = _share(cases, *request.node.stash.get(SHARE, (0, 1))) if request else cases
            if (skipped := _run(functools.partial(test, *arguments), wanted, shared, fixtures)) and request:
                request.node.user_properties.append((SKIPPED_ROWS, skipped))

        parameters = inspect.signature(test).parameters
        fixtures = {name: each for name, each in parameters.items() if name not in wanted}
        fixtures.setdefault("request", inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY))
        run_rows.__signature__ = inspect.Signature([*fixtures.values()])  # type: ignore[attr-defined]
        run_rows.table = test, wanted, cases  # type: ignore[attr-defined]
        return run_rows

    return decorate


def _share(cases: list[Case], number: int, shares: int) -> list[Case]:
    """Return every so manyth row, but one later in each round: the last of several tables may have as many rows."""
    return [case for index, case in enumerate(cases) if (index + index // shares) % shares == number]


def _run(test: Callable[..., None], names: list[str], cases: list[Case], fixtures: dict[str, Any]) -> str:
    """Run all rows, and return which were skipped if others ran, else an empty string."""
    __tracebackhide__ = True
    failed: list[tuple[str, BaseException]] = []
    skipped: list[tuple[str, BaseException]] = []
    for number, (name, values) in enumerate(cases):
        try:
            with _for_a_row(number, fixtures) as own:
                test(**own, **dict(zip(names, values, strict=True)))
        except OUTCOMES as error:
            (skipped if is_skip(error) else failed).append((name(), error))
    if failed:
        told = "\n".join(f"- {name}: {type(error).__name__}: {_first_line(error)}" for name, error in failed)
        raise AssertionError(f"{len(failed)} of {len(cases)} rows fail:\n{told}") from failed[0][1]
    if skipped and len(skipped) == len(cases):
        raise skipped[0][1]
    return "; ".join(f"row {name}: {_first_line(error)}" for name, error in skipped)


@contextmanager
def _for_a_row(number: int, fixtures: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the fixtures of a test to one of its rows, those of pytest as if the row were a test of its own."""
    own = dict(fixtures)
    if "caplog" in fixtures:
        fixtures["caplog"].clear()
    for name in {"capsys", "capfd"} & fixtures.keys():
        fixtures[name].readouterr()
    if "tmp_path" in fixtures:
        own["tmp_path"] = fixtures["tmp_path"] / str(number)
        own["tmp_path"].mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield own | ({"monkeypatch": monkeypatch} if "monkeypatch" in fixtures else {})


def _cases(table: list[Any], ids: Any, *, is_single: bool) -> list[Case]:
    """Return each row's name and values, which ``pytest.param`` may have given."""
    params = [
        row if isinstance(row, type(pytest.param())) else pytest.param(*([row] if is_single else row)) for row in table
    ]
    if marked := [param.values for param in params if param.marks]:
        raise TypeError(f"the row {marked[0]!r} has marks, which only a test of its own can have")
    if ids is None or callable(ids):
        return [(functools.partial(_name, param, ids or _short), tuple(param.values)) for param in params]
    named = [param.id or name for param, name in zip(params, ids, strict=True)]
    return [(functools.partial(str, name), tuple(param.values)) for param, name in zip(params, named, strict=True)]


def _name(param: Any, name: Callable[[Any], Any]) -> str:
    return str(param.id or ", ".join(str(name(value)) for value in param.values))


def _both(first: Callable[[], str], second: Callable[[], str]) -> str:
    return f"{first()}, {second()}"


def _short(value: object) -> str:
    # repr of a whole body is as long as that
    printed = repr(value) if not isinstance(value, (bytes, str)) or len(value) < 80 else repr(value[:80] + value[-80:])
    return printed if len(printed) < 80 else f"{printed[:40]}...{printed[-36:]}"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
