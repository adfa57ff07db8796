"""A table of rows as one test, which runs them all and names each row that fails.

Collecting, setting up and reporting a test costs more than most rows do, and one fault should print one failure.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# What a row can raise to fail: a row that skips would skip the rows after it.
FAILURES = (Exception, pytest.fail.Exception, pytest.skip.Exception)


def rows(
    names: str, table: Iterable[Any], ids: Iterable[Any] | Callable[[Any], Any] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each row of a table, as ``pytest.mark.parametrize`` would, but as one test.

    Each row gets a folder of its own as ``tmp_path``, a ``monkeypatch`` that is undone after it, and nothing that rows
    before it have logged or printed. Other fixtures are made once for all rows, so a row must not change what the next
    one sees. Two tables of a test are one: each row of the first with each of the second. Raises TypeError for what can
    only be a test of its own (a row with marks, a coroutine function, a property of Hypothesis) and for an empty table.
    """
    wanted = [name.strip() for name in names.split(",")]
    own = [(name, dict(zip(wanted, values, strict=True))) for name, values in _cases([*table], ids, len(wanted) == 1)]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        cases = own
        if hasattr(test, "cases"):
            cases = [(f"{name}, {more}", row | other) for name, row in own for more, other in test.cases]
            test = test.__wrapped__  # type: ignore[attr-defined]
        if inspect.iscoroutinefunction(test) or hasattr(test, "hypothesis"):
            raise TypeError(f"{test.__qualname__} has to be a plain function to be run with rows")
        if not cases:
            raise TypeError(f"{test.__qualname__} has no rows")

        @functools.wraps(test)
        def run_rows(*arguments: Any, **fixtures: Any) -> None:
            __tracebackhide__ = True
            failed: list[tuple[str, BaseException]] = []
            for number, (name, row) in enumerate(cases):
                try:
                    with _for_a_row(number, **fixtures) as given:
                        test(*arguments, **given, **row)
                except FAILURES as error:
                    failed.append((name, error))
            if failed:
                told = "\n".join(f"- {name}: {type(error).__name__}: {_first_line(error)}" for name, error in failed)
                raise AssertionError(f"{len(failed)} of {len(cases)} rows fail:\n{told}") from failed[0][1]

        signature = inspect.signature(test)
        fixtures = [each for each in signature.parameters.values() if each.name not in cases[0][1]]
        run_rows.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        run_rows.cases, run_rows.row_count = cases, len(cases)  # type: ignore[attr-defined]
        return run_rows

    return decorate


@contextmanager
def _for_a_row(number: int, **fixtures: Any) -> Iterator[dict[str, Any]]:
    """Give the fixtures of a test to one of its rows, those of pytest as if the row were a test of its own."""
    if "caplog" in fixtures:
        fixtures["caplog"].clear()
    for name in {"capsys", "capfd"} & fixtures.keys():
        fixtures[name].readouterr()
    if "tmp_path" in fixtures:
        fixtures["tmp_path"] = fixtures["tmp_path"] / str(number)
        fixtures["tmp_path"].mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield fixtures | ({"monkeypatch": monkeypatch} if "monkeypatch" in fixtures else {})


def _cases(table: list[Any], ids: Any, is_single: bool) -> list[tuple[str, tuple[Any, ...]]]:
    """Return each row's name and values, which ``pytest.param`` may have given."""
    params = [
        row if isinstance(row, type(pytest.param())) else pytest.param(*([row] if is_single else row)) for row in table
    ]
    if marked := [param.values for param in params if param.marks]:
        raise TypeError(f"the row {marked[0]!r} has marks, which only a test of its own can have")
    if ids is None or callable(ids):
        named = ["-".join(str((ids or _short)(value)) for value in param.values) for param in params]
    else:
        named = [str(name) for name in ids]
    return [(str(param.id or name), param.values) for param, name in zip(params, named, strict=True)]


def _short(value: object) -> str:
    printed = repr(value)
    return printed if len(printed) < 80 else printed[:60] + "..."


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
