"""Checks of handlers for unreadable types and for arguments that nothing provides, made when an application is planned.

The type in ``request.form_as(Order)`` is mentioned only in the call itself, so calls are found in the handler's code.
In a call that is written differently, for example with a type chosen at run time, a mistake shows only on the first
request.

``def search(request, q: str = "")`` looks as if the query provided ``q``. An argument is assumed to be meant this way
if it is annotated with a type that a query or a body could provide. Other defaults are the program's own, such as a
bound value (``n=n``) or a store.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from itertools import pairwise
from types import CodeType, FunctionType, NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeAlias, Union, get_args, get_origin

from antiphon.app.dispatch.arguments import is_record, resolved, shown
from antiphon.app.route import Route
from antiphon.app.route_keys import RouteKeys
from antiphon.explanations import explained
from antiphon.handler.callables import READS_CODE, describe, innermost
from antiphon.request.dependencies import Dependency
from antiphon.uploads.upload import Upload

if TYPE_CHECKING:
    from dis import Instruction


_READERS = frozenset({"args_as", "form_as", "headers_as", "json_as", "values_as"})
_CALLS = ("CALL", "PRECALL")

_JSON, _FORMS = ("application/json",), ("application/x-www-form-urlencoded", "multipart/form-data")
_PATCHES = ("application/json-patch+json", "application/merge-patch+json")
_MEDIA = {"json": _JSON, "json_as": _JSON, "form": _FORMS, "form_as": _FORMS, "files": _FORMS[1:], "patched": _PATCHES}
"""The media types that a request's attributes and the keys of ``takes`` stand for."""

Check: TypeAlias = Callable[[type], object]
"""A function that raises TypeError for a class that can't be read."""


def check_read_types(handler: Callable[..., Any]) -> None:
    """Check the classes that a handler's own code reads data as. Raises TypeError with the handler and the field.

    Such a class is the argument of ``request.form_as`` and similar methods, or the first argument of a class with a
    ``check_type`` method that is called with a class and the request, as ``Form`` is.
    """
    function = innermost(handler)
    function = getattr(function, "__func__", function)
    if not READS_CODE or not isinstance(function, FunctionType) or not _may_read(function):
        return
    for called, wanted, check in _calls(function):
        try:
            check(wanted)
        except TypeError as error:
            raise explained(
                "unreadable-type", f"{describe(handler)} calls {called}({wanted.__name__}): {error}", TypeError
            ) from None


def media_of(route: "Route") -> list[str]:
    """Return the media types that a handler reads, as declared or as found in its own code; none if unknown."""
    if (takes := route.meta.get(RouteKeys.takes)) is not None:
        parts: Iterable[str] = takes if isinstance(takes, Mapping) else ("json",)
    else:
        function = innermost(route.handler)
        function = getattr(function, "__func__", function)
        parts = _attributes_of_request(function) if READS_CODE and isinstance(function, FunctionType) else ()
    return [*dict.fromkeys(media for part in parts for media in _MEDIA.get(part, (part,) if "/" in part else ()))]


def _attributes_of_request(function: FunctionType) -> Iterator[str]:
    """Yield the names of the attributes that a function reads from its request."""
    from dis import get_instructions

    request = _request_in(function.__code__)
    for first, second in pairwise(get_instructions(function)):
        if _is_last(first, request) and second.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield str(second.argval)


def _may_read(function: FunctionType) -> bool:
    names = function.__code__.co_names
    return not _READERS.isdisjoint(names) or any(_check_of(function.__globals__.get(name)) for name in names)


def _check_of(called: object) -> Check | None:
    return getattr(called, "check_type", None) if issubclass(type(called), type) else None


def _check_of_reader(reader: str) -> Check:
    from antiphon.serialization.readers import TypeDescription, check_json

    if reader in ("json_as", "values_as"):
        return check_json
    file_type = Upload if reader == "form_as" else None
    return lambda wanted: TypeDescription(wanted, file_type).check_form()


