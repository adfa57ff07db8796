"""Tests of a value, and what the value can still be after them."""

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.parts import kind_of
from antiphon.features.openapi.code.values import (
    UNKNOWN,
    Known,
    Of,
    Ref,
    Tuple,
    Value,
    alternatives,
    either,
    without_none,
)

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame


def dotted(node: ast.expr) -> str | None:
    """Return a variable or an attribute of one as written, such as ``room.lamp``; None for other expressions."""
    if isinstance(node, ast.NamedExpr):
        return node.target.id
    if isinstance(node, ast.Name):
        return node.id
    above = dotted(node.value) if isinstance(node, ast.Attribute) else None
    return f"{above}.{node.attr}" if above is not None and isinstance(node, ast.Attribute) else None


def narrow(expressions: "Frame", test: ast.expr, *, is_true: bool) -> None:
    """Remove the values that variables can't have where a test is true, or where it is false."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            narrow(expressions, inner, is_true=not is_true)
        case ast.BoolOp(op=operator, values=values) if isinstance(operator, ast.And if is_true else ast.Or):
            for each in values:
                narrow(expressions, each, is_true=is_true)
        case ast.Compare(left=left, ops=[operator], comparators=[ast.Constant(value=None)]):
            if isinstance(operator, (ast.IsNot, ast.NotEq) if is_true else (ast.Is, ast.Eq)):
                _replace(expressions, left, without_none)
        case ast.Call(func=ast.Name(id="isinstance"), args=[tested, classes]):
            kinds = classes_in(expressions.value(classes))
            if kinds:
                _replace(expressions, tested, lambda value: of_classes(expressions, value, kinds, is_true=is_true))
        case ast.Name() | ast.NamedExpr() | ast.Attribute() if is_true:
            _replace(expressions, test, without_none)


def _replace(expressions: "Frame", node: ast.expr, change: Callable[[Value], Value]) -> None:
    name = dotted(node)
    if name is None:
        return
    key = None if "." in name else expressions.key_of(name)
    if key is None:  # of an attribute, or of a global name
        key = expressions.scope, name if "." in name else f".{name}"
        known = expressions.flow.state.get(key) or expressions.value(node)
    else:
        known = expressions.flow.state.get(key, UNKNOWN)
    changed = change(known)
    if changed != known:
        expressions.flow.state[key] = changed


def classes_in(value: Value) -> tuple[type, ...]:
    """Return the classes in a value, as for ``isinstance``, or none if one of them isn't known."""
    if isinstance(value, Tuple):
        found = [classes_in(each) for each in value.items]
        return tuple(kind for each in found for kind in each) if all(found) else ()
    held = annotations.members(value.value) if isinstance(value, Known) else ()
    return tuple(held) if all(isinstance(each, type) for each in held) else ()


def of_classes(expressions: "Frame", value: Value, kinds: tuple[type, ...], *, is_true: bool) -> Value:
    """Return the part of a value that is, or isn't, an instance of some classes."""
    kept: list[Value] = []
    for each in alternatives(value):
        for one in map(Of, annotations.members(each.type)) if isinstance(each, Of) else (each,):
            own = kind_of(expressions.flow.content(one))
            if own is None:
                kept += [one] if isinstance(one, Ref) else [Of(kind) for kind in kinds] if is_true else [one]
            elif issubclass(own, kinds) is is_true:
                kept.append(one)
            elif is_true:
                kept += [Of(kind) for kind in kinds if issubclass(kind, own)]
    return either(*kept)
