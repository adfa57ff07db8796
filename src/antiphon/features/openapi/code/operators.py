"""Operators, tests and ``match`` patterns: the values that remain possible, and the names that patterns capture."""

import ast
from collections.abc import Callable, Sequence
from itertools import product
from operator import add, floordiv, mod, mul, sub
from typing import TYPE_CHECKING, Any

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.flow import items_known
from antiphon.features.openapi.code.parts import item_at, item_of, kind_of
from antiphon.features.openapi.code.values import (
    NONE,
    TEXT,
    UNKNOWN,
    Fields,
    Items,
    Known,
    Of,
    PathText,
    Ref,
    Tuple,
    Value,
    alternatives,
    either,
    fields_shown,
    is_constant,
    without_none,
)

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame


def is_option(owner: Value) -> bool:
    """Return True for an object of this package, such as a feature, whose attributes don't change after creation."""
    return isinstance(owner, Known) and type(owner.value).__module__.partition(".")[0] == "antiphon"


def compared(left: Value, operator: ast.cmpop, right: Value) -> Value:
    """Return the outcome of a comparison with the request's method or path, or with a feature's option."""
    known = items_known(right)
    is_in = None if known is None else _is_one_of(left, known)
    is_in = None if isinstance(operator, ast.In | ast.NotIn) and kind_of(right) is str else is_in
    match operator:
        case ast.Eq() | ast.In() | ast.Is() if is_in is not None:
            return Known(is_in)
        case ast.NotEq() | ast.NotIn() | ast.IsNot() if is_in is not None:
            return Known(not is_in)
    return Of(bool)


def _is_one_of(value: Value, known: Sequence[object]) -> bool | None:
    if isinstance(value, Known):
        return value.value in known
    if not isinstance(value, PathText):
        return None
    first, last = value.edges
    fitting = [each for each in known if isinstance(each, str) and each.startswith(first) and each.endswith(last)]
    return False if not fitting else value.pattern in fitting if value.is_fixed else None


def has_edge(path: PathText, method: str, edge: Value | None) -> Value:
    """Return the outcome of ``startswith`` or ``endswith`` for the request's path."""
    wanted = items_known(edge) if edge is not None else None
    if wanted is None or not all(isinstance(each, str) for each in wanted):
        return Of(bool)
    if path.is_fixed:
        return Known(getattr(path.pattern, method)(tuple(wanted)))
    known = path.edges[method == "endswith"]
    if getattr(known, method)(tuple(wanted)):
        return Known(True)
    return Of(bool) if any(getattr(each, method)(known) for each in wanted) else Known(False)


def simple_type(value: Value) -> Any:
    found = {*map(kind_of, alternatives(value))}
    return found.pop() if len(found) == 1 else None


def is_number(value: Value) -> bool:
    """Return True for an integer or float."""
    return simple_type(value) in (int, float, bool)


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.FloorDiv: floordiv, ast.Mod: mod,
}  # fmt: skip


def folded(function: Callable[..., Any] | None, *values: Value) -> Value:
    """Return the constant that a function of small numbers and short text returns; UNKNOWN for other values."""
    held = [each.value for each in values if is_constant(each)]
    is_small = all(len(each) < 1000 if isinstance(each, str) else abs(each) < 10_000 for each in held)
    if function is None or len(held) < len(values) or not is_small:
        return UNKNOWN
    try:
        return Known(function(*held))
    except Exception:  # such as a division by zero
        return UNKNOWN


def combined(left: Value, operator: ast.operator, right: Value) -> Value:
    """Return the result of an operator on strings, numbers or types."""
    how, pairs = _OPERATORS.get(type(operator)), [*product(alternatives(left), alternatives(right))]
    found = either(*[folded(how, *each) for each in pairs])
    if UNKNOWN not in alternatives(found):
        return found
    one, other = simple_type(left), simple_type(right)
    if one is str and (other is str or isinstance(operator, ast.Mod | ast.Mult)):
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
            return Known(left.value | right.value)  # a union of types
        except TypeError:
            return UNKNOWN
    return UNKNOWN


def dotted(node: ast.expr) -> str | None:
    """Return a variable, or an attribute of one, as written, such as ``room.lamp``; None for other expressions."""
    if isinstance(node, ast.NamedExpr):
        return node.target.id
    if isinstance(node, ast.Name):
        return node.id
    above = dotted(node.value) if isinstance(node, ast.Attribute) else None
    return f"{above}.{node.attr}" if above is not None and isinstance(node, ast.Attribute) else None


def narrow(expressions: "Frame", test: ast.expr, *, is_true: bool) -> None:
    """Remove the values that variables can't have when a test is true, or when it is false, and record the fields that
    the request then has.
    """
    for part, name in fields_shown(expressions.latest.get(test, UNKNOWN), is_true=is_true):
        expressions.flow.always(part, name)
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
    if key is None:  # an attribute or a global name
        key = expressions.scope, name if "." in name else f".{name}"
        known = expressions.flow.state.get(key) or expressions.value(node)
    else:
        known = expressions.flow.state.get(key, UNKNOWN)
    changed = change(known)
    if changed != known:
        expressions.flow.state[key] = changed


