"""JSON Schema of the types that handlers read and return, made by msgspec, in the form that client generators need."""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import MISSING
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, TypeAlias, get_origin, is_typeddict
from uuid import UUID

import msgspec

from antiphon import Upload
from antiphon.embedding import TypeDescription
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import Read
from antiphon.features.openapi.code.objects import is_problem
from antiphon.features.openapi.code.values import (
    UNKNOWN,
    Either,
    Fields,
    Items,
    Known,
    Of,
    Statuses,
    Stream,
    Tuple,
    Value,
    alternatives,
)

Schema: TypeAlias = dict[str, Any]
Direction: TypeAlias = Literal["input", "strict", "output"]
"""The use of a type: in requests, in requests without members that it doesn't declare, or in responses."""
DIRECTIONS: tuple[Direction, ...] = ("input", "strict", "output")

PROBLEM_NAME = "Problem"
"""The name of the component for problem details. No type of an application gets this name."""
REFERENCE = "#/components/schemas/"
FILE: Schema = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
_SIMPLE = frozenset({"string", "integer", "number", "boolean", "array", "object"})


def leaf_types(value: Value) -> Iterator[Any]:
    """Yield the types that a value consists of."""
    match value:
        case Of(kind) if not is_problem(value):
            yield kind
        case Known(held) if held is not None and not isinstance(held, str | int | float | bool):
            yield type(held)
        case Fields(items):
            for _, each in items:
                yield from leaf_types(each)
        case Items(item) | Stream(item):
            yield from leaf_types(item)
        case Tuple(items) | Either(items):
            for each in items:
                yield from leaf_types(each)


