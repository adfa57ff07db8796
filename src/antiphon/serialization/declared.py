"""Values as a declared type describes them: what is written has the type's fields, and no others.

An instance of a subclass, a dict with more members, or a row with the same attributes is replaced by plain data. A
value that has nothing else is written as it is, and costs a comparison of its class.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, TypeAlias, cast, get_origin
from uuid import UUID

from msgspec import NODEFAULT, Raw, UnsetType, inspect

from antiphon.serialization.pydantic_models import is_model
from antiphon.serialization.types import Record, members, parts, translator, type_name

Shape: TypeAlias = Callable[[Any], Any]
"""A function that returns a value as a type declares it. Raises NotDeclaredError for a value without its fields."""

_SCALARS = (
    NoneType, str, bytes, bytearray, memoryview, int, float, Decimal, Enum, date, time, timedelta, UUID, Raw, UnsetType,
)  # fmt: skip
"""Types of values without fields, which are written as they are, whatever was declared."""
_ARRAYS = (list, tuple, AbstractSet)


class NotDeclaredError(TypeError):
    """The error for a value that lacks what its declared type has."""


def shape_of(wanted: Any) -> Shape | None:
    """Return the shape of a type, or None if no value of the type can have fields that the type doesn't declare.

    Raises the same errors as ``msgspec`` for a type whose fields have unknown types.
    """
    return _Shapes().of(_translator()((wanted,)).translate(wanted))


@cache
def _translator() -> Any:
    """Return the class that describes types as msgspec writes them: any iterable or mapping is an array or object."""

    class Translator(translator()):  # type: ignore[misc]  # it is not public
        def _translate_inner(self, t: Any, args: Any, **constraints: Any) -> Any:
            made = super()._translate_inner(t, args, **constraints)
            if not isinstance(made, inspect.CustomType) or not args or not isinstance(t, type):
                return made
            if issubclass(t, Mapping):
                return inspect.DictType(inspect.AnyType(), self.translate(args[-1]))
            return inspect.ListType(self.translate(args[0])) if issubclass(t, Iterable) else made

    return Translator


class _Field(NamedTuple):
    name: str
    written: str
    """The name in JSON."""
    shape: Shape | None
    is_required: bool
    left_out: object
    """The default, if values equal to it are left out, or else NODEFAULT."""


class _Shapes:
    """The shapes of the parts of one type. Each record has one shape, since a record may contain itself."""

    def __init__(self) -> None:
        self._records: dict[int, _RecordShape] = {}

    def of(self, info: inspect.Type) -> Shape | None:
        kinds = members(info)
        if any(isinstance(kind, inspect.AnyType) or getattr(kind, "cls", None) is object for kind in kinds):
            return None
        shapes = [(kind, self._of_one(kind)) for kind in kinds]
        if all(shape is None for _, shape in shapes):
            return None
        return shapes[0][1] if len(shapes) == 1 else _UnionShape(shapes)

    def _of_one(self, info: inspect.Type) -> Shape | None:
        match info:
            case inspect.CollectionType(item_type=item):
                return _items(self.of(item))
            case inspect.NamedTupleType(fields=fields):
                return self._record(info) if any(_has_fields(field.type) for field in fields) else None
            case inspect.TupleType(item_types=types):
                return _places([self.of(item) for item in types])
            case inspect.DictType(value_type=item):
                return _values(self.of(item))
            case inspect.CustomType(cls=cls):
                return _model(cls) if is_model(cls) else None
        return self._record(info) if isinstance(info, Record) else None

    def _record(self, info: Record) -> Shape:
        known = self._records.get(id(info))
        if known is None:
            known = self._records[id(info)] = _RecordShape(info)
            known.complete([self._field(info, field) for field in info.fields])
        return known

    def _field(self, info: Record, field: inspect.Field) -> _Field:
        config = getattr(info.cls, "__struct_config__", None)
        omits = config is not None and config.omit_defaults
        default = field.default if field.default_factory is NODEFAULT else field.default_factory()
        left_out = default if omits else NODEFAULT
        return _Field(field.name, field.encode_name, self.of(field.type), field.required, left_out)


def _has_fields(info: inspect.Type) -> bool:
    return any(isinstance(part, Record) or is_model(getattr(part, "cls", None)) for _, part in parts("", info))


class _RecordShape:
    """The shape of a dataclass, Struct, attrs class, TypedDict or NamedTuple.

    ``exact`` is the class whose own instances are written as they are, and ``names`` are those of a dict that is
    written as it is, if no field needs a closer look.
    """

    exact: type | None = None
    names: frozenset[str] | None = None

    def __init__(self, info: Record) -> None:
        self._info = info
        self._class: type = get_origin(info.cls) or info.cls
        # msgspec writes all attributes of an attrs class with a __dict__, and all members of a dict
        is_complete = hasattr(info.cls, "__struct_fields__") or hasattr(info.cls, "__dataclass_fields__")
        self._is_complete = is_complete or (hasattr(info.cls, "__attrs_attrs__") and not info.cls.__dictoffset__)
        self._fields: list[_Field] = []
        self._nested: list[tuple[str, Shape]] = []

    def complete(self, fields: list[_Field]) -> None:
        """Set the fields, whose shapes may contain this one."""
        is_attrs = hasattr(self._info.cls, "__attrs_attrs__")
        self._fields = [field for field in fields if not (is_attrs and field.name.startswith("_"))]  # as msgspec does
        self._nested = [(field.name, field.shape) for field in self._fields if field.shape is not None]
        if not self._nested:
            self.exact = self._class if self._is_complete else None
            self.names = frozenset(field.written for field in fields)

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        shaped: dict[str, Any] = {}
        if kind is self._class and self._is_complete:
            shaped = {name: shape(getattr(value, name, None)) for name, shape in self._nested}
            if all(made is getattr(value, name, None) for name, made in shaped.items()):
                return value
        if (kind is dict and value.keys() == self.names) or isinstance(value, _SCALARS):
            return value
        written = dict(self._written(value, shaped))
        if isinstance(self._info, inspect.TypedDictType):  # whose fields are sorted
            written = {name: written[name] for name in value if name in written} if kind is dict else written
        is_array = isinstance(self._info, inspect.NamedTupleType) or getattr(self._info, "array_like", False)
        return [*written.values()] if is_array else written

    def _written(self, value: Any, shaped: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the members, read from a dict or a row by their names, or else from attributes. Nested values that are
        ``shaped`` already are not shaped again, which would take twice as long at each depth.
        """
        info: Any = self._info
        if getattr(info, "tag", None) is not None:
            yield info.tag_field or "", info.tag
        if isinstance(value, _ARRAYS) and not hasattr(type(value), "_fields"):
            raise NotDeclaredError(f"{type(value).__name__} is not {type_name(info.cls)}")
        is_mapping = _is_mapping(value)
        given: Any = value if not is_mapping or isinstance(value, Mapping) else dict(value)
        for name, written, shape, is_required, left_out in self._fields:
            if is_mapping:
                found = given[written] if written in given else given.get(name, NODEFAULT)
            else:
                found = getattr(given, name, NODEFAULT)
            if found is not NODEFAULT and (left_out is NODEFAULT or found != left_out):
                yield written, shaped[name] if name in shaped else found if shape is None else shape(found)
            elif found is NODEFAULT and is_required:
                raise NotDeclaredError(f"{type(value).__name__} has no {name!r}, which {type_name(info.cls)} has")


