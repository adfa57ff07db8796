"""Reading and writing Pydantic models, if a program has any.

Such a program has imported Pydantic; other programs don't load it.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast, get_args, get_origin, get_type_hints

from msgspec import inspect

from antiphon.explanations import explained
from antiphon.http.errors import BadRequest, FaultBounds, FieldError, FieldProblemCode, HTTPError
from antiphon.serialization.faults import COUNTED, MISSING, UNKNOWN, Faults, Reason, not_one_of, step_to
from antiphon.serialization.json import decode_json
from antiphon.serialization.types import Decode, Record, parts, translated, type_name

_CODES: dict[str, FieldProblemCode] = {
    "decimal_max_places": "not_a_multiple", "decimal_max_digits": "out_of_range", "decimal_whole": "out_of_range",
    "date_past": "out_of_range", "date_future": "out_of_range", "datetime_past": "out_of_range",
    "datetime_future": "out_of_range", "finite_number": "not_a_number", "timezone_": "not_a_datetime",
    "int_": "not_an_integer", "float_": "not_a_number", "decimal_": "not_a_number", "string_type": "not_a_string",
    "bool_": "not_a_boolean", "list_type": "not_an_array", "tuple_type": "not_an_array", "set_type": "not_an_array",
    "json_type": "not_a_string",
    "dict_type": "not_an_object", "model_": "not_an_object", "dataclass_": "not_an_object",
    "datetime_": "not_a_datetime", "date_": "not_a_date", "time_delta_": "not_a_duration", "time_": "not_a_time",
    "uuid_": "not_a_uuid", "enum": "not_a_choice", "literal_error": "not_a_choice", "union_tag_": "not_a_choice",
    "greater_than": "out_of_range", "less_than": "out_of_range", "multiple_of": "not_a_multiple",
    "string_too_short": "too_short", "string_too_long": "too_long", "too_short": "too_few", "too_long": "too_many",
    "string_pattern_mismatch": "pattern_mismatch",
}  # fmt: skip
"""Antiphon's codes by the prefixes of Pydantic's codes; the first match is used."""
_BOUNDS = {
    "ge": "min", "le": "max", "gt": "above", "lt": "below", "min_length": "min", "max_length": "max",
    "multiple_of": "multiple_of", "pattern": "pattern",
}  # fmt: skip

_CHOICE = re.compile(r"'([^'\\\\]+)'|(-?\d+)")
_CHOICES = re.compile(rf"(?:(?:{_CHOICE.pattern})(?:, | or |$))+")

_SEARCHED = 16 << 10
"""The number of bytes of JSON in which Pydantic collects every fault."""
_NO_SCHEMAS = frozenset(("default", "metadata", "serialization"))
_INVALID = {"type": "custom-error", "custom_error_type": "invalid", "custom_error_message": "Is invalid"}

_KEPT = 256
"""The number of types of which it is known whether they have a model."""
_OTHERS = frozenset(("annotated_types", "pydantic"))
"""The packages with bounds that msgspec doesn't read."""


def is_model(kind: object) -> bool:
    """Return True for a Pydantic model: a subclass of BaseModel, or a Pydantic dataclass."""
    return isinstance(kind, type) and hasattr(kind, "__pydantic_validator__")


def has_model(wanted: object) -> bool:
    """Return True if a type is a Pydantic model, or contains one."""
    if "pydantic" not in sys.modules:
        return False
    try:
        return _has_model(wanted)
    except TypeError:
        return _has_model.__wrapped__(wanted)  # some types can't be hashed


@lru_cache(_KEPT)
def _has_model(wanted: Any) -> bool:
    try:
        info = translated(wanted)
    except Exception:  # unreadable in any case, and refused later
        return False
    return any(is_model(getattr(part, "cls", None)) for _, part in parts("", info))


def check_bounds_are_read(wanted: object, info: inspect.Type) -> None:
    """Raise TypeError for bounds from Pydantic, or from its annotated_types, outside models: nothing would check
    them.
    """
    if _OTHERS.isdisjoint(sys.modules):
        return
    _check_hint(type_name(wanted), wanted)
    for _, part in parts("", info):
        if isinstance(part, Record) and not is_model(part.cls):
            hints = get_type_hints(get_origin(part.cls) or part.cls, include_extras=True)
            for field in part.fields:
                place = f"{type_name(part.cls)}.{field.name}"
                _check_hint(place, hints.get(field.name))
                _check_declaration(place, field.default)


def check_is_no_model(kind: type) -> None:
    """Raise TypeError for a Pydantic dataclass that is read from text, because its bounds and validators would be
    ignored.
    """
    if is_model(kind):
        raise explained(
            "unreadable-type",
            f"{type_name(kind)} is a dataclass of Pydantic, which only json_as reads: for a form or query, write a"
            " dataclass of the standard library, with bounds such as Annotated[int, msgspec.Meta(ge=0)]",
            TypeError,
        )


def _check_hint(place: str, hint: object) -> None:
    for each in getattr(hint, "__metadata__", ()):
        _check_declaration(place, each)
    for part in get_args(hint):
        _check_hint(place, part)


