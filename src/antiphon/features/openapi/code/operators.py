"""Operators: what is known about comparisons and sums of values."""

import ast
from typing import Any

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.values import UNKNOWN, Known, Of, Tuple, Value


def is_method(node: ast.expr) -> bool:
    """Return True for an attribute ``method``, such as that of the request."""
    return isinstance(node, ast.Attribute) and node.attr == "method"


def is_option(owner: Value) -> bool:
    """Return True for an object of this package, such as a feature, whose attributes stay as it was made."""
    return isinstance(owner, Known) and type(owner.value).__module__.partition(".")[0] == "antiphon"


def compared(left: Value, operator: ast.cmpop, right: Value) -> Value:
    """Return the outcome of a comparison with the request's method, or with an option of a feature."""
    known = _known_items(right)
    if known is None or not isinstance(left, Known):
        return Of(bool)
    match operator:
        case ast.Eq() | ast.In() | ast.Is():
            return Known(left.value in known)
        case ast.NotEq() | ast.NotIn() | ast.IsNot():
            return Known(left.value not in known)
    return Of(bool)


def _known_items(value: Value) -> list[Any] | None:
    """Return the items of a known collection, or a single value; None if they aren't all known."""
    if isinstance(value, Known):
        held = value.value
        return [*held] if isinstance(held, list | tuple | set | frozenset | dict) else [held]
    if not isinstance(value, Tuple):
        return None
    known = [each.value for each in value.items if isinstance(each, Known)]
    return known if len(known) == len(value.items) else None


def _simple_type(value: Value) -> Any:
    if isinstance(value, Known):
        return type(value.value)
    return annotations.class_of(value.type) if isinstance(value, Of) else None


def combined(left: Value, operator: ast.operator, right: Value) -> Value:
    """Return the result of an operator on two values: texts, numbers or types."""
    one, other = _simple_type(left), _simple_type(right)
    if one is str or (one is other and one in (int, float)):
        return Of(float) if isinstance(operator, ast.Div) else Of(one)
    if {one, other} == {int, float}:
        return Of(float)
    if isinstance(left, Known) and isinstance(right, Known) and isinstance(operator, ast.BitOr):
        try:
            return Known(left.value | right.value)  # of types
        except TypeError:
            return UNKNOWN
    return UNKNOWN
