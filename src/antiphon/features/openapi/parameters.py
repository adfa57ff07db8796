"""Parameters of an operation: from its path, query, cookies and headers."""

import re
from collections.abc import Iterator
from typing import Any, get_args

from msgspec import Meta

from antiphon.embedding import innermost
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import Named
from antiphon.features.openapi.code.methods import CONDITIONS
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.schemas import FILE, Direction, Schema, Schemas, defaults_of, with_width
from antiphon.types import Route

_bound = re.compile(r"(min|max)=([0-9]+)").findall
_LEFT_OUT = frozenset({"", "accept", "content-type", "authorization"})
"""Headers that OpenAPI describes elsewhere (§4.8.12.1)."""
_ANY_FIELDS: Schema = {
    "name": "fields", "in": "query", "required": False, "style": "form", "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}  # fmt: skip
"""Any fields of the query: an object that is exploded has no name there (OpenAPI 3.1 §4.8.12.4)."""
_BY_TYPE: dict[Any, Schema] = {
    int: {"type": "integer"}, float: {"type": "number"},
    bool: {"type": "boolean"}, str: {"type": "string"},
}  # fmt: skip


def path_parameter(name: str, converter: str, route: Route) -> Schema:
    """Return a path parameter, with its converter's schema and the description in the handler's annotation."""
    annotation = annotations.hints_of(innermost(route.handler)).get(name)
    told = [each.description for each in get_args(annotation)[1:] if isinstance(each, Meta) and each.description]
    described = {"description": told[0]} if told else {}
    return {"name": name, "in": "path", "required": True, **described, "schema": converter_schema(converter)}


def converter_schema(converter: str) -> Schema:
    """Return the schema of the values that a converter matches, such as ``int(max=9)``."""
    kind, _, argument = converter.partition("(")
    argument = argument.removesuffix(")")
    match kind:
        case "int":
            bounds = {key: int(value) for key, value in _bound(argument)}
            return with_width({"type": "integer", "minimum": bounds["min"], "maximum": bounds["max"]})
        case "float":
            return {"type": "number"}
        case "uuid":
            return {"type": "string", "format": "uuid"}
        case "any":
            return {"type": "string", "enum": argument.split(",")}
        case "re":
            return {"type": "string", "pattern": f"^(?:{argument})$"}
        case "str":
            return {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
        case "path":
            return {"type": "string", "minLength": 1, "pattern": "^[^/]"}
    return {"type": "string", "minLength": 1}


def other_parameters(contract: Contract, schemas: Schemas) -> Iterator[Schema]:
    """Yield the parameters in the query, cookies and headers."""
    hidden = {each.lower() for each in contract.hidden}
    seen = {(place, name) for place in ("query", "header", "cookie") for name in hidden}
    for each in (*_of_records(contract, schemas), *_of_names(contract), *_of_conditions(contract)):
        key = each["in"], each["name"].lower()
        if key not in seen:
            seen.add(key)
            yield each


def _of_records(contract: Contract, schemas: Schemas) -> Iterator[Schema]:
    """Yield the parameters that are fields of a query's or headers' types."""
    for read in contract.reads:
        if read.part not in ("query", "headers"):
            continue
        is_query = read.part == "query"
        side: Direction = "strict" if read.is_strict else "input"
        record, defaults = schemas.record(read.wanted, side, takes_null=is_query), defaults_of(read.wanted)
        for name, known in record.get("properties", {}).items():
            schema = dict(known) | ({"default": defaults[name]} if name in defaults else {})
            described = {"description": schema.pop("description")} if "description" in schema else {}
            required = name in record.get("required", ()) and 422 in read.refusals and read.is_always
            is_text = schema.get("type") in ("string", "array") and "format" not in schema
            place = {"name": name, "in": "query"} if is_query else {"name": _header_name(name), "in": "header"}
            empty = {"allowEmptyValue": True} if is_query and not (required or is_text) else {}
            if is_query or place["name"].lower() not in _LEFT_OUT:
                yield {**place, "required": required, **described, **empty, "schema": schema}


def _header_name(field: str) -> str:
    return "-".join(part.capitalize() for part in re.split("[-_]", field))


def _of_conditions(contract: Contract) -> Iterator[Schema]:
    """Yield the condition and range headers of reads to whose responses they are applied (RFC 9110 §13.1, §14.2)."""
    conditional = [each for each in contract.responses if each.is_conditional and contract.is_safe]
    names = [*CONDITIONS] if conditional else []
    names += ["Range", "If-Range"] if any(each.has_ranges for each in conditional) else []
    yield from ({"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in names)


def _of_names(contract: Contract) -> Iterator[Schema]:
    required = {(each.part, each.name.lower()) for each in contract.named if each.is_always}
    for each in contract.named:
        if each.part == "query" and not each.name:
            yield _ANY_FIELDS
        elif each.part in ("query", "cookie", "header") and each.name.lower() not in _LEFT_OUT:
            is_required = (each.part, each.name.lower()) in required
            schema = named_schema(each)
            used = {one.default for one in contract.named if (one.part, one.name) == (each.part, each.name)}
            if not is_required and len(used) == 1 and each.default is not None:
                schema["default"] = each.default
            yield {"name": each.name, "in": each.part, "required": is_required, "schema": schema}


def named_schema(each: Named) -> Schema:
    """Return the schema of a field that is read by name."""
    one = FILE if each.part == "files" else _BY_TYPE.get(each.kind, {"type": "string"})
    return {"type": "array", "items": dict(one)} if each.is_list else dict(one)