def _check_declaration(place: str, declared: object) -> None:
    package = type(declared).__module__.partition(".")[0]
    if package in _OTHERS:
        raise explained(
            "unreadable-type",
            f"{place}: {declared!r:.80} of {package} has no effect outside Pydantic models: write"
            " Annotated[..., msgspec.Meta(ge=0, max_length=9)]",
            TypeError,
        )


def model_reader(wanted: Any) -> tuple[Decode, inspect.Type]:
    """Return a function that decodes JSON as a type with models, and a description of the type.

    The function raises BadRequest for malformed JSON, and UnprocessableContent with each invalid field; in JSON with
    more than ``_SEARCHED`` bytes or ``COUNTED`` faults, with the first invalid item of each array, and invalid dicts.
    """
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(wanted)

    def decode(text: bytes) -> Any:
        value = decode_json(text, sys.maxsize)  # Pydantic's own parser accepts NaN; the depth has been checked
        found: Any = ()
        cause: ValidationError | None = None
        if len(text) <= _SEARCHED:
            try:
                return adapter.validate_json(text)
            except ValidationError as error:
                cause = error.with_traceback(None)
                if error.error_count() <= COUNTED:
                    found = error.errors(include_url=False, include_input=False)
        faults = Faults()
        if not found:
            faults.stopped = True
            try:
                return stopping_early().validate_json(text)
            except ValidationError as error:
                cause = error.with_traceback(None)
                found = error.errors(include_url=False, include_input=False)
        raise _refused(found, value, faults) from cause

    @lru_cache(1)
    def stopping_early() -> Any:
        from pydantic_core import SchemaValidator

        create: Any = SchemaValidator
        schema = _stopping_early(adapter.core_schema)
        try:  # without the models' own validators, which don't stop
            return create(schema, _use_prebuilt=False)
        except TypeError:  # before Pydantic 2.13
            return create(schema)

    return decode, inspect.CustomType(wanted)


def _stopping_early(schema: Any) -> Any:
    """Return a schema of pydantic-core that stops at the first invalid item of an array, and has one fault for a dict.

    Without it, each two bytes of JSON cause a fault for each field of a model.
    """
    if isinstance(schema, list | tuple):
        return type(schema)([_stopping_early(each) for each in schema])
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str):  # schemas by the names of fields or the tags of a union
        return {name: _stopping_early(each) for name, each in schema.items()}
    copied = {name: each if name in _NO_SCHEMAS else _stopping_early(each) for name, each in schema.items()}
    if kind in ("list", "tuple", "set", "frozenset"):
        copied["fail_fast"] = True
    for name in {"values_schema", "extras_schema"} & copied.keys():
        copied[name] = _INVALID | {"schema": copied[name]}
    return _INVALID | {"schema": copied} if kind == "dict" else copied


def _refused(errors: Sequence[Mapping[str, Any]], value: object, faults: Faults) -> HTTPError:
    if errors[0]["type"] == "json_invalid" and not errors[0]["loc"]:
        return BadRequest(f"the JSON can't be read: {errors[0]['ctx']['error']}")
    for each in errors:
        if faults.full:
            break
        pointer = _pointer(each["loc"], value, is_missing=each["type"] == "missing")
        raised = each.get("ctx", {}).get("error")
        if isinstance(raised, FieldError):
            faults.add_listed(pointer, raised)
        else:
            faults.add(pointer, _reason(each))
    return faults.error()


def _pointer(location: Sequence[Any], value: Any, *, is_missing: bool) -> str:
    """Return the JSON Pointer (RFC 6901) to a field, without Pydantic's additions: type names, tags and keys."""
    pointer = ""
    for at, step in enumerate(location):
        is_item = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if is_item or (isinstance(value, dict) and step in value):
            value = value[step]
        elif not (is_missing and at == len(location) - 1):
            continue
        pointer += step_to(str(step))
    return pointer


def _reason(error: Mapping[str, Any]) -> Reason:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("missing", "extra_forbidden"):
        return MISSING if kind == "missing" else UNKNOWN
    if kind in ("value_error", "assertion_error") and "error" in context:
        return Reason(str(context["error"]))
    known: list[FieldProblemCode] = [code for start, code in _CODES.items() if kind.startswith(start)]
    code: FieldProblemCode = known[0] if known else "invalid"
    bounds = {name: context[key] for key, name in _BOUNDS.items() if isinstance(context.get(key), int | float | str)}
    if "decimal_places" in context:
        bounds["multiple_of"] = float(f"1e-{context['decimal_places']}")
    expected = context.get("expected") or context.get("expected_tags") or ""
    if code == "not_a_choice" and _CHOICES.fullmatch(expected):  # otherwise a value has a quote or is another's text
        choices = [text or int(number or 0) for text, number in _CHOICE.findall(expected)]
        bounds |= not_one_of(choices).bounds
    message = error["msg"]
    return Reason(
        message[:1].lower() + message[1:] if message[1:2].islower() else message, code, cast(FaultBounds, bounds)
    )