def _calls(function: FunctionType) -> Iterator[tuple[str, type, Check]]:
    """Yield the name, the class and the checking function for each call that passes a class and the request."""
    from dis import get_instructions

    request = _request_in(function.__code__)
    steps = [step for step in get_instructions(function.__code__) if step.opname != "PUSH_NULL"]
    if any(step.opname.startswith(("STORE_FAST", "DELETE_FAST")) and request in _names(step) for step in steps):
        return
    for first, second, third, fourth in zip(steps, steps[1:], steps[2:], steps[3:], strict=False):
        if _is_last(first, request) and second.argval in _READERS and fourth.opname in _CALLS:
            if isinstance(wanted := _value(function, third), type):
                yield f"request.{second.argval}", wanted, _check_of_reader(second.argval)
        elif _is_first(third, request) and isinstance(wanted := _value(function, second), type):
            check = _check_of(_value(function, first))
            if check is not None:
                yield first.argval, wanted, check


def _request_in(code: CodeType) -> str:
    """Return the name of the request argument: the first one, unless another is named ``request``."""
    names = code.co_varnames[: code.co_argcount]
    return names[0] if names and "request" not in names else "request"


def _is_last(step: "Instruction", name: str) -> bool:
    """True if an instruction loads the variable. In newer Python versions, an instruction can load two variables; the
    second one is compared.
    """
    return step.opname.startswith("LOAD_FAST") and _names(step)[-1] == name


def _is_first(step: "Instruction", name: str) -> bool:
    return step.opname.startswith("LOAD_FAST") and _names(step)[0] == name


def _names(step: "Instruction") -> tuple[str, ...]:
    return step.argval if isinstance(step.argval, tuple) else (str(step.argval),)


def _value(function: FunctionType, step: "Instruction") -> object:
    """Return the value of the global or enclosing function's variable that an instruction loads, otherwise None."""
    if step.opname == "LOAD_GLOBAL":
        return function.__globals__.get(step.argval)
    if step.opname != "LOAD_DEREF" or step.argval not in function.__code__.co_freevars:
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    try:
        return cells[step.argval].cell_contents
    except ValueError:  # not assigned yet
        return None


_TEXTUAL = frozenset({
    "builtins.str", "builtins.int", "builtins.float", "builtins.bool", "decimal.Decimal", "uuid.UUID",
    "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
})  # fmt: skip
_COLLECTIONS = (list, set, frozenset, tuple)


def check_filled(routes: Iterable[tuple[Route, Iterable[str]]]) -> None:
    """Check that routes provide all of their handlers' arguments. ``routes`` contains each route with the names that it
    provides.

    Raises TypeError with the handler and the fix. Arguments aren't checked if other code in the module uses the
    handler, because that code may pass them.
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
    """Return the code of a function, shared by all functions and methods made by one ``def``."""
    return getattr(innermost(handler), "__code__", None) or id(handler)


def _check(route: Route, name: str, default: object) -> None:
    if isinstance(default, Dependency):
        _refuse_dependency(route, name, default)
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
        f"{describe(route.handler)} takes {name!r}, which is not a parameter of {route.where}, so it is always"
        f" {default!r}: {fix}; a default of your own needs no annotation",
        TypeError,
    )


def _refuse_dependency(route: Route, name: str, dependency: Dependency[Any]) -> NoReturn:
    raise explained(
        "unfilled-argument",
        f"{describe(route.handler)} takes {name!r} with a Dependency as its default, and gets the Dependency"
        f" itself, {dependency!r}: read its value in the handler, as {name} = request[dependency]",
        TypeError,
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
    """Return True if another function in the handler's module refers to it, perhaps to call it with the argument."""
    function = innermost(handler)
    function = getattr(function, "__func__", function)
    if not READS_CODE or not isinstance(function, FunctionType):
        return True
    return any(
        _loads(code, function.__name__)
        for held in [*function.__globals__.values()]
        for each in (vars(held).values() if isinstance(held, type) else (held,))
        if isinstance(each, FunctionType) and each.__module__ == function.__module__
        for code in codes_in(innermost(each).__code__)
        if code is not function.__code__
    )


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code, and that of the functions and classes in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from codes_in(each)


def _loads(code: CodeType, name: str) -> bool:
    """Return True if the code loads the variable, or an attribute with that name from ``self`` (not from other
    objects).
    """
    if name not in code.co_names and name not in code.co_freevars:
        return False
    from dis import get_instructions

    steps = [step for step in get_instructions(code) if step.argval == name]
    return any(step.opname in ("LOAD_GLOBAL", "LOAD_DEREF") for step in steps) or (
        bool(steps) and code.co_varnames[:1] == ("self",)
    )
