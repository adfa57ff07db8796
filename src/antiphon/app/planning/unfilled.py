"""Arguments of handlers that nothing fills, found when an application is made: their default would be used for ever.

``def search(request, q: str = "")`` looks as if the query gave ``q``. An argument counts as such if it is annotated
with a type that a query or a body could give. Other defaults are the program's own: a bound value (``n=n``), a store.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from types import CodeType, FunctionType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from antiphon.app.answering.arguments import is_record, resolved, shown
from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.handler.contract import describe, innermost

_TEXTUAL = frozenset({
    "builtins.str", "builtins.int", "builtins.float", "builtins.bool", "decimal.Decimal", "uuid.UUID",
    "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
})  # fmt: skip
_COLLECTIONS = (list, set, frozenset, tuple)


def check_filled(routes: Iterable[tuple[Route, Iterable[str]]]) -> None:
    """Check that each argument of the handlers is given by a route. ``routes`` have the names that each of them gives.

    Raises TypeError, which names the handler and the fix. An argument is not checked if other code of the module uses
    the handler, since it may give the argument.
    """
    handlers: dict[object, Route] = {}
    given: dict[object, set[str]] = {}
    for route, names in routes:
        key = _key(route.handler)
        handlers.setdefault(key, route)
        given.setdefault(key, set()).update(names)
    for key, route in handlers.items():
        for name, default in route.arguments.defaults.items():
            if name not in given[key]:
                _check(route, name, default)


def _key(handler: Callable[..., Any]) -> object:
    """Return the code of a function, which all functions and methods made by one ``def`` share."""
    return getattr(innermost(handler), "__code__", None) or id(handler)


def _check(route: Route, name: str, default: object) -> None:
    annotation = resolved(route.arguments.annotations[name], route.handler)
    is_body = default is None and is_record(_without_none(annotation))
    if not (is_body or _is_textual(annotation)) or _is_used_elsewhere(route.handler):
        return
    if is_body:
        fix = f"read the body: {name} = request.json_as({shown(_without_none(annotation))})"
    else:
        fix = f"read the query with request.args_as, as a class that has the field {name}: {shown(annotation)}"
    raise explained(
        "unfilled-argument",
        TypeError(
            f"{describe(route.handler)} takes {name!r}, which is not a parameter of {route.where}, so it is always"
            f" {default!r}: {fix}; a default of your own needs no annotation"
        ),
    )


def _without_none(annotation: Any) -> Any:
    members = [each for each in get_args(annotation) if each is not NoneType]
    is_union = get_origin(annotation) in (Union, UnionType)
    return members[0] if is_union and len(members) == 1 else annotation


def _is_textual(annotation: Any) -> bool:
    """Return True for a type that is read from text: numbers, dates, choices, and unions and collections of them."""
    annotation = getattr(annotation, "__value__", annotation)  # of a `type` statement
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return True
    if origin is Annotated:
        return _is_textual(members[0])
    if origin in (Union, UnionType, *_COLLECTIONS):
        kinds = [each for each in members if each not in (NoneType, ...)]
        return bool(kinds) and all(map(_is_textual, kinds))
    if not isinstance(annotation, type):
        return False
    return f"{annotation.__module__}.{annotation.__qualname__}" in _TEXTUAL or issubclass(annotation, Enum)


def _is_used_elsewhere(handler: Callable[..., Any]) -> bool:
    """Return True if another function of the handler's module names it, perhaps to call it with the argument."""
    function = innermost(handler)
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        return True
    return any(
        _loads(code, function.__name__)
        for held in [*function.__globals__.values()]
        for each in (vars(held).values() if isinstance(held, type) else (held,))
        if isinstance(each, FunctionType) and each.__module__ == function.__module__
        for code in _codes(innermost(each).__code__)
        if code is not function.__code__
    )


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _loads(code: CodeType, name: str) -> bool:
    """Return True if code loads a variable, or a name of ``self``, rather than an attribute of anything else."""
    if name not in code.co_names and name not in code.co_freevars:
        return False
    from dis import get_instructions

    steps = [step for step in get_instructions(code) if step.argval == name]
    return any(step.opname in ("LOAD_GLOBAL", "LOAD_DEREF") for step in steps) or (
        bool(steps) and code.co_varnames[:1] == ("self",)
    )
