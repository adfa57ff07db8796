"""A tool's arguments: the parameters, header fields and body of an operation of an OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon import explained
from antiphon.embedding import SAFE_METHODS
from antiphon.features.openapi.code.responses import JSON
from antiphon.features.openapi.operations import MERGE_PATCH, MULTIPART, URLENCODED
from antiphon.features.openapi.schemas import REFERENCE, Schema
from antiphon.types import Route

_TOGETHER = frozenset({
    "$schema", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
})  # fmt: skip
WHOLE_BODY = "body"
"""The name of the argument that is the whole body, if the body's fields can't be arguments."""


@dataclass(frozen=True)
class Argument:
    """A tool's argument: its place in the request, its name there, and its schema."""

    place: str
    """One of "path", "query", "header", "field" (of the body) and "body" (the whole body)."""
    name: str
    schema: Schema
    is_required: bool


_HEADERS = {
    "if-match": "The ETag of an earlier result; nothing is changed if there is a newer version.",
    "if-unmodified-since": "The Last-Modified of an earlier result; nothing is changed if there is a newer version.",
    "idempotency-key": "Text of your own, such as a UUID. A repeated call with the same text is carried out once.",
}
"""The header fields that are arguments of writes, such as ``if_match``, and their descriptions."""


def arguments_of(
    route: Route, method: str, operation: Mapping[str, Any], components: Mapping[str, Schema]
) -> tuple[dict[str, Argument], str | None, Schema]:
    """Return an operation's arguments by name, the media type of its body or None, and the keywords that restrict the
    body's fields together. Raises ValueError for a body that no arguments can make.
    """
    body, content_type, conditions = _body(route, operation, components)
    arguments = _joined(route, dict(_parameters(method, operation)), body)
    in_order = dict(sorted(arguments.items(), key=lambda item: item[1].place == "header"))
    return in_order, content_type, {} if WHOLE_BODY in arguments else conditions


def _parameters(method: str, operation: Mapping[str, Any]) -> Iterator[tuple[str, Argument]]:
    """Yield the parameters in the path and query, and a write's conditions and key. Other headers and cookies come from
    the client's request.
    """
    for each in operation.get("parameters", ()):
        field, is_required = each["name"].lower(), bool(each.get("required"))
        if each["in"] == "header" and field in _HEADERS and method not in SAFE_METHODS:
            schema = {"type": "string", "description": _HEADERS[field]}
            yield field.replace("-", "_"), Argument("header", field, schema, is_required and field.startswith("if-"))
        if each["in"] in ("path", "query"):
            schema = {**each.get("schema", {})}
            if "description" in each:
                schema["description"] = each["description"]
            yield each["name"], Argument(each["in"], each["name"], schema, is_required)


def _body(
    route: Route, operation: Mapping[str, Any], components: Mapping[str, Schema]
) -> tuple[dict[str, Argument], str | None, Schema]:
    """Return the arguments that make up the body, its media type, and the keywords that restrict its fields together.

    The arguments are its fields, or the whole body if the fields are unknown.
    """
    body = operation.get("requestBody", {})
    content = body.get("content", {})
    content_type = next((each for each in (JSON, MERGE_PATCH, URLENCODED) if each in content), None)
    if content_type is None:
        if body:
            kinds = ", ".join(content)
            what = "files" if MULTIPART in content else f"a body of {kinds}"
            raise explained("bad-tool", f"{route.handled_by} is a tool, but accepts {what}: use JSON")
        return {}, None, {}
    schema = content[content_type].get("schema", {})
    record, needed = resolved_in(schema, components), bool(body.get("required"))
    fields = record.get("properties")
    if not fields or record.get("type") != "object" or isinstance(record.get("additionalProperties"), dict):
        return {WHOLE_BODY: Argument("body", WHOLE_BODY, dict(schema), needed)}, content_type, {}
    required = record.get("required", ()) if needed else ()
    made = {name: Argument("field", name, dict(each), name in required) for name, each in fields.items()}
    return made, content_type, {name: each for name, each in {**record, **schema}.items() if name in _TOGETHER}


def _joined(route: Route, parameters: dict[str, Argument], body: dict[str, Argument]) -> dict[str, Argument]:
    """Return all arguments. If a body field has the same name as a parameter, the body becomes a single argument."""
    if not parameters.keys() & body.keys():
        return {**parameters, **body}
    if WHOLE_BODY in parameters:
        names = ", ".join(parameters.keys() & body.keys())
        raise explained("bad-tool", f"{route.handled_by} is a tool, and has two arguments each of the names {names}")
    required = [name for name, each in body.items() if each.is_required]
    schema: Schema = {"type": "object", "properties": {name: each.schema for name, each in body.items()}}
    whole = Argument("body", WHOLE_BODY, {**schema, "required": required}, bool(required))
    return {**parameters, WHOLE_BODY: whole}


def resolved_in(schema: Schema, components: Mapping[str, Schema], prefix: str = REFERENCE) -> Schema:
    """Return the schema that a reference points to."""
    while "$ref" in schema:
        schema = components[schema["$ref"].removeprefix(prefix)]
    return schema
