"""One operation in the document: the input and responses of one of a path's methods."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from antiphon import Limits
from antiphon.embedding import Added, RouteKeys, TypeDescription, http_error, innermost, is_async
from antiphon.features.openapi.code.findings import Read
from antiphon.features.openapi.code.responses import ANY, BYTES, EVENTS, JSON, NDJSON, PROBLEM
from antiphon.features.openapi.code.values import NONE, TEXT, Fields, Known, Of, Problem, Stream, Value
from antiphon.features.openapi.contract import Contract, Failure
from antiphon.features.openapi.parameters import named_schema, other_parameters, path_parameter
from antiphon.features.openapi.responses import Given
from antiphon.features.openapi.schemas import FILE, PROBLEM_NAME, REFERENCE, Direction, Schema, Schemas

_FORMS = URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
MERGE_PATCH = "application/merge-patch+json"

_LOCATION: Schema = {"type": "string", "format": "uri-reference"}
_OF_HTTP = re.compile(
    "(access-control|cache|content|cross-origin)-.*|age|etag|(permissions|referrer)-policy|set-cookie|signature(-input)?"
    "|strict-transport-security|vary|x-content-type-options|x-frame-options"
)
"""The header fields that browsers, caches and libraries make use of, not clients' code: documents don't have them if a
feature adds them.
"""
_SPELLED = {"www": "WWW", "etag": "ETag", "ratelimit": "RateLimit"}
_PART_NAMES: Schema = {"pattern": r"^[^\x00]*$"}
"""Field names allowed in a part's header: line breaks are percent-encoded."""
_EVENT: Schema = {
    "description": 'An event; one named "error", with problem details, if the stream fails.',
    "type": "object",
    "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "retry": {"type": "integer"}},
}
_POINTER: Schema = {"type": "string", "format": "json-pointer"}
_JSON_PATCH: Schema = {
    "description": "Operations that change a value, in order (RFC 6902).",
    "type": "array",
    "maxItems": Limits.patch_operations,
    "items": {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": _POINTER,
            "from": {**_POINTER, "description": "The source of move and copy."},
            "value": {"description": "The value of add, replace and test."},
        },
        "required": ["op", "path"],
    },
}
_ALSO_IN_PARTS = f"The fields of a form are also read from {MULTIPART}."
"""A note instead of a second media type, because client generators choose badly between two for one form."""
_ALWAYS = {401: "www-authenticate"}
"""The headers that errors always have, by status."""


def operation(contract: Contract, parameters: dict[str, str], schemas: Schemas) -> Schema:
    """Return a method's operation, without its id, tags and security."""
    made = _described(contract)
    found = [path_parameter(name, converter, contract.route) for name, converter in parameters.items()]
    found += other_parameters(contract, schemas)
    body = _request_body(contract, schemas) if contract.has_content else {}
    has_form = any(each in body.get("content", ()) for each in _FORMS)
    for name, parameter in [_parameter_of(each, has_form=has_form) for each in contract.added if each.parameter]:
        # The handler may read it, too.
        found = [*[each for each in found if each["name"].lower() != name.lower()], parameter]
    if found:
        made["parameters"] = found
    if body:
        made["requestBody"] = body
    made["responses"] = _responses(contract, schemas)
    return made


def _parameter_of(added: Added, *, has_form: bool) -> tuple[str, Schema]:
    """Return the name of a header field that a feature reads, and its parameter."""
    name, schema = added.parameter or ("", {})
    is_in_field = has_form and added.form_field is not None
    told = {"description": f"A form may have it in its field `{added.form_field}`."} if is_in_field else {}
    required = not (is_in_field or added.is_optional)
    return name, {"name": name, "in": "header", **told, "required": required, "schema": dict(schema)}


def _described(contract: Contract) -> Schema:
    """Return the summary (the first paragraph of the handler's docstring) and the description (the rest)."""
    handler = innermost(contract.route.handler)
    text = cleandoc(getattr(handler, "__doc__", None) or "") if hasattr(handler, "__code__") else ""
    first, _, rest = text.partition("\n\n")
    summary = " ".join(first.split())
    made: Schema = {}
    if summary:
        made["summary"] = summary.removesuffix(".")
    if rest.strip():
        made["description"] = rest.strip()
    if getattr(handler, "__deprecated__", None) is not None:
        made["deprecated"] = True
    return made