class Schemas:
    """The schemas of all types in one document.

    Records are in ``components``, by name. A type has two schemas if it is used in requests and in responses and has
    fields that a request may omit, since responses always contain them, and a third if a request is ``strict``: if it
    is refused for members that the type doesn't declare.
    """

    def __init__(self, inputs: Iterable[Any], outputs: Iterable[Any], strict: Iterable[Any] = ()) -> None:
        self.undescribed: list[tuple[Any, str]] = []
        """The types without a schema, and the reasons."""
        self._types: dict[Any, Any] = {}
        wanted: list[Any] = []
        kinds: dict[Direction, list[Any]] = {"input": [*inputs], "strict": [*strict], "output": [*outputs]}
        models = {side: self._of_models(several, side) for side, several in kinds.items()}
        self._raw_of_models = {side: schemas for side, (schemas, _) in models.items()}
        sides = {side: self._described(several, wanted, side) for side, several in kinds.items()}
        made, raw = TypeDescription.schemas_of(wanted, _schema_hook, f"{REFERENCE}{{name}}")
        self._raw = dict(zip(map(_key, wanted), made, strict=True))
        optional = {_named_in(each): _may_lack(kind) for kind, each in zip(wanted, made, strict=True) if "$ref" in each}
        both: dict[Direction, dict[str, Schema]] = {}
        for side in DIRECTIONS:
            reachable = reached([self._raw[_key(kind)] for kind in sides[side]], raw)
            both[side] = {
                name: _prepared(raw[name], optional.get(name, frozenset()), side == "output") for name in reachable
            }
            if side == "strict":
                both[side] = {name: _closed(each) for name, each in both[side].items()}
            both[side] |= {
                name: _prepared(each, frozenset(), side == "output") for name, each in models[side][1].items()
            }
        names = _readable_names(raw | {name: each for side in DIRECTIONS for name, each in models[side][1].items()})
        self._names = _names_by_side(names, both)
        self.components: dict[str, Schema] = {}
        self._added: dict[str, tuple[str, Schema]] = {}
        for side in DIRECTIONS:
            for raw_name, schema in both[side].items():
                name = self._names[side][raw_name]
                self.components[name] = {**self._renamed(schema, side), "title": name}

    def _described(self, kinds: list[Any], wanted: list[Any], side: Direction) -> list[Any]:
        """Return the types that can be described, adding them and the records inside them to ``wanted``."""
        found = []
        for kind in {_key(each): each for each in kinds}.values():
            if kind is Any or kind is object or kind is annotations.NOT_SAID:
                continue
            description = TypeDescription(kind, Upload)
            if description.has_model:
                continue
            try:
                description.check(is_read=side != "output")
                TypeDescription.schemas_of([kind], _schema_hook, REFERENCE)
            except Exception as error:  # an application's type may raise anything
                if side == "output" and _written_like(kind) is not None:
                    continue
                if all(kind is not known for known, _ in self.undescribed):
                    self.undescribed.append((kind, str(error)))
                continue
            found.append(kind)
            for each in (kind, *description.records):
                if _key(each) not in self._types:
                    self._types[_key(each)] = each
                    wanted.append(each)
        return found

    def _of_models(self, kinds: list[Any], side: Direction) -> tuple[dict[Any, Schema], dict[str, Schema]]:
        """Return the schemas of types that contain Pydantic models, and the components that they refer to."""
        found = {_key(kind): kind for kind in kinds if TypeDescription(kind).has_model}
        if not found:
            return {}, {}
        from antiphon.features.openapi.model_schemas import schemas_of_models

        schemas, components, refused = schemas_of_models(found, side != "output", REFERENCE)
        for key, reason in refused.items():
            if all(found[key] is not known for known, _ in self.undescribed):
                self.undescribed.append((found[key], reason))
        return schemas, components

    def add(self, name: str, schema: Schema) -> Schema:
        """Return a reference to a component with this schema, which is added only once."""
        known = next((each for each, one in self._added.items() if one == (name, schema)), None)
        if known is None:
            known = _untaken(name, {_as_class(each) for each in (PROBLEM_NAME, *self.components)})
            self._added[known] = name, schema
            self.components[known] = {**schema, "title": known}
        return {"$ref": f"{REFERENCE}{known}"}

    # Schemas by value and by type

    def of(self, value: Value, direction: Direction) -> Schema:
        """Return a value's schema, or the empty schema, which allows any value, if nothing is known about it."""
        match value:
            case Of() if is_problem(value):
                return {"type": "object"}
            case Of(kind):
                return self.of_type(kind, direction)
            case Known(None):
                return {"type": "null"}
            case Known(held):
                return self.of_type(type(held), direction)
            case Fields(items):
                properties = {name: self.of(each, direction) for name, each in items}
                return {
                    "type": "object",
                    "properties": properties,
                    **({"required": [*properties]} if properties else {}),
                }
            case Items(item, kind) if kind is dict:
                schema = self.of(item, direction)
                return {"type": "object", **({"additionalProperties": schema} if schema else {})}
            case Items(item):
                return {"type": "array", "items": {} if not alternatives(item) else self.of(item, direction)}
            case Tuple(items):
                prefixed = [self.of(each, direction) for each in items]
                return {"type": "array", "prefixItems": prefixed, "minItems": len(items), "maxItems": len(items)}
            case Statuses():
                return {"type": "integer"}
            case Either(values):
                return self._any_of([self.of(each, direction) for each in values if each is not UNKNOWN], values)
        return {}

    def _any_of(self, schemas: list[Schema], values: tuple[Value, ...]) -> Schema:
        if any(each is UNKNOWN for each in values) or {} in schemas:
            return {}
        several = [each for at, each in enumerate(schemas) if each not in schemas[:at]]
        return several[0] if len(several) == 1 else _without_null_choice({"anyOf": several})

    def of_type(self, kind: Any, direction: Direction) -> Schema:
        """Return a type's schema, or the empty schema if it has none."""
        raw = self._raw.get(_key(kind), self._raw_of_models[direction].get(_key(kind)))
        if raw is None:
            raw = _PLAIN.get(kind) or _written_like(kind)
        return {} if raw is None else self._renamed(_prepared(raw, frozenset(), direction == "output"), direction)

    def record(self, kind: Any, direction: Direction = "input", *, takes_null: bool = False) -> Schema:
        """Return the schema for a form or a query: an object without null fields, since text is never null.

        With ``takes_null``, an optional field whose type is not text also accepts ``null`` as None.
        """
        schema = self._resolved(self.of_type(kind, direction))
        for name, each in schema.get("properties", {}).items():
            is_text = each.get("type") == ["string", "null"] and not each.keys() & {"enum", "format"}
            if not takes_null or is_text or name in schema.get("required", ()):
                schema["properties"][name] = _without_null(each)
        return schema

    def merge_patch(self, kind: Any, direction: Direction) -> Schema:
        """Return the schema for a merge patch of a type (RFC 7396): any of its members, and null to remove one."""
        schema = self._resolved(self.of_type(kind, direction))
        if "properties" not in schema:
            return {"type": "object"} if schema.get("type") == "object" else {}
        required = schema.pop("required", ())
        for name, each in schema["properties"].items():
            choices = [self._open(choice) for choice in each.get("anyOf", (each,))]
            if name not in required and _NULL not in choices and "null" not in choices[0].get("type", ()):
                choices.append(_NULL)
            schema["properties"][name] = choices[0] if len(choices) == 1 else _without_null_choice({"anyOf": choices})
        schema.pop("title", None)
        return schema

    def _open(self, schema: Schema) -> Schema:
        """Return the schema for a change of a value: any members of an object, or the whole value."""
        return {"type": "object"} if self._resolved(schema).get("type") == "object" else schema

    def _resolved(self, schema: Schema) -> Schema:
        """Return a copy of a schema, or of the component to which it refers."""
        while "$ref" in schema:
            schema = self.components[schema["$ref"].removeprefix(REFERENCE)]
        return deepcopy(schema)

    def json_fields(self, read: Read) -> list[str]:
        """Return the names of a form's fields that are JSON."""
        if read.part != "form" or _key(read.wanted) not in self._types:
            return []
        fields = TypeDescription(read.wanted).fields
        return [each.encode_name for each in fields if TypeDescription(each.type).is_json]

    def _renamed(self, schema: Any, direction: Direction) -> Any:
        """Return a schema whose references use the document's names."""
        if isinstance(schema, list):
            return [self._renamed(each, direction) for each in schema]
        if not isinstance(schema, dict):
            if isinstance(schema, str) and schema.startswith(REFERENCE):
                return REFERENCE + self._names[direction][schema.removeprefix(REFERENCE)]
            return schema
        return {key: self._renamed(each, direction) for key, each in schema.items()}


