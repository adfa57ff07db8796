"""Patterns of ``match``: when they fit, the names that they capture, and what is left for the following cases."""

import ast
from typing import TYPE_CHECKING

from antiphon.features.openapi.code.narrowing import classes_in, of_classes
from antiphon.features.openapi.code.parts import item_at, item_of
from antiphon.features.openapi.code.values import (
    NONE,
    UNKNOWN,
    Fields,
    Items,
    Known,
    Tuple,
    Value,
    either,
    without_none,
)

if TYPE_CHECKING:
    from antiphon.features.openapi.code.frames import Frame


def fits(expressions: "Frame", pattern: ast.pattern, method: object) -> bool | None:
    """Return True if a pattern fits any value, False if it doesn't fit the request's method, None if it may fit."""
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
    """Return the part of a value that a pattern fits, and assign the names that the pattern captures."""
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
    """Return what is left of a value for the cases after one whose pattern doesn't fit."""
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