# Errors that the framework itself handles


def expect(contract: Contract, *, has_parameters: bool, has_hosts: bool, refuses_other_sites: bool) -> None:
    """Add the errors that the framework handles, and the changes to all responses by code after the handler."""
    route, is_safe = contract.route, contract.is_safe
    if has_hosts:
        contract.fail(421, "This application does not serve this host.")
    if has_parameters:
        contract.fail(404, None)
    for read in contract.reads:
        _expect_refusals(contract, read)
    if any(each.is_required and each.part in ("query", "cookie", "header") for each in contract.named):
        contract.fail(400, None)
    for part, status, detail in (("form", 400, None), ("files", 422, _REFUSED[422])):
        if contract.has_content and any(each.is_required and each.part == part for each in contract.named):
            contract.fail(status, detail)
    if refuses_other_sites and not is_safe:
        contract.fail(403, "A page on another site may not write here.")
    if route.meta.get(RouteKeys.check_digest):
        contract.fail(400, "The body does not have its Content-Digest.")
    if route.signed_url:
        contract.fail(403, "The URL is not signed.")
        contract.fail(410, "The URL has expired.")
    if route.deadline is not None and is_async(route.handler):
        contract.fail(504, "The response took too long.")
    contract.apply_changes()


def _expect_refusals(contract: Contract, read: Read) -> None:
    """Record the errors for a body or a query that can't be read."""
    told = _REFUSED_PARAMETERS.get(read.part)
    if told or contract.has_content:
        for status in read.refusals:
            contract.fail(
                status, told or _REFUSED[status], **(_OF_PATCHES.get(status, {}) if read.part == "patch" else {})
            )


_REFUSED_PARAMETERS = {"query": "A parameter of the query is not valid.", "headers": "A header is not valid."}
_REFUSED = {
    400: "The body is malformed.", 413: "The body is too large.",
    415: "The body has an unsupported media type or content coding.",
    409: "The patch does not fit the current value.", 422: "A field is not valid.",
}  # fmt: skip
_OF_PATCHES: Mapping[int, Mapping[str, Any]] = {
    409: {"members": Fields((("operation", Of(int)),))},
    415: {"headers": ("accept-patch",)},
}


# The body


def _request_body(contract: Contract, schemas: Schemas) -> Schema:
    content: Schema = {}
    required = False
    for read in contract.reads:
        side: Direction = "strict" if read.is_strict else "input"
        if read.part == "json":
            _offer(content, JSON, schemas.of_type(read.wanted, side))
            if members := dict.fromkeys(each.name for each in contract.named if each.part == "json"):
                content[JSON]["x-members"] = [*members]
            required = required or (read.is_always and bool(read.refusals))
        elif read.part in ("rows", "patch"):
            offered = _rows(read, side, schemas) if read.part == "rows" else _patches(read, side, schemas)
            content |= {media: each for media, each in offered.items() if media not in content}
            required = required or read.is_always
        elif read.part == "raw":
            # # All client generators know the type for arbitrary bytes, but not all know the one for any type.
            content.update({media: {"schema": FILE} for media in (BYTES, ANY)})
        elif read.part == "form":
            schema = _form_schema(contract, read, side, schemas)
            required = required or (read.is_always and bool(read.refusals and schema.get("required")))
            if _has_file(schema):
                _offer(content, MULTIPART, schema | {"propertyNames": _PART_NAMES})
            else:
                _offer(content, URLENCODED, schema)
    encoding = {name: {"contentType": JSON} for read in contract.reads for name in schemas.json_fields(read)}
    for media in _FORMS if encoding else ():
        if media in content:
            content[media]["encoding"] = encoding
    if content.keys() - {BYTES, ANY}:
        content = {media: each for media, each in content.items() if media not in (BYTES, ANY)}
    if not content:
        return {}
    told = {"description": _ALSO_IN_PARTS} if URLENCODED in content and MULTIPART not in content else {}
    return {**told, "required": required, "content": content}


