"""Defaults of dataclasses, set on each instance that is decoded, as the constructor does.

msgspec leaves a default on the class, where ``vars(instance)`` and what is written of the instance don't have it. So a
decoded value is walked, only to where its type may have such instances, by functions that are generated for the type:
to ask each value for its class takes many times as long as the decoding.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, get_origin

from msgspec import NODEFAULT, inspect

from antiphon.serialization.types import Record, members, parts

Decode: TypeAlias = Callable[[Any], Any]

_COLLECTIONS: dict[type[inspect.Type], str] = {
    inspect.ListType: "list",
    inspect.SetType: "set",
    inspect.FrozenSetType: "frozenset",
    inspect.VarTupleType: "tuple",
}


def with_defaults(decode: Decode, info: inspect.Type) -> Decode:
    """Return a function that decodes as ``decode`` does, and sets defaults. ``info`` describes what it decodes."""
    return _Source(info).compiled(decode) if _may_lack_defaults(info) else decode


def _may_lack_defaults(info: inspect.Type) -> bool:
    return any(isinstance(part, inspect.DataclassType) and _held_by_class(part) for _, part in parts("", info))


def _held_by_class(info: inspect.DataclassType) -> dict[str, Any]:
    """Return the defaults that instances lack: none with slots, or of attrs, which don't leave them on the class."""
    cls = _class_of(info)
    if not cls.__dictoffset__ or hasattr(cls, "__attrs_attrs__"):
        return {}
    return {field.name: field.default for field in info.fields if field.default is not NODEFAULT}


def _class_of(info: Record) -> type[Any]:
    return dict if isinstance(info, inspect.TypedDictType) else get_origin(info.cls) or info.cls


class _Source:
    """The source of a function that decodes a type and sets defaults.

    It has a statement for each place in the type, and a function for each record that may have itself in it. Any value
    may have another class than its type says, by a union, a default, or what ``__post_init__`` has put there.
    """

    def __init__(self, info: inspect.Type) -> None:
        self._names: dict[str, Any] = {}
        self._functions: dict[int, list[str]] = {}
        self._lines = ["def decode_with_defaults(data):", " value = decode(data)", *self._set_in("value", info, " ")]

    def compiled(self, decode: Decode) -> Decode:
        self._names["decode"] = decode
        functions = [line for function in self._functions.values() for line in function]
        exec("\n".join([*functions, *self._lines, " return value"]), self._names)  # noqa: S102 - names in it are quoted
        decode_with_defaults: Decode = self._names["decode_with_defaults"]
        return decode_with_defaults

    def _constant(self, value: object) -> str:
        name = f"constant{len(self._names)}"
        self._names[name] = value
        return name

    def _set_in(self, value: str, info: inspect.Type, indent: str) -> Iterator[str]:
        """Statements for a variable of this type."""
        for part in members(info):
            if not _may_lack_defaults(part):
                continue
            if isinstance(part, Record):
                yield from self._set_in_record(value, part, indent)
            elif isinstance(part, inspect.DictType):
                yield f"{indent}if type({value}) is dict:"
                yield from self._set_in_each(f"{value}.values()", part.value_type, f"{indent} ")
            elif isinstance(part, inspect.TupleType):
                yield f"{indent}if type({value}) is tuple and len({value}) == {len(part.item_types)}:"
                for place, item in enumerate(part.item_types):
                    yield from self._set_in_part(f"{value}[{place}]", item, f"{indent} ")
            elif isinstance(part, inspect.CollectionType):
                yield f"{indent}if type({value}) is {_COLLECTIONS[type(part)]}:"
                yield from self._set_in_each(value, part.item_type, f"{indent} ")

    def _set_in_each(self, values: str, info: inspect.Type, indent: str) -> Iterator[str]:
        item = f"item{len(indent)}"
        yield f"{indent}for {item} in {values}:"
        yield from self._set_in(item, info, f"{indent} ")

    def _set_in_part(self, expression: str, info: inspect.Type, indent: str) -> Iterator[str]:
        if _may_lack_defaults(info):
            part = f"part{len(indent)}"
            yield f"{indent}{part} = {expression}"
            yield from self._set_in(part, info, indent)

    def _set_in_record(self, value: str, info: Record, indent: str) -> Iterator[str]:
        if not any(part is info for field in info.fields for _, part in parts("", field.type)):
            yield from self._statements(value, info, indent)
            return
        name = f"set_in_{id(info)}"
        if id(info) not in self._functions:
            self._functions[id(info)] = []
            self._functions[id(info)] = [f"def {name}(value):", *self._statements("value", info, " ")]
        yield f"{indent}{name}({value})"

    def _statements(self, value: str, info: Record, indent: str) -> Iterator[str]:
        yield f"{indent}if type({value}) is {self._constant(_class_of(info))}:"
        if isinstance(info, inspect.DataclassType) and (defaults := _held_by_class(info)):
            yield f"{indent} given = {value}.__dict__"
            for name, default in defaults.items():
                yield f"{indent} if {name!r} not in given: given[{name!r}] = {self._constant(default)}"
        is_dict = isinstance(info, inspect.TypedDictType)
        for field in info.fields:
            get = f"{value}.get({field.name!r})" if is_dict else f"getattr({value}, {field.name!r}, None)"
            yield from self._set_in_part(get, field.type, f"{indent} ")