def _is_mapping(value: object) -> bool:
    return hasattr(type(value), "keys") and hasattr(type(value), "__getitem__")


def _model(cls: Any) -> Shape:
    """Return the shape of a Pydantic model, which writes nested models without the fields of subclasses."""

    def shape(value: Any) -> Any:
        if type(value) is cls:
            return value
        if isinstance(value, cls):
            return cls.__pydantic_serializer__.to_python(value, mode="json", by_alias=True)
        try:
            return cls.model_validate(value, from_attributes=True)
        except ValueError as error:
            errors = getattr(error, "errors", None)
            listed: Any = errors(include_input=False) if errors else ()  # values may be secret
            places = [f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in listed]
        raise NotDeclaredError(f"{type(value).__name__} is not {type_name(cls)}: {'; '.join(places)}")

    return shape


def _items(shape: Shape | None) -> Shape | None:
    """Return the shape of an array. Items that all have just the declared class need one comparison each."""
    if shape is None:
        return None
    exact, names = {getattr(shape, "exact", None)}, getattr(shape, "names", None)

    def shaped(value: Any) -> Any:
        if isinstance(value, _SCALARS):
            return value
        if _is_mapping(value) or not isinstance(value, Collection):
            raise NotDeclaredError(f"{type(value).__name__} is not a list")
        if exact.issuperset(map(type, value)):
            return value
        # Faster than a call for each dict.
        if names and not [
            each for each in value if type(each) is not dict or len(each) != len(names) or not names.issuperset(each)
        ]:
            return value
        return [*map(shape, value)]

    return shaped


