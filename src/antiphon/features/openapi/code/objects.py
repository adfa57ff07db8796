"""The contents of objects that code creates (dicts, lists and responses), and what their methods change and return."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from inspect import getattr_static
from types import GenericAlias
from typing import Any, is_typeddict

from antiphon import Response
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.parts import item_at, item_of, kind_of, said
from antiphon.features.openapi.code.responses import SETS, body_in, media_type, statuses_in
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    TEXT,
    UNKNOWN,
    Encoded,
    Fields,
    Instance,
    Items,
    Known,
    Of,
    Pairs,
    Problem,
    Raisable,
    ResponseValue,
    Tuple,
    Value,
    alternatives,
    either,
)

OPEN = Of(dict[str, Any])
"""A dict that may have unknown keys."""
_ADDS = {"append": 0, "add": 0, "insert": 1, "appendleft": 0}
"""Methods that add an item, and the position of the item among their arguments."""
_KEEPS = frozenset({"sort", "reverse", "remove", "discard", "difference_update", "intersection_update"})
_READS = frozenset({"get", "items", "keys", "values", "copy", "pop", "popitem", "index", "count"})
_NEW_SETS = frozenset({"union", "difference", "intersection", "symmetric_difference"})
_RETURN_NOTHING = frozenset({*_ADDS, *_KEEPS, "extend", "update", "clear"})


def with_item(content: Value, key: Value, value: Value) -> Value:
    """Return the content of a dict or list after an item is set."""
    match content:
        case Fields(items):
            name = text_of(key)
            if name is None:
                return with_item(_with_any_keys(content), key, value)
            return Fields(tuple({**dict(items), name: value}.items()))
        case Items(item, kind):
            return Items(either(item, value), kind, either(content.key, key) if kind is dict else NEVER)
        case Of() if is_problem(content):  # their "status" is the response's status
            return UNKNOWN if text_of(key) in (None, "status") else content
        case Of():
            return _if_allowed(content, lambda opened: with_item(opened, key, value))
    return content


def _if_allowed(content: Of, change: Callable[[Value], Value]) -> Value:
    """Return the new value of a collection that is known from its annotation, after a change; UNKNOWN if the annotation
    doesn't allow the change.
    """
    opened = _opened(content)
    if opened is content or _fits(change(opened), opened):
        return content
    return OPEN if annotations.class_of(content.type) is dict else UNKNOWN


def _opened(content: Value) -> Value:
    """Return a collection with its items, according to its annotation or its current items."""
    if isinstance(content, Known) and isinstance(content.value, dict) and content.value:
        return Fields(tuple((str(key), Of(type(each))) for key, each in content.value.items()))
    if not isinstance(content, Of):
        return content
    cls, item = annotations.class_of(content.type), item_at(content, UNKNOWN)
    if is_typeddict(cls):
        return Fields(tuple((name, item_at(content, Known(name))) for name in annotations.hints_of(cls)))
    if item is UNKNOWN or cls is None or not issubclass(cls, Mapping | list | set):
        return content
    return Items(item, dict, item_of(content)) if issubclass(cls, Mapping) else Items(item, cls)


def _fits(value: Value, allowed: Value) -> bool:
    match value, allowed:
        case Items(one), Items(other):
            return _fits(one, other)
        case Fields(some), Fields(others):
            return dict(some).keys() == dict(others).keys() and all(
                map(_fits, dict(some).values(), dict(others).values())
            )
    kinds = tuple(kind for each in alternatives(allowed) if (kind := kind_of(each)) is not None)
    if len(kinds) != len(alternatives(allowed)):
        return True
    kinds = (*kinds, int) if float in kinds else kinds
    return all(kind is not None and issubclass(kind, kinds) for kind in map(kind_of, alternatives(value)))


def without_item(content: Value, key: Value) -> Value:
    """Return the content of a dict after an item is removed."""
    if not isinstance(content, Fields):
        return UNKNOWN if is_problem(content) else content
    name = text_of(key)
    return _with_any_keys(content) if name is None else Fields(tuple(each for each in content.items if each[0] != name))


def text_of(value: Value | None) -> str | None:
    """Return a string if it is known before the code runs, or else None."""
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def is_text(value: Value) -> bool:
    """Return True for a string."""
    return text_of(value) is not None or kind_of(value) is str


def merged(content: Value, others: Sequence[Value]) -> Value:
    """Return the content of a dict after it is updated from other dicts."""
    for other in others:
        if isinstance(content, Fields) and isinstance(other, Fields):
            content = Fields(tuple({**dict(content.items), **dict(other.items)}.items()))
            continue
        one, two = _with_any_keys(content), _with_any_keys(other)
        if not (isinstance(one, Items) and isinstance(two, Items)):
            return OPEN
        content = Items(either(one.item, two.item), dict, either(one.key, two.key))
    return content


def _with_any_keys(content: Value) -> Value:
    """Return a dict of which no key is known by its name; OPEN if its values aren't known."""
    content = Of(dict[str, str]) if isinstance(content, Pairs) else content
    match _opened(content):
        case Fields(items):
            return Items(either(*[each for _, each in items]), dict, TEXT if items else NEVER)
        case Items(_, kind) as found if kind is dict:
            return found
    return OPEN


