"""Components of annotations: the types of attributes, items and return values."""

import inspect
import sys
from collections.abc import AsyncIterable, Awaitable, Coroutine, Iterable, Mapping, Sequence
from types import FunctionType, GenericAlias, NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    ParamSpec,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from antiphon import Dependency, Response

NOT_SAID: Any = object()
"""A marker for a missing annotation."""


def hints_of(thing: Any) -> dict[str, Any]:
    """Return the annotations of a class or function, or no annotations if any of them can't be resolved."""
    try:
        return get_type_hints(thing, include_extras=True)
    except Exception:  # names that only type checkers can resolve
        return {}


def returned_by(function: Any) -> Any:
    """Return a function's return annotation, or NOT_SAID if there is none. For an async function, it is the type of the
    awaited value.
    """
    hints = hints_of(function)
    return NOT_SAID if has_variables(hints.get("return")) else hints.get("return", NOT_SAID)


def returned_for(function: FunctionType, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Return a generic function's return annotation, in which its arguments' types determine the type variables."""
    hints, code = hints_of(function), function.__code__
    types = {**dict(zip(code.co_varnames[: code.co_argcount], given, strict=False)), **named}
    known = _variables_of(types.get("self"))
    for name, kind in types.items():
        known |= _variables_in(hints.get(name), kind)
    return _with_variables(hints.get("return", NOT_SAID), known)


def _variables_of(annotation: Any) -> dict[Any, Any]:
    """Return the types that an annotation gives to the type variables of its generic class."""
    parameters = getattr(class_of(annotation), "__parameters__", ())
    return dict(zip(parameters, get_args(annotation), strict=False)) if isinstance(parameters, tuple) else {}


def _variables_in(hint: Any, kind: Any) -> dict[Any, Any]:
    """Return the types of a parameter's type variables, given the type of its argument."""
    if isinstance(hint, TypeVar):
        return {} if kind is NOT_SAID else {hint: kind}
    if (cls := class_of(hint)) is None or cls is not class_of(kind):
        return {}
    several = map(_variables_in, get_args(hint), get_args(kind))
    return {name: found for each in several for name, found in each.items()}


def has_variables(annotation: Any) -> bool:
    """True for an annotation that depends on type variables, so only the function's code shows the type."""
    return isinstance(annotation, TypeVar | ParamSpec) or any(map(has_variables, get_args(annotation)))


def members(annotation: Any) -> tuple[Any, ...]:
    """Return the alternatives in a union, or just the annotation itself."""
    annotation = plain(annotation)
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def is_page(cls: type, name: str = "Page") -> bool:
    """Return True for a class of pages or, by its name, of blocks. These need Jinja2, which may not be installed."""
    page = getattr(sys.modules.get("antiphon.features.templates.page"), name, None)
    return page is not None and issubclass(cls, page)


def is_response(cls: type) -> bool:
    """Return True for a class of responses or pages."""
    return issubclass(cls, Response) or is_page(cls)


def plain(annotation: Any) -> Any:
    """Return the annotation for which a ``type`` statement or a ``NewType`` defines a name."""
    while hasattr(annotation, "__value__") or isinstance(annotation, NewType):
        annotation = annotation.__supertype__ if isinstance(annotation, NewType) else annotation.__value__
    return annotation


def union_of(types: Iterable[Any]) -> Any:
    """Return the union of the types, or the type itself if there is only one. In that case, it need not be hashable."""
    several = tuple(types)
    return several[0] if len(several) == 1 else Union[several]  # noqa: UP007 - their number varies


def list_of(item: Any) -> Any:
    """Return the type of lists with these items."""
    return GenericAlias(list, (item,))


def without_none(annotation: Any) -> Any:
    """Return a type without None, with the same metadata."""
    annotation = plain(annotation)
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return Annotated[(without_none(inner), *metadata)]
    kept = [each for each in members(annotation) if each is not NoneType and each is not None]
    return union_of(kept) if kept else annotation


def class_of(annotation: Any) -> type | None:
    """Return a type's class, or None for a type without a single class, such as a union."""
    annotation = plain(annotation)
    if get_origin(annotation) is Annotated:
        return class_of(get_args(annotation)[0])
    origin = get_origin(annotation) or annotation
    return origin if isinstance(origin, type) else None


def item_of(annotation: Any) -> Any:
    """Return the type of the items that iterating over a value yields; NOT_SAID if it isn't known."""
    kind, arguments = class_of(annotation), get_args(annotation)
    if kind is None or not arguments or not issubclass(kind, Iterable | AsyncIterable):
        return str if kind is str else NOT_SAID
    if kind is tuple:
        return union_of(each for each in arguments if each is not ...)
    return arguments[0]


def subscript_of(annotation: Any, key: object = None) -> Any:
    """Return the type of ``value[key]``; NOT_SAID if it isn't known."""
    kind, arguments = class_of(annotation), get_args(annotation)
    if is_typeddict(kind):
        hint = hints_of(kind).get(str(key), NOT_SAID)
        return get_args(hint)[0] if get_origin(hint) in (NotRequired, Required) else hint
    if kind is None or not arguments:
        return str if kind is str else NOT_SAID
    if issubclass(kind, Mapping):
        return arguments[1] if len(arguments) == 2 else NOT_SAID
    return item_of(annotation)


def awaited(annotation: Any) -> Any:
    """Return the type of a value after awaiting it, or the type itself if it isn't awaitable."""
    kind, arguments = class_of(annotation), get_args(annotation)
    if kind is not None and issubclass(kind, Coroutine) and len(arguments) == 3:
        return arguments[2]
    return arguments[0] if kind is not None and issubclass(kind, Awaitable) and arguments else annotation


def dependency_type(dependency: Dependency[Any]) -> Any:
    """Return the type of a dependency's value, as in ``Dependency[Book]("book")``; NOT_SAID if it has none."""
    arguments = get_args(getattr(dependency, "__orig_class__", None))
    return arguments[0] if arguments and not isinstance(arguments[0], TypeVar) else NOT_SAID


def attribute_of(annotation: Any, name: str) -> Any:
    """Return the type of a value's attribute; NOT_SAID if it isn't known or is a method."""
    kind = class_of(annotation)
    if kind is None:
        return NOT_SAID
    found = inspect.getattr_static(kind, name, NOT_SAID)
    if isinstance(found, Dependency):
        return dependency_type(found)
    if (getter := getter_of(kind, name)) is not None:
        return returned_by(getter)
    hint = hints_of(kind).get(name, NOT_SAID)
    return _with_variables(hint, _variables_of(annotation))


def is_proxy(found: object) -> bool:
    """Return True for an object that computes even its class: to ask it for anything runs code of the application."""
    return any("__class__" in vars(each) for each in type(found).__mro__[:-1])


def getter_of(kind: type, name: str) -> FunctionType | None:
    """Return the function behind a property, or None."""
    found = inspect.getattr_static(kind, name, None)
    if is_proxy(found):
        return None
    getter = getattr(found, "fget", None) or getattr(found, "func", None)  # of a property or a cached property
    return getter if isinstance(getter, FunctionType) else None


def method_of(kind: type, name: str) -> FunctionType | None:
    """Return a class's method as a function, or None."""
    found = inspect.getattr_static(kind, name, None)
    found = found.__func__ if type(found) in (staticmethod, classmethod) else found
    return found if isinstance(found, FunctionType) else None


def _with_variables(hint: Any, known: Mapping[Any, Any]) -> Any:
    """Return an annotation, replacing its type variables with known types."""
    if isinstance(hint, TypeVar):
        return known.get(hint, hint)
    inner = getattr(hint, "__parameters__", ()) if known else ()
    return hint[tuple(known.get(each, each) for each in inner)] if inner else hint


def is_loose(annotation: Any) -> bool:
    """Return True for an annotation that allows anything, such as a bare dict or list. The code is then more
    specific.
    """
    cls, arguments = class_of(annotation), get_args(annotation)
    return (
        annotation is Any
        or cls is object
        or (cls in (dict, list) and (not arguments or arguments[-1] in (Any, object)))
    )


def literals(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, or none for any other annotation."""
    return get_args(annotation) if get_origin(plain(annotation)) is Literal else ()