def _places(shapes: list[Shape | None]) -> Shape | None:
    """Return the shape of an array whose items each have a type of their own."""
    if not any(shapes):
        return None

    def shaped(value: Any) -> Any:
        if isinstance(value, _SCALARS):
            return value
        if not isinstance(value, _ARRAYS) or len(value) != len(shapes):
            raise NotDeclaredError(f"{type(value).__name__} is not a tuple of {len(shapes)}")
        return [item if shape is None else shape(item) for shape, item in zip(shapes, value, strict=True)]

    return shaped


def _values(shape: Shape | None) -> Shape | None:
    """Return the shape of an object with any names."""
    if shape is None:
        return None

    def shaped(value: Any) -> Any:
        if isinstance(value, _SCALARS):
            return value
        if not _is_mapping(value):
            raise NotDeclaredError(f"{type(value).__name__} is not a dict")
        return {name: shape(item) for name, item in dict(value).items()}

    return shaped


class _UnionShape:
    """The shape of a union: that of a value's class or nearest base class, or else the one that keeps most of it."""

    def __init__(self, shapes: list[tuple[inspect.Type, Shape | None]]) -> None:
        self._shapes = shapes
        self._classes = {
            get_origin(kind.cls) or kind.cls: shape
            for kind, shape in shapes
            if isinstance(kind, Record | inspect.CustomType) and not isinstance(kind, inspect.TypedDictType)
        }

    def __call__(self, value: Any) -> Any:
        if isinstance(value, _SCALARS):
            return value
        for cls in type(value).__mro__:
            if cls in self._classes:
                shape = self._classes[cls]
                return value if shape is None else shape(value)
        return self._best(value)

    def _best(self, value: Any) -> Any:
        made: list[Any] = []
        reasons: list[str] = []
        for kind, shape in self._shapes:
            if shape is None:
                if _is_of(kind, value):
                    return value
                continue
            try:
                made.append(shape(value))
            except NotDeclaredError as error:
                reasons.append(str(error))
        if not made:
            raise NotDeclaredError("; ".join(reasons))
        return max(made, key=lambda each: len(each) if isinstance(each, Collection) else 0)


def _is_of(kind: inspect.Type, value: object) -> bool:
    """Return True if a value, which isn't a scalar, belongs to a type without fields of its own."""
    if isinstance(kind, inspect.DictType):
        return _is_mapping(value)
    if isinstance(kind, inspect.CollectionType | inspect.TupleType):
        return isinstance(value, _ARRAYS)
    try:
        return isinstance(value, cast(type, getattr(kind, "cls", NoneType)))
    except TypeError:  # a protocol that only type checkers understand
        return True
