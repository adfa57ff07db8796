"""msgspec's descriptions of types: creating them, taking them apart, and turning them back into types."""

import datetime
import decimal
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from types import GenericAlias
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard, Union, cast

import msgspec
from msgspec import inspect

from antiphon.explanations import explained
from antiphon.lazy import changed_package, require_names

Decode: TypeAlias = Callable[[Any], Any]
"""A function that creates a value of a type from the data that was sent."""

Collection: TypeAlias = inspect.CollectionType | inspect.TupleType
Record: TypeAlias = inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType

_ACCEPTED = (
    "accepted are dataclasses, TypedDicts, NamedTuples, Structs, enums, Literals, str, bytes, numbers, bool, "
    "None, dates and times, UUID, and lists, tuples, sets, dicts and unions of them"
)
_DECIMAL_WITH_BOUNDS = re.compile(r"Can only set .*decimal\.Decimal", re.DOTALL).match
_BOUNDS_OF_DECIMAL = "write the bounds of a Decimal as antiphon.decimal_meta(ge=0, places=2)"
_BUILTIN: dict[type[inspect.Type], object] = {
    inspect.AnyType: Any,
    inspect.RawType: Any,
    inspect.NoneType: None,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
    inspect.BytesType: bytes,
    inspect.ByteArrayType: bytearray,
    inspect.MemoryViewType: memoryview,
    inspect.DateTimeType: datetime.datetime,
    inspect.TimeType: datetime.time,
    inspect.DateType: datetime.date,
    inspect.TimeDeltaType: datetime.timedelta,
    inspect.UUIDType: uuid.UUID,
    inspect.DecimalType: decimal.Decimal,
}
_COLLECTIONS: dict[type[inspect.Type], type] = {
    inspect.ListType: list,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
}
AS_STRING = "JSON has it only as a string."
"""The comment in the JSON Schema of such a Decimal; msgspec sets the types of all Decimals."""
_CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern", "tz")


def described(wanted: object, file_type: type | None = None, *, is_read: bool = True) -> inspect.Type:
    """Return msgspec's description of a type. Raises TypeError with the part that can't be read.

    ``file_type`` and its subclasses may be parts of the type, although they can't be read from text. A type that is
    only written (``is_read=False``) may have unions whose types can't be told apart in text.
    """
    try:
        if is_read:
            _check_unions(wanted)
            inspect.type_info(wanted)  # makes a decoder
        info = translated(wanted)
    except (TypeError, NameError, RecursionError) as error:
        fix = _BOUNDS_OF_DECIMAL if _DECIMAL_WITH_BOUNDS(str(error)) else _ACCEPTED
        raise explained("unreadable-type", f"{type_name(wanted)} can't be read: {error}; {fix}", TypeError) from error
    for place, part in parts(type_name(wanted), info):
        if isinstance(part, inspect.CustomType | inspect.ExtType) and not _is_file(part, file_type):
            name = type_name(part.cls) if isinstance(part, inspect.CustomType) else "Ext"
            which = place if name == place else f"{name}, in {place},"
            raise explained("unreadable-type", f"{which} can't be read; {_ACCEPTED}", TypeError)
    return info


def _check_unions(wanted: object) -> None:
    """Raise TypeError for a union that makes msgspec, up to 0.22, read or free memory that isn't its own.

    ``type_info`` raises it, too, because it makes a decoder; the translator that describes types doesn't.
    """
    for place, part in parts(type_name(wanted), translated(wanted)):
        if isinstance(part, inspect.UnionType) and (clash := _clash(members(part))):
            raise explained("unreadable-type", f"in {place}, {clash}", TypeError)


def translated(wanted: object) -> inspect.Type:
    """Return msgspec's description of a type, without checking that the type can be read."""
    return cast(inspect.Type, translator()((wanted,)).translate(wanted))


def translator() -> Any:
    """Return the class with which msgspec describes types."""
    found = getattr(inspect, "_Translator", None)  # every public function makes a decoder
    if found is None:
        raise changed_package("msgspec", "0.22", "msgspec.inspect._Translator")
    return found


