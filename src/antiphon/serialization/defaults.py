"""Defaults of dataclasses: msgspec leaves them to the class, and then writes the instance without them."""

from functools import lru_cache
from typing import Any, NamedTuple, cast, get_origin

from msgspec import NODEFAULT, inspect

from antiphon.serialization.types import parts


def needs_defaults(info: inspect.Type) -> bool:
    """Whether a value of this type may hold an instance that lacks the defaults of its class."""
    return any(
        isinstance(part, inspect.DataclassType) and _of(get_origin(part.cls) or part.cls).defaults
        for _, part in parts("", info)
    )


def give_defaults(value: object) -> None:
    """Set on each dataclass instance in a value what it lacks of its class's defaults."""
    ahead = [value]
    while ahead:
        part = ahead.pop()
        if isinstance(part, list | tuple | set | frozenset):
            ahead += part
        elif isinstance(part, dict):
            ahead += part.values()
        else:
            kind = _of(cast("type[Any]", type(part)))  # type: ignore[arg-type]  # mypy takes type for unhashable
            for name, default in kind.defaults.items():
                vars(part).setdefault(name, default)
            ahead += [getattr(part, name, None) for name in kind.names]


class _Kind(NamedTuple):
    """What an instance of a class has: its fields, and the defaults that its class holds for it."""

    names: tuple[str, ...]
    defaults: dict[str, Any]


@lru_cache(256)
def _of(kind: type[Any]) -> _Kind:
    if hasattr(kind, "__attrs_attrs__"):
        return _Kind(tuple(attribute.name for attribute in kind.__attrs_attrs__), {})
    if not hasattr(kind, "__dataclass_fields__"):
        return _Kind(getattr(kind, "__struct_fields__", ()), {})
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.DataclassType)  # noqa: S101 - msgspec takes every dataclass for one
    held = {field.name: field.default for field in info.fields if field.default is not NODEFAULT}
    return _Kind(tuple(kind.__dataclass_fields__), held if kind.__dictoffset__ else {})
