"""Tests of a variable, and what its value can still be behind them."""

import ast

from antiphon.features.openapi.values import Value, without_none


def narrow(variables: dict[str, Value], test: ast.expr, *, is_true: bool) -> None:
    """Take None from what a variable may be, where a test says that it is not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        narrow(variables, test.operand, is_true=not is_true)
    elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And if is_true else ast.Or):
        for each in test.values:
            narrow(variables, each, is_true=is_true)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and _is_none(test.comparators[0]):
        if isinstance(test.ops[0], ast.IsNot if is_true else ast.Is):
            narrow(variables, test.left, is_true=True)
    elif is_true and isinstance(test, ast.Name | ast.NamedExpr):
        name = test.id if isinstance(test, ast.Name) else test.target.id
        if name in variables:
            variables[name] = without_none(variables[name])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
