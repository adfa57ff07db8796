"""The defaults of dataclasses, set on each instance that msgspec has created, as the constructor would do.

msgspec leaves a default on the class, so ``vars(instance)`` and the instance's JSON lack it. For each type, functions
are therefore generated that walk a decoded value, but only as far as the type may contain such instances. Checking the
class of each value would take many times as long as decoding. Before a value is written, the same functions walk the
records in it whose classes msgspec has ever decoded, because a program may have called ``msgspec.convert``.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from inspect import getattr_static
from itertools import count
from types import NoneType
from typing import Any, cast, get_origin

from msgspec import NODEFAULT, inspect

from antiphon.serialization.types import Decode, Record, members, parts, translated
from antiphon.speedups import accelerated

_CLASSES: dict[type[inspect.Type], type] = {
    inspect.ListType: list,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
    inspect.VarTupleType: tuple,
    inspect.TupleType: tuple,
    inspect.DictType: dict,
    inspect.TypedDictType: dict,
}

_DEPTH = 10
"""The maximum depth of nested blocks, which Python limits. What is nested more deeply gets a separate function."""


def with_defaults(decode: Decode, info: inspect.Type) -> Decode:
    """Return a function that decodes like ``decode`` and sets defaults. ``info`` describes the decoded type."""
    return _Source(info).compiled(decode) if _may_lack_defaults(info) else decode


@accelerated
def set_defaults(value: Any, /) -> None:
    """Set the defaults that instances of dataclasses lack, in a value that is going to be written.

    In a list of dicts, only the first dict is searched, because checking every value would take longer than writing it.
    """
    kind = type(value)
    if kind is dict:
        parts: Iterable[Any] = value.values()
    elif kind is not list and kind is not tuple:
        _set_defaults_of(kind, [value])
        return
    elif not value or type(value[0]) is dict:
        parts = value[:1]
    else:
        kinds = {*map(type, value)}
        for each in kinds - PLAIN - _CONTAINERS:
            _set_defaults_of(each, [*value])
        parts = value if kinds & _CONTAINERS else ()
    for part in parts:
        if type(part) not in PLAIN:
            set_defaults(part)


PLAIN = frozenset({str, int, float, bool, NoneType, bytes})
"""Classes of values without nested values."""
_CONTAINERS = frozenset({dict, list, tuple})


def _set_defaults_of(cls: type, values: list[Any]) -> None:
    """Set the defaults of a class's instances and of any records nested in them."""
    set_in_list, classes = _setter(cls)
    if any(_DECODED in vars(each) or _GENERIC in vars(each) for each in classes):
        set_in_list(values)


_DECODED, _GENERIC = "__msgspec_cache__", "__parameters__"
"""The attribute of a dataclass that msgspec has decoded, perhaps leaving instances without defaults, and the attribute
of a generic dataclass: msgspec decodes it as ``Page[int]``, without a trace on the class.
"""