_INTEGER: Schema = {"type": "integer"}
_NULL: Schema = {"type": "null"}
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"}, int: _INTEGER, float: {"type": "number"}, bool: {"type": "boolean"}, bytes: FILE,
    dict: {"type": "object"}, list: {"type": "array"}, type(None): {"type": "null"},
}  # fmt: skip
"""The schemas for the components of responses without annotations."""


def _written_like(kind: Any) -> Schema | None:
    """Return the schema of the built-in class as which a class that inherits from it is written, or None."""
    cls = annotations.class_of(kind)
    if cls is None or cls in _PLAIN or hasattr(cls, "_fields") or is_typeddict(cls):
        return None
    return next((_PLAIN[like] for base, like in _LIKE.items() if issubclass(cls, base)), None)


_LIKE: dict[type, type] = {str: str, int: int, float: float, Mapping: dict, list: list, deque: list, AbstractSet: list}


def _schema_hook(kind: type) -> Schema:
    if issubclass(kind, Upload):
        return dict(FILE)
    raise NotImplementedError(kind)


def _key(kind: Any) -> Any:
    """Return a type's key: the type itself, or its identity if it isn't hashable."""
    try:
        hash(kind)
    except TypeError:
        return id(kind)
    return (kind, repr(kind)) if get_origin(kind) is Literal else kind  # Literal[1] equals Literal[True]


def _named_in(schema: Schema) -> str:
    return str(schema["$ref"]).removeprefix(REFERENCE)


def _may_lack(kind: Any) -> frozenset[str]:
    """Return the names of the fields that even a response may omit."""
    cls = annotations.class_of(kind)
    if cls is None:
        return frozenset()
    omits = is_typeddict(cls) or getattr(getattr(cls, "__struct_config__", None), "omit_defaults", False)
    declared = getattr(cls, "__dataclass_fields__", {})
    set_later = {name for name, each in declared.items() if not each.init and each.default_factory is MISSING}
    return frozenset(
        each.encode_name
        for each in TypeDescription(kind).fields
        if (omits and not each.required) or each.default is msgspec.UNSET or each.name in set_later
    )