def classes_in(value: Value) -> tuple[type, ...]:
    """Return the classes in a value, as passed to ``isinstance``, or none if any of them isn't known."""
    if isinstance(value, Tuple):
        found = [classes_in(each) for each in value.items]
        return tuple(kind for each in found for kind in each) if all(found) else ()
    held = annotations.members(value.value) if isinstance(value, Known) else ()
    return tuple(held) if all(isinstance(each, type) for each in held) else ()


def of_classes(expressions: "Frame", value: Value, kinds: tuple[type, ...], *, is_true: bool) -> Value:
    """Return the alternatives of a value that are, or aren't, instances of the given classes."""
    kept: list[Value] = []
    for each in alternatives(value):
        for one in map(Of, annotations.members(each.type)) if type(each) is Of else (each,):
            own = kind_of(expressions.flow.content(one))
            if own is None:
                kept += [one] if isinstance(one, Ref) else [Of(kind) for kind in kinds] if is_true else [one]
            elif issubclass(own, kinds) is is_true:
                kept.append(one)
            elif is_true:
                kept += [Of(kind) for kind in kinds if issubclass(kind, own)]
    return either(*kept)


# Patterns


def fits(expressions: "Frame", pattern: ast.pattern, method: object) -> bool | None:
    """Return True if a pattern always matches, False if it doesn't match the request's method, and None if it may
    match.
    """
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return fits(expressions, inner, method)
        case ast.MatchOr(patterns=patterns):
            found = [fits(expressions, each, method) for each in patterns]
            return True if True in found else None if None in found else False
        case ast.MatchValue(value=node) if method is not None:
            value = expressions.value(node)
            return value.value == method if isinstance(value, Known) else None
    return None


def fitting(expressions: "Frame", pattern: ast.pattern, value: Value) -> Value:
    """Return those alternatives of a value that match a pattern. Assign the names that the pattern captures."""
    match pattern:
        case ast.MatchAs(pattern=inner, name=name):
            if inner is not None:
                value = fitting(expressions, inner, value)
            if name is not None:
                expressions.bind(name, value)
        case ast.MatchOr(patterns=patterns):
            return either(*[fitting(expressions, each, value) for each in patterns])
        case ast.MatchSingleton(value=None):
            return NONE
        case ast.MatchValue(value=node):
            return expressions.value(node)
        case ast.MatchClass():
            return _of_class(expressions, pattern, value)
        case ast.MatchSequence(patterns=patterns):
            _in_sequence(expressions, patterns, expressions.flow.content(value))
        case ast.MatchMapping(keys=keys, patterns=patterns, rest=rest):
            named = [expressions.value(key) for key in keys]
            for key, each in zip(named, patterns, strict=True):
                fitting(expressions, each, item_at(expressions.flow.content(value), key))
            if rest is not None:
                expressions.bind(rest, expressions.hold(pattern, _without(expressions.flow.content(value), named)))
    return value


def _of_class(expressions: "Frame", pattern: ast.MatchClass, value: Value) -> Value:
    kinds = classes_in(expressions.value(pattern.cls))
    found = of_classes(expressions, value, kinds, is_true=True) if kinds else UNKNOWN
    names = [*pattern.kwd_attrs]
    positional = getattr(kinds[0], "__match_args__", ()) if kinds else ()
    for at, each in enumerate((*pattern.patterns, *pattern.kwd_patterns)):
        by_keyword = at - len(pattern.patterns)
        name = names[by_keyword] if by_keyword >= 0 else positional[at] if at < len(positional) else None
        fitting(expressions, each, found if name is None else expressions.attribute(found, name, pattern))
    return found


def _in_sequence(expressions: "Frame", patterns: list[ast.pattern], value: Value) -> None:
    is_fixed = isinstance(value, Tuple) and len(value.items) == len(patterns)
    for at, each in enumerate(patterns):
        if isinstance(each, ast.MatchStar):
            if each.name is not None:
                expressions.bind(each.name, expressions.hold(each, Items(item_of(value))))
        else:
            fitting(expressions, each, item_at(value, Known(at)) if is_fixed else item_of(value))


def _without(value: Value, keys: list[Value]) -> Value:
    if not isinstance(value, Fields):
        return UNKNOWN
    taken = {key.value for key in keys if isinstance(key, Known)}
    return Fields(tuple((name, each) for name, each in value.items if name not in taken))


def left_by(expressions: "Frame", pattern: ast.pattern, value: Value) -> Value:
    """Return the alternatives that remain for the following cases if a pattern doesn't match."""
    match pattern:
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return left_by(expressions, inner, value)
        case ast.MatchOr(patterns=patterns):
            for each in patterns:
                value = left_by(expressions, each, value)
        case ast.MatchSingleton(value=None):
            return without_none(value)
        case ast.MatchClass(cls=cls, patterns=first, kwd_patterns=named):
            if all(isinstance(each, ast.MatchAs) and each.pattern is None for each in (*first, *named)):
                kinds = classes_in(expressions.value(cls))
                return of_classes(expressions, value, kinds, is_true=False) if kinds else value
    return value