@lru_cache(256)
def _setter(cls: type) -> tuple[Decode, tuple[type, ...]]:
    """Return the function for lists of instances of a class, and the dataclasses in the class that may lack
    defaults.
    """
    if not (hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__struct_fields__")):
        return list, ()
    try:
        info = translated(list[cls])  # type: ignore[valid-type]
    except Exception:  # such a class can't be written either
        return list, ()
    records = [part for _, part in parts("", info) if isinstance(part, inspect.DataclassType) and _held_by_class(part)]
    return _Source(info, is_decoded=False).compiled(list), tuple(map(_class_of, records))


def _may_lack_defaults(info: inspect.Type) -> bool:
    return any(isinstance(part, inspect.DataclassType) and _held_by_class(part) for _, part in parts("", info))


def _held_by_class(info: inspect.DataclassType) -> dict[str, Any]:
    """Return the defaults that instances lack. There are none for attrs classes and classes with slots, because these
    leave no defaults on the class.
    """
    cls = _class_of(info)
    if not cls.__dictoffset__ or hasattr(cls, "__attrs_attrs__"):
        return {}
    return {field.name: field.default for field in info.fields if field.default is not NODEFAULT}


def _class_of(info: inspect.Type) -> type[Any]:
    """Return the class to which a type with nested values is decoded."""
    if isinstance(info, Record) and not isinstance(info, inspect.TypedDictType):
        return get_origin(info.cls) or info.cls
    return _CLASSES[type(info)]


def _has_plain_attributes(info: Record) -> bool:
    """Return True if attributes can be read and set without running the class's code, which is faster than using its
    dict.
    """
    cls = _class_of(info)
    if not isinstance(info, inspect.DataclassType) or hasattr(cls, "__getattr__"):
        return False
    is_usual = all(getattr_static(cls, name) is getattr_static(object, name) for name in _ACCESS)
    return is_usual and all(_is_plain_attribute(cls, field) for field in info.fields)


_ACCESS = ("__getattribute__", "__setattr__")


def _is_plain_attribute(cls: type, field: inspect.Field) -> bool:
    found = getattr_static(cls, field.name, NODEFAULT)
    is_own = found is field.default and not hasattr(type(found), "__get__")
    return is_own and field.name.isascii()  # Python normalizes other names in source code


class _Source:
    """The source of a function that decodes a type and sets defaults.

    It contains statements for each position in the type, and a function for each record that may contain itself or is
    deeply nested. A value's class is checked where it may differ from the type's class: in a union, where a default or
    a ``__post_init__`` may have set something else, and, unless ``is_decoded``, everywhere.
    """

    def __init__(self, info: inspect.Type, *, is_decoded: bool = True) -> None:
        self._is_decoded = is_decoded
        self._numbers = count()
        # The module's name distinguishes its errors from errors in the program's own code.
        self._names: dict[str, Any] = {"__name__": __name__}
        self._functions: dict[str, Iterator[str]] = {}
        """The statements of functions that are not generated yet."""
        self._known: set[str] = set()
        self._lines = ["def decode_with_defaults(data):", " value = decode(data)"]
        self._lines += [*self._set_in("value", info, " ", is_sure=is_decoded), " return value"]

    def compiled(self, decode: Decode) -> Decode:
        self._names["decode"] = decode
        while self._functions:  # whose statements may need others: one after another, as deep types have many
            name, statements = self._functions.popitem()
            self._lines += [f"def {name}(value):", *statements]
        exec("\n".join(self._lines), self._names)  # noqa: S102 - names from the type are quoted
        decode_with_defaults: Decode = self._names["decode_with_defaults"]
        return decode_with_defaults

    def _new(self, name: str) -> str:
        return f"{name}{next(self._numbers)}"

    def _constant(self, value: object) -> str:
        name = self._new("constant")
        self._names[name] = value
        return name

    def _set_in(self, value: str, info: inspect.Type, indent: str, *, is_sure: bool) -> Iterator[str]:
        """Generate the statements that set defaults in a variable of the given type. ``is_sure`` is True if its value
        certainly has that type.
        """
        is_sure = is_sure and len(members(info)) == 1
        for part in filter(_may_lack_defaults, members(info)):
            if not is_sure:
                yield f"{indent}if type({value}) is {self._constant(_class_of(part))}:"
            below = indent if is_sure else f"{indent} "
            match part:
                case inspect.DictType(value_type=item):
                    yield from self._set_in_each(f"{value}.values()", item, below, is_sure=is_sure)
                case inspect.CollectionType(item_type=item):
                    yield from self._set_in_each(value, item, below, is_sure=is_sure)
                case inspect.TupleType(item_types=types):
                    for place, item in enumerate(types):
                        yield from self._set_in_part(f"{value}[{place}]", item, below, is_sure=is_sure)
                case _:
                    yield from self._set_in_record(value, cast(Record, part), below)

    def _set_in_each(self, values: str, info: inspect.Type, indent: str, *, is_sure: bool) -> Iterator[str]:
        item = self._new("item")
        yield f"{indent}for {item} in {values}:"
        if len(indent) < _DEPTH:
            yield from self._set_in(item, info, f"{indent} ", is_sure=is_sure)
            return
        name = self._new("set_in")
        self._functions[name] = self._set_in("value", info, " ", is_sure=is_sure)
        yield f"{indent} {name}({item})"

    def _set_in_part(self, expression: str, info: inspect.Type, indent: str, *, is_sure: bool) -> Iterator[str]:
        if _may_lack_defaults(info):
            part = self._new("part")
            yield f"{indent}{part} = {expression}"
            yield from self._set_in(part, info, indent, is_sure=is_sure)

    def _set_in_record(self, value: str, info: Record, indent: str) -> Iterator[str]:
        is_recursive = any(part is info for field in info.fields for _, part in parts("", field.type))
        if len(indent) < _DEPTH and not is_recursive:
            yield from self._statements(value, info, indent)
            return
        name = f"set_in_{id(info)}"
        if name not in self._known:
            self._known.add(name)
            self._functions[name] = self._statements("value", info, " ")
        yield f"{indent}{name}({value})"

    def _statements(self, value: str, info: Record, indent: str) -> Iterator[str]:
        cls, given = _class_of(info), self._new("given")
        has_names = cls is dict or (bool(cls.__dictoffset__) and not _has_plain_attributes(info))
        if has_names:
            yield f"{indent}{given} = {value if cls is dict else f'{value}.__dict__'}"
        if isinstance(info, inspect.DataclassType):
            for name, default in _held_by_class(info).items():
                constant = self._constant(default)
                if has_names:
                    yield f"{indent}if {name!r} not in {given}: {given}[{name!r}] = {constant}"
                else:  # it comes from the class, or the client sent the same value
                    yield f"{indent}if {value}.{name} is {constant}: {value}.{name} = {constant}"
        for field in info.fields:
            get = f"{given}.get({field.name!r})" if has_names else f"getattr({value}, {field.name!r}, None)"
            is_sure = self._is_decoded and field.required and cls is not dict and not hasattr(cls, "__post_init__")
            yield from self._set_in_part(get, field.type, indent, is_sure=is_sure)