def defaults_of(kind: Any) -> dict[str, Any]:
    """Return the defaults of a record's fields that are text, numbers, choices and the like, as they are written."""
    cls = annotations.class_of(kind)
    if cls is not None and hasattr(cls, "model_fields"):
        fields = [(each.alias or name, each.default) for name, each in cls.model_fields.items()]
    else:
        fields = [(each.encode_name, each.default) for each in TypeDescription(kind).fields]
    written = {name: msgspec.to_builtins(default) for name, default in fields if isinstance(default, _SCALARS)}
    return {name: value for name, value in written.items() if value is not None}


_SCALARS = (str, int, float, bool, Decimal, Enum, date, timedelta, UUID)


def reached(schemas: list[Schema], components: Mapping[str, Schema]) -> list[str]:
    """Return the names of the components that schemas refer to, directly or indirectly."""
    ahead, found = [*schemas], dict[str, None]()
    while ahead:
        for name in _references(ahead.pop()):
            if name not in found:
                found[name] = None
                ahead.append(components[name])
    return [*found]


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, each in schema.items():
            if key == "$ref":
                yield each.removeprefix(REFERENCE)
            else:
                yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _split_names(inputs: Mapping[str, Schema], outputs: Mapping[str, Schema]) -> set[str]:
    """Return the components that differ between requests and responses, either themselves or through a component that
    they refer to.
    """
    common = inputs.keys() & outputs.keys()
    split = {name for name in common if inputs[name] != outputs[name]}
    while True:
        more = {name for name in common - split if split.intersection(_references(inputs[name]))}
        if not more:
            return split
        split |= more


def _readable_names(raw: Mapping[str, Schema]) -> dict[str, str]:
    """Return names without characters that OpenAPI doesn't allow: ``Page_Item`` for ``Page[Item]``."""
    readable = {name: _readable(schema.get("title", name)) for name, schema in raw.items()}
    taken = Counter(readable.values())
    return {name: each if each and taken[each] == 1 else name for name, each in readable.items()}


def _names_by_side(
    names: Mapping[str, str], sides: Mapping[Direction, Mapping[str, Schema]]
) -> dict[Direction, dict[str, str]]:
    """Return the names of components in requests and in responses.

    Client generators turn them into class names, so names that differ only in case and underscores are treated as
    equal.
    """
    taken = {_as_class(PROBLEM_NAME)}
    output = {raw: _untaken(name, taken) for raw, name in names.items()}
    split = _split_names(sides["input"], sides["output"])
    both = output | {raw: _untaken(f"{names[raw]}Input", taken) for raw in sorted(split)}
    split = _split_names(sides["strict"], {**sides["output"], **sides["input"]})
    strict = both | {raw: _untaken(f"{names[raw]}Strict", taken) for raw in sorted(split)}
    return {"output": output, "input": both, "strict": strict}


def _closed(schema: Schema) -> Schema:
    """Return the schema of a record, without other members."""
    is_record = schema.get("type") == "object" and "additionalProperties" not in schema
    return {**schema, "additionalProperties": False} if is_record else schema


def _untaken(name: str, taken: set[str]) -> str:
    """Return a name, adding a number if it is already taken, and add it to the taken names."""
    found, count = name, 1
    while _as_class(found) in taken:
        count += 1
        found = f"{name}_{count}"
    taken.add(_as_class(found))
    return found


def _as_class(name: str) -> str:
    return name.replace("_", "").lower()


def _readable(title: str) -> str:
    return "_".join(re.findall(r"\w+", re.sub(r"(?:\w+\.)+", "", title)))


# Adjustments for client and test generators