def changed(content: Value, method: str, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Return an object's content after one of its methods has been called; UNKNOWN if the method isn't known."""
    first = given[0] if given else NONE
    match content:
        case Fields(items):
            match method:
                case "get" | "items" | "keys" | "values" | "copy":
                    return content
                case "update":
                    return merged(content, [*given, *([Fields(tuple(named.items()))] if named else [])])
                case "setdefault":
                    is_there = isinstance(first, Known) and first.value in dict(items)
                    return content if is_there else with_item(content, first, given[1] if len(given) > 1 else NONE)
                case "pop":
                    return without_item(content, first)
                case "popitem":
                    return _with_any_keys(content)
                case "clear":
                    return Fields(())
        case Items(item, kind):
            if method in _ADDS:
                return Items(either(item, *given[_ADDS[method] :][:1]), kind)
            if method == "update" and kind is dict:
                return merged(content, [*given, Fields(tuple(named.items()))])
            if method in ("extend", "update"):
                return Items(either(item, *map(item_of, given)), kind)
            if method == "setdefault" and kind is dict:
                return with_item(content, first, given[1] if len(given) > 1 else NONE)
            if method == "clear":
                return Items(NEVER, kind)
            if method in _READS | _KEEPS | _NEW_SETS:
                return content
        case ResponseValue():
            if method == "make_conditional":
                return replace(content, is_conditional=True, has_ranges=named.get("ranges") != Known(False))
            return with_header(content, Known(SETS[method]), TEXT) if method in SETS else content
        case Raisable() if method in ("with_traceback", "add_note"):
            return content
        case Known():
            return content
        case Of() if is_problem(content) and method == "update":
            added = merged(Fields(()), [*given, Fields(tuple(named.items()))])
            return content if isinstance(added, Fields) and "status" not in dict(added.items) else UNKNOWN
        case Of() if is_problem(content) and method in ("pop", "popitem", "clear"):
            return UNKNOWN
        case Of():
            return _if_allowed(content, lambda opened: changed(opened, method, given, named))
    return UNKNOWN


def returned(content: Value, method: str, given: Sequence[Value]) -> Value:
    """Return the result of calling a method of a dict or list, given its content before the call."""
    first, default = given[0] if given else NONE, given[1] if len(given) > 1 else None
    key, content = item_of(content), _opened(content)
    values = [each for _, each in content.items] if isinstance(content, Fields) else []
    match content, method:
        case Items(item, kind), "get" | "setdefault" | "pop" if kind is dict:
            return item if default is None and method == "pop" else either(item, NONE if default is None else default)
        case Items(item, kind), "values" if kind is dict:
            return Items(item, Iterator)
        case Items(item, kind), "items" if kind is dict:
            return Items(Tuple((key, item)), Iterator)
        case Items(_, kind), "keys" if kind is dict:
            return Items(key, Iterator)
        case Fields(), "get" | "setdefault" | "pop":
            found = item_at(content, first)
            missing = isinstance(first, Known) and first.value not in dict(content.items)
            is_there = text_of(first) is not None and not missing
            if is_there or (default is None and method == "pop"):
                return found
            return either(*([] if missing else [found]), NONE if default is None else default)
        case Fields(), "values":
            return Items(either(*values), Iterator)
        case Fields(), "items":
            return Items(Tuple((TEXT, either(*values))) if values else NEVER, Iterator)
        case Fields(), "keys":
            return Items(TEXT, Iterator)
        case Fields() | Items(), "copy":
            return content
        case Items(item), "pop":
            return item
        case Items(), "index" | "count":
            return Of(int)
        case Items(item, kind), _ if method in _NEW_SETS:
            return Items(either(item, *map(item_of, given)), kind)
        case Fields() | Items(), _ if method in _RETURN_NOTHING:
            return NONE
    return UNKNOWN


def with_attribute(content: Value, name: str, value: Value) -> Value:
    """Return the content of a response, an error or an instance after an attribute is set."""
    match content:
        case Instance(attributes=known, is_shared=False):
            return replace(content, attributes=tuple({**dict(known), name: value}.items()))
        case ResponseValue():
            match name:
                case "status":
                    return replace(content, statuses=statuses_in(value), has_own_status=True)
                case "body":
                    return UNKNOWN if content.is_passed_on else replace(content, body=_body_of(content, value))
                case "content_type":
                    return with_header(content, Known("content-type"), value)
                case "is_conditional":
                    return replace(content, is_conditional=(may := value != Known(False)), has_ranges=may)
            field = getattr(getattr_static(Response, name, None), "header", None)
            return with_header(content, Known(field), value) if isinstance(field, str) else content
        case Raisable() if name in ("status", "detail"):
            codes = statuses_in(value) if name == "status" else None
            if name == "status":
                return replace(content, status=codes[0]) if codes and len(codes) == 1 else UNKNOWN
            return replace(content, detail=text_of(value))
    return content


def _body_of(content: ResponseValue, value: Value) -> Value:
    if value == NONE:
        return NONE
    if isinstance(value, Encoded):
        return body_in(content.media, value)
    return content.body if content.body == TEXT and value in (TEXT, Of(str)) else UNKNOWN


def with_header(content: Value, name: Value, value: Value) -> Value:
    """Return the content of a response after a header is set."""
    if not isinstance(content, ResponseValue):
        return content
    written = text_of(name)
    if written is None:
        return UNKNOWN
    if written.lower() != "content-type":
        before = tuple(each for each in content.headers if each != written.lower())
        kept = replace(content, headers=before)
        has_it = replace(kept, headers=(*before, written.lower()))
        return either(*[kept if each == NONE else has_it for each in alternatives(value)])  # None removes it
    several = [*map(media_type, alternatives(value))]
    found = [replace(content, media=each, body=body_in(each, content.body)) for each in several if each is not None]
    return either(*found) if len(found) == len(several) else UNKNOWN


def with_headers(content: Value, method: str, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Return the content of a response after a method of its headers is called."""
    if method in ("get", "getall", "getone", "items", "keys", "values", "__contains__", "copy"):
        return content
    first = given[0] if given else NONE
    name = (text_of(first) or "").lower()
    if method in ("add", "setdefault", "set", "append") and len(given) > 1:
        has_media = isinstance(content, ResponseValue) and content.media is not None
        if has_media and name == "content-type" and method != "set":
            return content if method == "setdefault" else UNKNOWN
        return with_header(content, first, given[1])
    if method == "pop" and name not in ("", "content-type"):
        return with_header(content, first, NONE)
    if method == "update" and all(isinstance(each, Fields) for each in given):
        for each in (*given, Fields(tuple(named.items()))):
            for name, value in each.items if isinstance(each, Fields) else ():
                content = with_header(content, Known(name), value)
        return content
    return UNKNOWN


def fields_in(record: Value) -> Value:
    """Return the dict that ``asdict`` and the like make of a record; one with any keys if its fields aren't known."""
    cls: Any = annotations.class_of(record.type) if isinstance(record, Of) else None
    if cls is None or not isinstance(record, Of):
        return OPEN
    is_model = hasattr(cls, "model_fields")
    if is_model and (cls.model_computed_fields or cls.model_config or _has_serializers(cls)):
        return OPEN
    names = [getattr(cls, each, None) for each in ("__struct_fields__", "_fields", "model_fields")]
    if dataclasses.is_dataclass(cls):
        names = [[each.name for each in dataclasses.fields(cls)]]
    found = next((each for each in names if each is not None), None)
    if found is None:
        return OPEN
    return Fields(tuple((name, said(annotations.attribute_of(record.type, name))) for name in found))


def _has_serializers(model: Any) -> bool:
    decorators = model.__pydantic_decorators__
    return bool(decorators.field_serializers or decorators.model_serializers)


def copied(kind: type, value: Value) -> Value:
    """Return a new list, set, tuple or dict with the items of a value."""
    item = item_of(value)
    if kind is dict and isinstance(item, Tuple) and len(item.items) == 2:
        return Items(item.items[1], dict, item.items[0])
    if kind is dict:
        return value if isinstance(value, Fields) else _with_any_keys(value)
    if item is UNKNOWN and kind in (list, set, frozenset, tuple):
        return Of(kind)
    if isinstance(value, Of) and isinstance(item, Of):
        return Of(GenericAlias(kind, (item.type, ...) if kind is tuple else (item.type,)))
    return Items(item, kind)


def is_problem(value: Value) -> bool:
    """True for an error's problem details."""
    return kind_of(value) is Problem


def is_container(value: Value) -> bool:
    """True for the content of a mutable object."""
    is_items = isinstance(value, Items) and value.kind in (list, set, dict)
    is_dict = isinstance(value, Of) and annotations.class_of(value.type) is dict
    return is_items or is_dict or is_problem(value) or isinstance(value, Fields | Instance | ResponseValue | Raisable)
