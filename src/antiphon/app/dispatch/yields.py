"""What middleware's code makes of the response that its ``yield`` returns. A block around the ``yield`` must see the
errors of the code inside the middleware.
"""

import ast
from collections.abc import Callable, Iterator
from dis import opmap
from functools import lru_cache
from types import CodeType
from typing import Any, TypeAlias

from antiphon.explanations import explained
from antiphon.handler.callables import describe, innermost

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


_DROPPING = bytes(opmap[name] for name in ("YIELD_VALUE", "RESUME", "POP_TOP"))


def drops_response(function: Callable[..., Any]) -> bool:
    """Return True if a generator function visibly drops what each ``yield`` returns."""
    code: CodeType | None = getattr(function, "__code__", None)  # not of a function inside, whose values it may pass on
    operations = code.co_code[::2] if code else b""
    return 0 < operations.count(_DROPPING) == operations.count(_DROPPING[:1])


def check_yields(function: Callable[..., Any]) -> None:
    """Check that no ``yield`` in a ``with``, or before an ``except``, drops the response that it returns.

    Raises TypeError with the function, the block and the line. Functions without source code pass.
    """
    code: CodeType | None = getattr(innermost(function), "__code__", None)
    if code is not None and (found := _first_blind_yield(code)):
        line, block = found
        raise explained(
            "yield-misses-errors",
            f"the middleware {describe(function)} yields inside `{block}`, in line"
            f" {line}, which would never see an error, because errors inside come"
            " back as responses. Register it with errors_at_yield=True to have them raised at the yield; or write"
            f" `response = yield`, and inside the `{block}`, check response.error"
            " or call response.reraise()",
            TypeError,
        )


@lru_cache(1000)  # a feature's middleware is checked in each application that uses it
def _first_blind_yield(code: CodeType) -> tuple[int, str] | None:
    """Return the line and the block of the first ``yield`` that would miss an error; None if there is none."""
    # Only functions with a block that handles errors are read, which takes about a millisecond.
    if opmap["PUSH_EXC_INFO"] not in code.co_code[::2] or (parsed := _parsed(code)) is None:
        return None
    definition, lines_above = parsed
    return next(((lines_above + each.lineno, block) for each, block in _blind_yields(definition)), None)


def _parsed(code: CodeType) -> tuple[_Function, int] | None:
    """Return a function's parsed definition, and how many lines of its file precede it."""
    from inspect import getsource

    try:
        # Of the code, because getsource of a function follows ``__wrapped__``.
        source = getsource(code)
        is_indented = source[:1].isspace()
        # A nested function's source is indented, which Python accepts only inside a block.
        tree = ast.parse(f"if 1:\n{source}" if is_indented else source)
    except (OSError, SyntaxError):
        return None
    definition = next((node for node in ast.walk(tree) if isinstance(node, _Function)), None)
    if definition is None or definition.name != code.co_name:  # the file has changed
        return None
    return definition, code.co_firstlineno - (2 if is_indented else 1)


def _blind_yields(node: ast.AST, block: str | None = None) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement whose ``yield`` would miss an error, together with the block that contains the statement."""
    for field, value in ast.iter_fields(node):
        inside = _block(node, field) or block
        for child in value if isinstance(value, list) else [value]:
            if inside and isinstance(child, ast.Expr) and _is_bare(child.value):
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
    return isinstance(value, ast.Yield) and (value.value is None or ast.unparse(value.value) == "None")