def json_schemas(
    wanted: Sequence[object], hook: Callable[[type], dict[str, Any]], reference: str
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return the JSON Schemas of types, and the components to which they refer, as ``msgspec.json.schema_components``
    does, which refuses types that can be written but not read.
    """
    from msgspec import _json_schema

    made: Any = _json_schema
    require_names("msgspec", "0.22", made, "_SchemaGenerator", "_collect_component_types", "_build_name_map")

    class Generator(made._SchemaGenerator):  # type: ignore[misc]  # noqa: SLF001 - has no public name
        def to_schema(self, info: inspect.Type, check_ref: bool = True) -> dict[str, Any]:
            schema: dict[str, Any] = super().to_schema(info, check_ref)
            if schema.get("format") == "decimal" and schema.pop("$comment", None) != AS_STRING:
                schema["type"] = ["string", "number"]
            kind = members(info)[0] if isinstance(info, inspect.Metadata) else info
            return {**_WITHOUT_ZONE.get((type(kind), getattr(kind, "tz", True)), {}), **schema}

    translate = translator()(tuple(wanted)).translate
    infos = [translate(each) for each in wanted]
    types = made._collect_component_types(infos)  # noqa: SLF001
    generator = Generator(made._build_name_map(types), hook, reference)  # noqa: SLF001
    components = {name: generator.to_schema(types[cls], False) for cls, name in generator.name_map.items()}
    return [generator.to_schema(each) for each in infos], components


_LOCAL_DATE = {"format": "date-time-local", "description": "A date and time (ISO 8601), which may have a zone."}
_LOCAL_TIME = {"format": "time-local", "description": "A time (ISO 8601), which may have a zone."}
_WITHOUT_ZONE: dict[tuple[type, object], dict[str, Any]] = {
    (inspect.DateTimeType, None): _LOCAL_DATE,
    (inspect.DateTimeType, False): {"format": "date-time-local", "description": "A date and time without a zone."},
    (inspect.TimeType, None): _LOCAL_TIME,
    (inspect.TimeType, False): {"format": "time-local", "description": "A time without a zone."},
}
"""The schemas of dates and times by their type and its ``tz``, unless they must have a zone. The formats are those of
OpenAPI's format registry; RFC 3339, and so "date-time", requires a zone.
"""


def _clash(alternatives: tuple[inspect.Type, ...]) -> str | None:
    """Return the reason why the alternatives of a union can't be combined; None if they can."""
    kinds = {type(info) for info in alternatives}
    bounds = {name for info in alternatives for name in _CONSTRAINTS if getattr(info, name, None) is not None}
    if inspect.TupleType in kinds and bounds - {"pattern", "tz"}:
        return "a tuple of a fixed length can't be combined with a type with bounds"
    if "pattern" in bounds and any(issubclass(kind, inspect.CollectionType | inspect.DictType) for kind in kinds):
        return "a list, set, dict or tuple can't be combined with a string with a pattern"
    return None


def _is_file(info: inspect.Type, file_type: type | None) -> bool:
    cls = getattr(info, "cls", None)
    return file_type is not None and isinstance(cls, type) and issubclass(cls, file_type)


def type_name(wanted: object) -> str:
    """Return the name of a type for messages."""
    if isinstance(wanted, type) and not isinstance(wanted, GenericAlias):
        return wanted.__qualname__
    return repr(wanted)


def parts(place: str, root: inspect.Type) -> Iterator[tuple[str, inspect.Type]]:
    """Yield every description within a description once, with the name of the type or field that contains it."""
    ahead, seen = [(place, root)], set[int]()
    while ahead:
        place, info = ahead.pop()
        if id(info) in seen:
            continue
        seen.add(id(info))
        yield place, info
        if isinstance(info, Record):
            ahead += [(f"{type_name(info.cls)}.{field.name}", field.type) for field in info.fields]
        else:
            ahead += [(place, child) for child in _children(info)]


def _children(info: inspect.Type) -> tuple[inspect.Type, ...]:
    match info:
        case inspect.Metadata(type=inner):
            return (inner,)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            return types
        case inspect.CollectionType(item_type=item):
            return (item,)
        case inspect.DictType(key_type=key, value_type=value):
            return (key, value)
    return ()


def members(info: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return the types of a union, or any other type alone."""
    if isinstance(info, inspect.Metadata):
        return members(info.type)
    if isinstance(info, inspect.UnionType):
        return tuple(member for part in info.types for member in members(part))
    return (info,)


Placed: TypeAlias = tuple[int | str, Any, inspect.Type]
"""A nested value in JSON: its index or name, the value itself, and its type."""


def items_of(value: list[Any], kinds: tuple[inspect.Type, ...]) -> Iterable[Placed]:
    """Return the items of an array, each with its index and type; none if no type in the union is an array."""
    for kind in kinds:
        match kind:
            case inspect.CollectionType(item_type=item):
                return ((index, part, item) for index, part in enumerate(value))
            case inspect.TupleType(item_types=types):
                return zip(count(), value, types, strict=False)
            case inspect.NamedTupleType(fields=fields):
                return zip(count(), value, [field.type for field in fields], strict=False)
            case inspect.StructType(array_like=True, fields=fields) if _is_tagged(kind, value[:1]):
                first = 0 if kind.tag is None else 1
                return zip(count(first), value[first:], [field.type for field in fields], strict=False)
    return ()


def members_of(value: object, kinds: tuple[inspect.Type, ...]) -> Iterable[Placed]:
    """Return the members of an object, each with its name and type; none if no type in the union is an object."""
    if not isinstance(value, dict):
        return ()
    kind = object_kind(value, kinds)
    if isinstance(kind, inspect.DictType):
        return ((name, part, kind.value_type) for name, part in value.items())
    types = {} if kind is None else {field.encode_name: field.type for field in kind.fields}
    return ((name, part, types[name]) for name, part in value.items() if name in types)


def object_kind(value: dict[str, Any], kinds: tuple[inspect.Type, ...]) -> Record | inspect.DictType | None:
    """Return the type in a union as which an object is read: the record with its tag, or a dict; None without one."""
    for kind in kinds:
        if isinstance(kind, inspect.DictType):
            return kind
        if is_object(kind) and _is_tagged(kind, [value.get(getattr(kind, "tag_field", None) or "")]):
            return kind
    return None


def is_object(kind: inspect.Type) -> TypeGuard[Record]:
    """Return True for a record that is an object in JSON, not an array."""
    return isinstance(kind, Record) and not (
        isinstance(kind, inspect.NamedTupleType) or getattr(kind, "array_like", False)
    )


def _is_tagged(kind: Record, found: list[object]) -> bool:
    """True if a tag is the record's tag, or if the record has none."""
    tag = getattr(kind, "tag", None)
    return tag is None or found == [tag]


def python_type(info: inspect.Type) -> Any:
    """Return the type that is described. It is decoded in the same way as the original, but may be written
    differently.
    """
    constraints = {name: bound for name in _CONSTRAINTS if (bound := getattr(info, name, None)) is not None}
    plain = _unconstrained(info)
    return Annotated[plain, msgspec.Meta(**constraints)] if constraints else plain


def _unconstrained(info: inspect.Type) -> Any:
    if type(info) in _BUILTIN:
        return _BUILTIN[type(info)]
    match info:
        case inspect.Metadata(type=inner, extra=extra):
            ours = {name: each for name, each in (extra or {}).items() if name.startswith("antiphon.")}
            return Annotated[python_type(inner), msgspec.Meta(extra=ours)] if ours else python_type(inner)
        case inspect.UnionType(types=types):
            return Union[tuple(python_type(member) for member in types)]  # noqa: UP007 - made at run time
        case inspect.LiteralType(values=values):
            return Literal[values]
        case inspect.VarTupleType(item_type=item):
            return GenericAlias(tuple, (python_type(item), ...))
        case inspect.CollectionType(item_type=item):
            return GenericAlias(_COLLECTIONS[type(info)], (python_type(item),))
        case inspect.TupleType(item_types=types):
            return GenericAlias(tuple, tuple(python_type(item) for item in types))
        case inspect.DictType(key_type=key, value_type=value):
            return GenericAlias(dict, (python_type(key), python_type(value)))
    return getattr(info, "cls", Any)
