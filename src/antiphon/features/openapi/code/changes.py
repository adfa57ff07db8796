"""Changes of dicts and lists in place: ``made["name"] = name``, ``found.append(lamp)``."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.features.openapi.code.parts import item_of
from antiphon.features.openapi.code.values import NONE, Either, Fields, Items, Known, Of, Value, either

_OPEN = Of(dict[str, Any])
"""A dict with some unknown keys."""


def with_item(owner: Value, key: Value, value: Value) -> Value:
    """Return a dict or a list after an item was set."""
    match owner:
        case Either(values):
            return either(*[with_item(each, key, value) for each in values])
        case Fields(items):
            if isinstance(key, Known) and isinstance(key.value, str):
                return Fields(tuple({**dict(items), key.value: value}.items()))
            return _OPEN
        case Items(item):
            return Items(either(item, value))
    return owner


def without_item(owner: Value, key: Value) -> Value:
    """Return a dict after an item was removed."""
    if isinstance(owner, Either):
        return either(*[without_item(each, key) for each in owner.values])
    if not isinstance(owner, Fields):
        return owner
    return Fields(tuple(each for each in owner.items if each[0] != key.value)) if isinstance(key, Known) else _OPEN


def changed(owner: Value, method: str, positional: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Return a dict or a list after a call of one of its methods."""
    first = positional[0] if positional else NONE
    match owner, method:
        case Fields(), "update" | "|":
            return _updated(owner, [*positional, *([Fields(tuple(named.items()))] if named else [])])
        case Fields(items), "setdefault":
            default = positional[1] if len(positional) > 1 else NONE
            is_there = isinstance(first, Known) and first.value in dict(items)
            return owner if is_there else with_item(owner, first, default)
        case Fields(), "pop":
            return without_item(owner, first)
        case Fields(), "popitem":
            return _OPEN
        case Fields(), "clear":
            return Fields(())
        case Items(item), "append":
            return Items(either(item, first))
        case Items(item), "insert":
            return Items(either(item, *positional[1:2]))
        case Items(item), "extend" | "+":
            return Items(either(item, item_of(first)))
    return owner


def _updated(owner: Value, others: Sequence[Value]) -> Value:
    for other in others:
        if not isinstance(other, Fields):
            return _OPEN
        for name, value in other.items:
            owner = with_item(owner, Known(name), value)
    return owner