def _prepared(schema: Any, may_lack: frozenset[str], is_output: bool) -> Any:
    """Return a schema without defaults, and with null as one of its types if it is simple.

    In responses, all fields that a response always has are required.
    """
    if isinstance(schema, list):
        return [_prepared(each, frozenset(), is_output) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    for key, each in schema.items():
        if key == "items" and each is False:
            continue  # a tuple's maxItems means the same to generators that reject an empty schema
        if key == "properties":
            made[key] = {name: _prepared(one, frozenset(), is_output) for name, one in each.items()}
        elif key in ("examples", "enum", "mapping", "required"):
            made[key] = each
        elif key == "pattern":
            made[key] = each.replace(_NOT_EMPTY, "")
        elif key != "default":
            made[key] = _prepared(each, frozenset(), is_output)
    required = (
        [name for name in made.get("properties", ()) if name not in may_lack] if is_output else schema.get("required")
    )
    if made.get("format") == "decimal":
        made = _decimal(made, is_output)
    if "enum" in made and "type" not in made:
        made = _with_types(made)
    made = with_width(made)
    if "properties" in made or "required" in made:
        made.pop("required", None)
        if required:
            made["required"] = required
    return _without_null_choice(made)


def with_width(schema: Schema) -> Schema:
    """Return the schema with the format int64 if it is one of integers with such a bound: without it, openapi-generator
    makes 32 bits of them in Go and Java.
    """
    bounds = [schema.get(each, 0) for each in _OF_NUMBERS[:4]]
    is_wide = "integer" in schema.get("type", ()) and 2**31 <= max(map(abs, bounds)) <= 2**63
    return {**schema, "format": "int64"} if is_wide else schema


_CHOICES = {str: "string", int: "integer", type(None): "null"}


def _with_types(schema: Schema) -> Schema:
    """Return choices together with their types, a separate choice for each type: client generators drop choices of
    mixed types. For choices without types, they write code that doesn't compile.
    """
    choices = schema["enum"]
    kinds = [*dict.fromkeys(map(type, choices))]
    if not {*kinds} <= {*_CHOICES}:
        return schema
    names = [name for kind, name in _CHOICES.items() if kind in kinds]
    if names[1:] in ([], ["null"]):
        return {**schema, "type": names if names[1:] else names[0]}
    apart = [{"type": _CHOICES[kind], "enum": [each for each in choices if type(each) is kind]} for kind in kinds]
    return {**{key: each for key, each in schema.items() if key != "enum"}, "anyOf": apart}


_DECIMAL = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$"
_OF_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_NOT_EMPTY = "(?!^[-+.]*$)"
"""The lookahead in Pydantic's patterns for Decimals. Generators for Go and Rust refuse patterns with lookaheads."""


def _decimal(schema: Schema, is_output: bool) -> Schema:
    """Return the schema for a Decimal, which is read from a string, or also a number, and written as a string.

    It has no format, because openapi-generator makes a float64 from ``decimal`` in Go, which can't read a string.
    """
    left_out = (*_OF_NUMBERS, "format") if is_output else ("format",)
    made = {key: each for key, each in schema.items() if key not in left_out}
    return {**made, "type": "string"} if is_output else {"pattern": _DECIMAL, **made}


def _without_null_choice(schema: Schema) -> Schema:
    """Return ``{"type": ["string", "null"]}`` instead of a choice between the two."""
    choices = schema.get("anyOf", ())
    others = [each for each in choices if each != {"type": "null"}]
    if len(others) != 1 or len(choices) != 2:
        return schema
    (only,) = others
    rest = {key: each for key, each in schema.items() if key != "anyOf"}
    kinds = [only.get("type")] if isinstance(only.get("type"), str) else only.get("type", ())
    if kinds and _SIMPLE.issuperset(kinds) and not rest.keys() & only.keys():
        nullable = {**only, **rest, "type": [*kinds, "null"]}
        return {**nullable, "enum": [*nullable["enum"], None]} if "enum" in nullable else nullable
    return {**rest, "enum": [*only["enum"], None]} if set(only) == {"enum"} else schema


def _without_null(schema: Schema) -> Schema:
    made = dict(schema)
    if isinstance(made.get("type"), list):
        kinds = [each for each in made["type"] if each != "null"]
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in made:
        made["enum"] = [each for each in made["enum"] if each is not None]
    if "anyOf" in made:
        choices = [each for each in made["anyOf"] if each != {"type": "null"}]
        rest = {key: each for key, each in made.items() if key != "anyOf"}
        made = {**choices[0], **rest} if len(choices) == 1 else {**rest, "anyOf": choices}
    return made
