"""Defaults of dataclasses: msgspec leaves them to the class, and then writes the instance without them."""

from functools import lru_cache
from typing import Any, cast

from msgspec import NODEFAULT, inspect

from antiphon.typed.types import parts


def needs_defaults(info: inspect.Type) -> bool:
    """Whether a value of this type may hold an instance that lacks the defaults of its class."""
    return any(isinstance(part, inspect.DataclassType) and _defaults(part.cls) for _, part in parts("", info))


def give_defaults(value: object) -> None:
    """Set on each dataclass instance in a value what it lacks of its class's defaults."""
    ahead = [value]
    while ahead:
        part = ahead.pop()
        if isinstance(part, list | tuple | set | frozenset):
            ahead += part
        elif isinstance(part, dict):
            ahead += part.values()
        elif hasattr(part, "__dict__") and not isinstance(part, type):
            own, kind = vars(part), cast("type[Any]", type(part))
            for name, default in _defaults(kind).items():  # type: ignore[arg-type]  # mypy takes type for unhashable
                own.setdefault(name, default)
            ahead += own.values()


@lru_cache(256)
def _defaults(kind: type) -> dict[str, Any]:
    """The defaults that a class holds for its instances."""
    if not hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__slots__"):
        return {}
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.DataclassType)  # noqa: S101 - msgspec takes every dataclass for one
    return {field.name: field.default for field in info.fields if field.default is not NODEFAULT}
