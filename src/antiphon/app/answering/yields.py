"""A check of middleware's source code: a block around a ``yield`` must see errors from inside."""

import ast
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, TypeAlias

from antiphon.explanations import explained
from antiphon.handler.contract import describe, innermost

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def check_yields(function: Callable[..., Any]) -> None:
    """Check that no ``yield`` in a ``with``, or before an ``except``, ignores the response that it returns.

    Raises TypeError with the function, the block and the line. Functions without source code pass.
    """
    found = _parsed(innermost(function))
    if found is None:
        return
    definition, lines_above = found
    for statement, block in _blind_yields(definition, None):
        raise explained(
            "yield-misses-errors",
            TypeError(
                f"the middleware {describe(function)} yields inside `{block}`, in line"
                f" {lines_above + statement.lineno}, which would never see an error, because errors inside come"
                " back as responses. Register it with errors_at_yield=True to have them raised at the yield; or write"
                " `response = yield`, and check response.error"
                " or call response.reraise()"
            ),
        )


def _parsed(function: Callable[..., Any]) -> tuple[_Function, int] | None:
    """Return a function's parsed definition, and how many lines of its file precede it."""
    from inspect import getsource

    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return None
    try:
        source = getsource(code)
        is_indented = source[:1].isspace()
        tree = ast.parse(f"if 1:\n{source}" if is_indented else source)
    except (OSError, SyntaxError):
        return None
    definition = next((node for node in ast.walk(tree) if isinstance(node, _Function)), None)
    if definition is None or definition.name != code.co_name:  # the file has changed
        return None
    return definition, code.co_firstlineno - (2 if is_indented else 1)


def _blind_yields(node: ast.AST, block: str | None) -> Iterator[tuple[ast.Expr, str]]:
    """Yield each ``yield`` without a value whose result is not used, with the block that contains it."""
    for field, value in ast.iter_fields(node):
        inside = _block(node, field) or block
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Expr) and inside and _is_bare(child.value):
                yield child, inside
            elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(child, _Scope):
                yield from _blind_yields(child, inside)


_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _block(node: ast.AST, field: str) -> str | None:
    """Return the name of the block in a statement's field, if errors in the block make a difference."""
    if field != "body":
        return None
    if isinstance(node, ast.Try | ast.TryStar):
        return "try" if node.handlers else None
    if isinstance(node, ast.AsyncWith):
        return "async with"
    return "with" if isinstance(node, ast.With) else None


def _is_bare(value: ast.expr) -> bool:
    if not isinstance(value, ast.Yield):
        return False
    return value.value is None or (isinstance(value.value, ast.Constant) and value.value.value is None)
