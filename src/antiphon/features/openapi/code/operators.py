"""Operators: what is known about comparisons and sums of values."""

import ast
from typing import Any

from antiphon.features.openapi.code.flow import items_known
from antiphon.features.openapi.code.parts import kind_of
from antiphon.features.openapi.code.values import TEXT, UNKNOWN, Known, Of, Value, alternatives


def is_option(owner: Value) -> bool:
    """Return True for an object of this package, such as a feature, whose attributes stay as it was made."""
    return isinstance(owner, Known) and type(owner.value).__module__.partition(".")[0] == "antiphon"


def compared(left: Value, operator: ast.cmpop, right: Value) -> Value:
    """Return the outcome of a comparison with the request's method, or with an option of a feature."""
    known = items_known(right)
    if known is None or not isinstance(left, Known):
        return Of(bool)
    match operator:
        case ast.Eq() | ast.In() | ast.Is():
            return Known(left.value in known)
        case ast.NotEq() | ast.NotIn() | ast.IsNot():
            return Known(left.value not in known)
    return Of(bool)


def simple_type(value: Value) -> Any:
    found = {*map(kind_of, alternatives(value))}
    return found.pop() if len(found) == 1 else None


def is_number(value: Value) -> bool:
    """Return True for an integer or a float."""
    return simple_type(value) in (int, float, bool)


def combined(left: Value, operator: ast.operator, right: Value) -> Value:
    """Return the result of an operator on strings, numbers or types."""
    one, other = simple_type(left), simple_type(right)
    if one is str and (other is str or isinstance(operator, ast.Mod)):
        return TEXT
    if one is other is bool and isinstance(operator, ast.BitOr | ast.BitAnd | ast.BitXor):
        return Of(bool)
    if {one, other} <= {int, float, bool} and None not in (one, other):
        is_int = {one, other} <= {int, bool} and not isinstance(operator, ast.Div | ast.Pow)
        return Of(int if is_int else float)
    if one is other is bytes:
        return Of(bytes)
    if isinstance(left, Known) and isinstance(right, Known) and isinstance(operator, ast.BitOr):
        try:
            return Known(left.value | right.value)  # of types
        except TypeError:
            return UNKNOWN
    return UNKNOWN
