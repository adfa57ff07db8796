"""Components of values: attributes, items and slices."""

import inspect
from collections.abc import Collection
from types import FunctionType, GenericAlias, ModuleType, NoneType
from typing import Any, get_args, get_origin

from antiphon import Request, Response
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.sources import MISSING
from antiphon.features.openapi.code.values import (
    UNKNOWN,
    Bound,
    Either,
    Fields,
    Items,
    Known,
    Of,
    Pairs,
    Part,
    Raisable,
    ResponseValue,
    RowsOf,
    TheRequest,
    Tuple,
    Value,
    either,
)


def said(annotation: Any) -> Value:
    """Return an instance of an annotation's type, unless the type contains type variables or is Any."""
    if annotation in (annotations.NOT_SAID, Any, object) or annotations.has_variables(annotation):
        return UNKNOWN
    return TheRequest() if annotations.class_of(annotation) is Request else Of(annotation)


def attribute_of_object(owner: Known, name: str) -> Value:
    """Return an existing object's attribute without running the object's code."""
    held = owner.value
    if isinstance(held, ModuleType):
        return known(vars(held)[name] if name in vars(held) else getattr(held, name, None))
    if isinstance(held, type):
        found = inspect.getattr_static(held, name, MISSING)
        if annotations.is_proxy(found) or (hasattr(type(found), "__get__") and not _only_binds(found)):
            return UNKNOWN
        found = MISSING if found is MISSING else getattr(held, name, MISSING)
        return Bound(owner, found, name) if callable(found) and not isinstance(found, type) else known(found)
    found = inspect.getattr_static(held, name, MISSING)
    is_own = name in ((inspect.getattr_static(held, "__dict__", None) is not None and vars(held)) or ())
    is_plain = is_own or issubclass(type(found), type) or (found is not MISSING and not hasattr(type(found), "__get__"))
    is_said = may_change(found) and annotations.attribute_of(type(held), name) is not annotations.NOT_SAID
    if is_plain and not is_said:
        return known(found)
    return attribute_of_instance(Of(type(held)), name, owner)


def _only_binds(descriptor: object) -> bool:
    """Return True for a descriptor that runs no code of the application: Python's, or Antiphon's own."""
    kind = type(descriptor)
    return kind is not property and kind.__module__.partition(".")[0] in ("antiphon", "builtins", "enum")


def known(found: object) -> Value:
    """Return an object that exists before the function runs; UNKNOWN if there is none."""
    return UNKNOWN if found is MISSING else Known(found)


def may_change(held: object) -> bool:
    """Return True for an object whose annotation is more reliable than its current value: None, or a collection."""
    return held is None or issubclass(type(held), dict | list | tuple | set | frozenset)


def attribute_of_instance(owner: Of, name: str, held: Value | None = None) -> Value:
    """Return an attribute of a type's instances, based on its annotation. ``held`` is the instance, if known."""
    annotation = annotations.plain(owner.type)
    several = annotations.members(annotation)
    if len(several) > 1:
        return either(*[attribute_of_instance(Of(each), name) for each in several if each is not type(None)])
    kind = annotations.class_of(annotation)
    method = None if kind is None else annotations.method_of(kind, name)
    if method is not None:
        return Bound(held or owner, method, name)
    found = annotations.attribute_of(annotation, name)
    return Bound(held or owner, None, name) if found is annotations.NOT_SAID else said(found)


def item_at(owner: Value, key: Value) -> Value:
    """Return ``owner[key]`` for a value that is not part of the request."""
    match owner, key:
        case Fields(items), Known(name):
            return dict(items).get(name, UNKNOWN)
        case Fields(items), _ if items:
            return either(*[each for _, each in items])
        case Items(item), _:
            return item
        case Tuple(items), Known(int() as at):
            return items[at] if -len(items) <= at < len(items) else UNKNOWN
        case Part(), _:
            return owner
        case Of(kind), _:
            return said(annotations.subscript_of(kind, key.value if isinstance(key, Known) else None))
        case Known(held), Known(name):  # generic types: list[Order]
            return _subscripted(held, name)
        case Known(dict() as held), _:
            return _held_in(held.values())
        case Known(list() | tuple() as held), _:
            return _held_in(held)
        case Known(held), Tuple(items) if all(isinstance(each, Known) for each in items):
            return _subscripted(held, tuple(each.value for each in items if isinstance(each, Known)))
    return UNKNOWN


def kind_of(value: Value) -> type | None:
    """Return a value's class, or None if it isn't known."""
    match value:
        case Of(kind):
            return NoneType if kind is None else annotations.class_of(kind)
        case Known(held):
            return type(held)
        case Fields():
            return dict
        case Items(_, kind):
            return kind
        case Tuple():
            return tuple
        case Raisable(kind):
            return kind
        case ResponseValue():
            return Response
    return None


def type_of(value: Value) -> Any:
    """Return a value's type as an annotation; NOT_SAID if it isn't known."""
    match value:
        case Of(kind):
            return kind
        case Items(item, kind) if kind in (list, set):
            return GenericAlias(kind, (type_of(item),))
        case Known(held) if isinstance(held, type) or get_origin(held) is not None:
            return GenericAlias(type, (held,))
        case Known(held):
            return inspect.getattr_static(held, "__orig_class__", type(held))
    return annotations.NOT_SAID


def _subscripted(generic: Any, argument: Any) -> Value:
    try:
        return Known(generic[argument])
    except Exception:  # an application's class may raise anything
        return UNKNOWN


def sliced(value: Value) -> Value:
    """Return a slice of a sequence. The slice has the same type and the same kind of items as the sequence."""
    if isinstance(value, Known) and isinstance(value.value, str | bytes):
        return Of(type(value.value))
    if isinstance(value, Tuple):
        return Items(item_of(value), tuple)
    return Items(item_of(value)) if isinstance(value, Known) else value


def _held_in(items: Collection[object]) -> Value:
    """Return a value that represents any current item of a collection."""
    held = [Known(each) if isinstance(each, FunctionType | type) else Of(type(each)) for each in items]
    return either(*held) if held else UNKNOWN


def item_of(value: Value) -> Value:
    """Return a value that represents any item that iterating over a value yields."""
    if isinstance(value, Items):
        return value.key if value.kind is dict else value.item
    if isinstance(value, Tuple):
        return either(*value.items)
    if isinstance(value, Fields | Pairs):
        return Of(str)
    if isinstance(value, RowsOf):
        return Of(value.wanted)
    if isinstance(value, Known) and isinstance(value.value, str | bytes | range):
        return Of(str if isinstance(value.value, str) else int)
    if isinstance(value, Known) and isinstance(value.value, list | tuple | set | frozenset):
        return _held_in(value.value)
    if isinstance(value, Either):
        return either(*[item_of(each) for each in value.values])
    return said(annotations.item_of(value.type)) if isinstance(value, Of) else UNKNOWN


def unpacked(value: Value, at: int) -> Value:
    """Return one of the items to which a value is unpacked."""
    if isinstance(value, Of):
        arguments = get_args(value.type)
        if annotations.class_of(value.type) is tuple and ... not in arguments and at < len(arguments):
            return said(arguments[at])
    return item_of(value)