def _offer(content: Schema, media: str, schema: Schema) -> None:
    """Add a schema to a media type's content, in addition to its other schemas. An empty schema allows everything."""
    if not schema:
        content[media] = {}
        return
    known = content.setdefault(media, {"schema": schema}).get("schema", schema)
    if known != schema:
        choices = known["anyOf"] if set(known) == {"anyOf"} else [known]
        content[media] = {"schema": {"anyOf": [*choices, *([] if schema in choices else [schema])]}}


def _rows(read: Read, side: Direction, schemas: Schemas) -> Schema:
    """Return the content of a body of rows (OpenAPI 3.2 §4.14.3). Rows with fields that aren't text have no CSV."""
    item = schemas.of_type(read.wanted, side)
    array = {"schema": {"type": "array", "items": item}}
    content: Schema = {
        media: {"itemSchema": item} for media in (NDJSON, "application/jsonl", "application/json-seq")
    } | {JSON: array}
    try:
        names = ", ".join(TypeDescription(read.wanted).check_form())
    except TypeError:
        return content
    text = {"type": "string", "description": f"CSV whose first line has the names of the columns: {names}."}
    return content | {"text/csv": {"schema": text, "itemSchema": schemas.record(read.wanted, side)}}


def _patches(read: Read, side: Direction, schemas: Schemas) -> Schema:
    """Return the content of a body that changes a value."""
    patch = schemas.add("JSONPatch", _JSON_PATCH)
    return {
        MERGE_PATCH: {"schema": schemas.merge_patch(read.wanted, side)},
        "application/json-patch+json": {"schema": patch},
    }


def _form_schema(contract: Contract, read: Read, side: Direction, schemas: Schemas) -> Schema:
    if read.wanted is not Any:
        return schemas.record(read.wanted, side)
    fields = [each for each in contract.named if each.part in ("form", "files") and each.name not in contract.hidden]
    schema: Schema = {"type": "object"}
    properties = {each.name: named_schema(each) for each in fields if each.name}
    if properties:
        schema["properties"] = properties
    required = [*dict.fromkeys(each.name for each in fields if each.is_always and each.name)]
    if required:
        schema["required"] = required
    if any(each.part == "files" for each in fields) and not _has_file(schema):
        schema["additionalProperties"] = dict(FILE)
    return schema


def _has_file(schema: Schema) -> bool:
    def is_file(one: Any) -> bool:
        return isinstance(one, dict) and (
            one.get("format") == "binary" or is_file(one.get("items")) or any(map(is_file, one.get("anyOf", ())))
        )

    return any(map(is_file, (*schema.get("properties", {}).values(), schema.get("additionalProperties"))))


# Responses


def _responses(contract: Contract, schemas: Schemas) -> Schema:
    made: dict[int, Schema] = {}
    reads_form = any(each.part == "form" for each in contract.reads)
    for given in contract.responses:
        if not contract.has_content and reads_form and given.status in (413, 422):
            continue  # the form is not sent
        _add_response(made, given, schemas)
        if given.is_conditional and not contract.has_content and given.is_success:
            _add_conditional(made, given, schemas)
    for status, failures in contract.failures.items():
        _add_failures(made, status, failures, schemas)
    is_unknown = any(each.about in ("given", "all") for each in contract.unread)
    if not made or (is_unknown and all(status >= 300 for status in made)):
        made[200] = {"description": "OK"}
    for added in [each for each in contract.added if each.needs is None]:
        for status, response in made.items():
            if added.status in (None, status):
                _add_headers(response, [name for name in added.headers if not _OF_HTTP.fullmatch(name)])
    for response in made.values():
        for name, kind in contract.header_types.items():
            if (field := response.get("headers", {}).get(_title(name))) is not None:
                field["schema"] = schemas.of_type(kind, "output")
    return {str(status): made[status] for status in sorted(made)}


def _add_response(made: dict[int, Schema], given: Given, schemas: Schemas) -> None:
    response = made.setdefault(given.status, {"description": phrase_of(given.status)})
    _add_headers(response, given.headers)
    if given.status in (204, 304):
        return
    if given.media == PROBLEM:
        _offer(response.setdefault("content", {}), PROBLEM, _problem_schema(given.body, given.status, schemas))
    elif given.media is not None and isinstance(given.body, Stream):
        _add_stream(response.setdefault("content", {}), given.media, given.body, schemas)
    elif given.media is not None:
        is_text = given.body == Of(bytes) and given.media.startswith("text/")  # a file, which clients decode
        body = TEXT if is_text else given.body
        schema = dict(FILE) if body == Of(bytes) else schemas.of(body, "output")
        _offer(response.setdefault("content", {}), given.media, schema)


