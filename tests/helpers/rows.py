"""A table of rows as one test, which runs them all and names each row that fails.

Collecting, setting up and reporting a test costs more than most rows do, and one fault should print one failure.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def rows(names: str, table: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each row of a table, as ``pytest.mark.parametrize`` would, but as one test.

    Fixtures are made once for all rows, so a row must not change what the next one sees. Raises TypeError for what can
    only be a test of its own: a row with marks, a coroutine function, a property of Hypothesis.
    """
    wanted, cases = [name.strip() for name in names.split(",")], [_case(row) for row in table]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        if inspect.iscoroutinefunction(test) or hasattr(test, "hypothesis"):
            raise TypeError(f"{test.__qualname__} has to be a plain function to be run with rows")

        @functools.wraps(test)
        def run_rows(*arguments: Any, **fixtures: Any) -> None:
            __tracebackhide__ = True
            failed: list[tuple[str, BaseException]] = []
            for name, row in cases:
                values = row if len(wanted) > 1 else (row,)
                try:
                    test(*arguments, **fixtures, **dict(zip(wanted, values, strict=True)))
                except (Exception, pytest.fail.Exception) as error:
                    failed.append((name, error))
            if failed:
                told = "\n".join(f"- {name}: {type(error).__name__}: {error}" for name, error in failed)
                raise AssertionError(f"{len(failed)} of {len(cases)} rows fail:\n{told}") from failed[0][1]

        signature = inspect.signature(test)
        fixtures = [each for each in signature.parameters.values() if each.name not in wanted]
        run_rows.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return run_rows

    return decorate


def _case(row: Any) -> tuple[str, Any]:
    """Return a row's name and values, which ``pytest.param`` may have given."""
    if not isinstance(row, type(pytest.param())):
        return repr(row), row
    if row.marks:
        raise TypeError(f"the row {row.values!r} has marks, which only a test of its own can have")
    return str(row.id or row.values), row.values if len(row.values) > 1 else row.values[0]
