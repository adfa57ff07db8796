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
    """Check that no ``yield`` in a ``with``, or before an ``except``, ignores the response that it returns.

    In a transaction, the response must be examined, because the transaction would be committed after an error, too.
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


def _blind_yields(
    node: ast.AST, block: str | None = None, transaction: ast.AST | None = None
) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement whose ``yield`` would miss an error, together with the block that contains the statement."""
    transaction = node if _is_transaction(node) else transaction
    for field, value in ast.iter_fields(node):
        inside = _block(node, field) or block
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.stmt) and inside and _is_blind(child, transaction):
                yield child, inside
            elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(child, _Scope):
                yield from _blind_yields(child, inside, transaction)


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


_TRANSACTIONS = {"atomic", "begin", "begin_nested", "db_session", "in_transaction", "transaction"}
"""The names of context managers that commit unless an error leaves their block, in Django and other libraries."""


def _is_transaction(node: ast.AST) -> bool:
    if not isinstance(node, ast.With | ast.AsyncWith):
        return False
    return any(_last_name(item.context_expr) in _TRANSACTIONS for item in node.items)


def _last_name(value: ast.AST) -> str:
    """Return the last name of an expression, such as ``atomic`` for ``transaction.atomic()``."""
    match value:
        case ast.Call(func=function):
            return _last_name(function)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_blind(statement: ast.stmt, transaction: ast.AST | None) -> bool:
    """Return True for a ``yield`` without a value whose response is not used, or not examined in its transaction."""
    match statement:
        case ast.Expr(value=value):
            return _is_bare(value)
        case ast.Return(value=value) if transaction is not None:
            return _is_bare(value)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if transaction:
            return _is_bare(statement.value) and not _is_examined(name, transaction)
    return False


def _is_examined(name: str, transaction: ast.AST) -> bool:
    """Return True if code in a transaction may look at a response's error, or rolls back by itself."""
    nodes = [*ast.walk(transaction)]
    if any("rollback" in _last_name(node) for node in nodes):
        return True
    blind = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr not in _EXAMINING}
    blind |= {id(node.value) for node in nodes if isinstance(node, ast.Return | ast.Yield)}
    reads = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
    return any(isinstance(node.ctx, ast.Load) and id(node) not in blind for node in reads)


_EXAMINING = {"error", "reraise", "status"}
"""The response attributes that tell whether there was an error."""


def _is_bare(value: ast.expr | None) -> bool:
    if not isinstance(value, ast.Yield):
        return False
    return value.value is None or (isinstance(value.value, ast.Constant) and value.value.value is None)