def _add_stream(content: Schema, media: str, body: Stream, schemas: Schemas) -> None:
    """Add the schema for each item of a stream (OpenAPI 3.2 §4.14.4): an event, or the plain value."""
    schema = schemas.of(body.item, "output")
    if media == EVENTS:
        data: Schema = {"contentMediaType": JSON, "contentSchema": schema} if schema else {}
        schema = {**_EVENT, "properties": {**_EVENT["properties"], "data": {"type": "string", **data}}}
    content.setdefault(media, {}).update({"itemSchema": schema} if schema else {})


def _add_conditional(made: dict[int, Schema], given: Given, schemas: Schemas) -> None:
    made.setdefault(304, {"description": phrase_of(304)})
    if given.has_ranges and given.status == 200:
        _add_response(made, given._replace(status=206), schemas)


def _add_failures(made: dict[int, Schema], status: int, failures: Iterable[Failure], schemas: Schemas) -> None:
    told = [*dict.fromkeys(each.detail for each in failures if each.detail)]
    response = made.setdefault(status, {"description": phrase_of(status)})
    if told:
        response["description"] = " ".join(told)
    _add_headers(response, [name for each in failures for name in each.headers])
    for failure in sorted(failures, key=lambda each: each.problem is NONE):  # generators try schemas in order
        for given in failure.responses:
            _add_response(made, given, schemas)
        if failure.is_problem:
            schema = _problem_schema(failure.problem, status, schemas)
            _offer(response.setdefault("content", {}), PROBLEM, schema)
    if name := _ALWAYS.get(status):
        _add_headers(response, [name])


def _add_headers(response: Schema, names: Iterable[str]) -> None:
    for name in names:
        schema = _LOCATION if name == "location" else {"type": "string"}
        response.setdefault("headers", {})[_title(name)] = {"schema": {**schema}}


def _problem_schema(value: Value, status: int, schemas: Schemas) -> Schema:
    """Return the schema for problem details. It gets a name if they have a type or additional members."""
    if isinstance(value, Fields):
        given = dict(value.items)
        kind = given.pop("type", None)
        uri = kind.value if isinstance(kind, Known) and isinstance(kind.value, str) else None
        properties = {
            **PROBLEM_SCHEMA["properties"],
            **({"type": {"type": "string", "const": uri}} if uri else {}),
            **{name: schemas.of(each, "output") for name, each in given.items()},
        }
        required = [*dict.fromkeys((*PROBLEM_SCHEMA["required"], *given))]
        name = _name_of_problem(uri) or f"{_camel(phrase_of(status))}Problem"
        return schemas.add(name, {**PROBLEM_SCHEMA, "properties": properties, "required": required})
    is_own = isinstance(value, Of) and value.type is not Problem
    return (schemas.of(value, "output") if is_own else {}) or {"$ref": f"{REFERENCE}{PROBLEM_NAME}"}


def _name_of_problem(uri: str | None) -> str:
    """Return a name for a problem type: ``BidTooLow`` for ``/problems/bid-too-low``."""
    return _camel(re.split("[/:#]", uri.rstrip("/#"))[-1]) if uri else ""


def _camel(text: str) -> str:
    name = "".join(each[0].upper() + each[1:] for each in re.findall(r"[A-Za-z0-9]+", text))
    return name if name[:1].isalpha() else f"Problem{name}" if name else ""


def _title(name: str) -> str:
    return "-".join(_SPELLED.get(part, part.capitalize()) for part in name.split("-"))


def phrase_of(status: int) -> str:
    """Return the reason phrase of a status."""
    try:
        return http_error(status).title if status >= 400 else HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


PROBLEM_SCHEMA: Mapping[str, Any] = {
    "title": PROBLEM_NAME,
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON Pointer to the field (RFC 6901)."},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "line": {"type": "integer", "description": "The first line of a wrong row, counted from 1."},
                },
                "required": ["pointer", "detail"],
            },
        },
    },
    "required": ["type", "title", "status"],
}
