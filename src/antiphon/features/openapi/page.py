"""The page for an OpenAPI document: plain HTML that works without a script, with a separate stylesheet.

Its forms try operations, and have the equivalent commands. The browser sends requests that HTML forms can send. The
page's script sends the others: JSON, other methods, headers.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from shlex import join
from typing import Any, NamedTuple

from antiphon.embedding import quote_path
from antiphon.features.html import AttributeValue, Markup, joined, tag
from antiphon.features.openapi.schemas import REFERENCE, Schema
from antiphon.http import MultiDict, format_query

_DEEPEST = 4
"""The maximum depth of a type's example."""
_CHOICES = ("anyOf", "oneOf")
_JSON, _URLENCODED, _MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
_TEXTS = {
    "date": "2030-12-31", "date-time": "2030-12-31T23:59:59Z", "time": "23:59:59", "email": "ada@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000", "uri": "https://example.com/", "duration": "P1D",
}  # fmt: skip


class Site(NamedTuple):
    """The URLs of the page and of the API."""

    root: str
    """The root path, to which the document's paths are relative."""
    docs: str
    """The page's path."""
    origin: str = ""
    """The scheme and host in the commands that are shown."""


class _Field(NamedTuple):
    """A form's field: a parameter, a field of the body, or the whole body."""

    name: str
    place: str
    schema: Schema
    is_required: bool


class Forms:
    """The forms for one document's operations."""

    def __init__(self, content: Mapping[str, Any], site: Site) -> None:
        self._schemas: Mapping[str, Any] = content["components"]["schemas"]
        self._schemes: Mapping[str, Any] = content["components"].get("securitySchemes", {})
        self._site = site
        servers = content.get("servers") or [{"url": site.root}]
        base = str(servers[0]["url"]).rstrip("/")
        self._base = base if "://" in base else site.origin + base

    def form(self, path: str, method: str, operation: Mapping[str, Any]) -> Markup:
        """Return an operation's form, or nothing if the operation is on another host, whose responses a browser would
        not show.
        """
        if "servers" in operation:
            return Markup("")
        media, fields = _media_of(operation), [*self._fields(operation)]
        way = self._way(path, method, operation, media, fields)
        is_native = "action" in way
        hint = "This form needs JavaScript. The command below does not."
        form = tag(
            "form",
            {**way, "data-method": method.upper(), "data-path": self._site.root + path},
            *[self._input(each) for each in fields],
            "" if is_native else tag("p", {}, hint),
            tag("button", {"disabled": not is_native}, "Send"),
        )
        command = self._command(path, method, media, fields)
        return tag("details", {}, tag("summary", {}, "Try it"), form, tag("pre", {}, tag("code", {}, command)))

    def _way(
        self, path: str, method: str, operation: Mapping[str, Any], media: str, fields: list[_Field]
    ) -> dict[str, AttributeValue]:
        """Return how a browser itself sends a form, or how to encode the body if it can't send it."""
        places = {each.place for each in fields if each.is_required}
        encoded: dict[str, AttributeValue] = {"enctype": _MULTIPART} if media == _MULTIPART else {}
        if method == "get" and "header" not in places:
            return {"action": f"{self._site.docs}/{operation['operationId']}"}
        if method == "post" and media in (_URLENCODED, _MULTIPART) and places <= {"body"}:
            return {"method": "post", "action": self._site.root + path, **encoded}
        return encoded

    def _fields(self, operation: Mapping[str, Any]) -> Iterator[_Field]:
        for each in operation.get("parameters", ()):
            if each["in"] != "cookie" and not each.get("explode"):
                schema = _with_example(self._plain(each["schema"]), each)
                yield _Field(each["name"], each["in"], schema, bool(each.get("required")))
        for name in dict.fromkeys(name for each in operation.get("security", ()) for name in each):
            if self._schemes.get(name, {}).get("type") == "http":
                yield _Field("Authorization", "header", {"type": "string", "examples": [f"{name.title()} ..."]}, False)
                break
        media = _media_of(operation)
        if not media:
            return
        content = operation["requestBody"]["content"][media]
        schema = content.get("schema", {})
        if media == _JSON:
            yield _Field("body", "json", _with_example(schema, content), True)
            return
        examples = content.get("example", {})
        required = schema.get("required", ())
        for name, each in self._plain(schema).get("properties", {}).items():
            shown = {"example": examples[name]} if name in examples else {}
            yield _Field(name, "body", _with_example(self._plain(each), shown), name in required)

    def _plain(self, schema: Schema) -> Schema:
        """Return the schema that a reference points to, and the first of several choices."""
        while {"$ref", *_CHOICES} & schema.keys():
            choices = [each for key in _CHOICES for each in schema.get(key, ()) if each.get("type") != "null"]
            schema = choices[0] if choices else self._schemas[schema["$ref"].removeprefix(REFERENCE)]
        return schema

    # Inputs

    def _input(self, field: _Field) -> Markup:
        place = {"query": "", "path": "", "body": "", "json": ""}.get(field.place, f" ({field.place})")
        optional = "" if field.is_required else ", optional"
        return tag("label", {}, f"{field.name}{place}{optional}", self._control(field))

    def _control(self, field: _Field) -> Markup:
        given: dict[str, AttributeValue] = {"name": field.name, "data-in": field.place, "required": field.is_required}
        schema, kind = field.schema, _type_of(field.schema)
        if field.place == "json":
            text = json.dumps(self.example(schema), indent=1, ensure_ascii=False)
            return tag("textarea", {**given, "rows": min(text.count("\n") + 1, 12), "spellcheck": "false"}, text)
        if kind == "array" and field.place == "query":
            return tag("textarea", {**given, "rows": 2, "placeholder": "one per line"})
        item = self._plain(schema["items"]) if kind == "array" and "items" in schema else schema
        choices = item.get("enum") or ([True, False] if kind == "boolean" else [])
        if choices:
            texts = [str(each) if isinstance(each, str) else json.dumps(each) for each in choices if each is not None]
            options = [tag("option", {}, each) for each in ([] if field.is_required else [""]) + texts]
            return tag("select", given, *options)
        return tag("input", {**given, **_attributes(item, is_many=kind == "array")})

    # Examples

    def example(self, schema: Schema, depth: int = 0) -> Any:
        """Return a schema's example, if it has one, or else a value with its required fields."""
        for key in ("examples", "enum"):
            if schema.get(key):
                return schema[key][0]
        if "const" in schema:
            return schema["const"]
        if {"$ref", *_CHOICES} & schema.keys():
            return self.example(self._plain(schema), depth) if depth <= _DEEPEST else None
        match _type_of(schema):
            case "object":
                fields = schema.get("properties", {})
                needed = [name for name in fields if name in schema.get("required", ())] or [*fields]
                return {name: self.example(fields[name], depth + 1) for name in needed} if depth < _DEEPEST else {}
            case "array":
                several = schema.get("prefixItems") or [schema["items"]] if schema.get("items") else []
                return [self.example(each, depth + 1) for each in several] if depth < _DEEPEST else []
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
            case "string":
                return _TEXTS.get(schema.get("format", ""), "text")
        return None

    def _command(self, path: str, method: str, media: str, fields: list[_Field]) -> str:
        words = ["curl"] if method == "get" else ["curl", "-X", method.upper()]
        query = "&".join(f"{each.name}=" for each in fields if each.place == "query" and each.is_required)
        for each in fields:
            if each.place == "header" and (each.is_required or each.name == "Authorization"):
                words += ["-H", f"{each.name}: {self.example(each.schema)}"]
            elif each.place == "json":
                words += ["--json", json.dumps(self.example(each.schema), ensure_ascii=False)]
            elif each.place == "body" and each.is_required:
                is_file = each.schema.get("format") == "binary"
                value = "@file" if is_file else f"{self.example(each.schema)}"
                words += ["-F" if media == _MULTIPART else "--data-urlencode", f"{each.name}={value}"]
        return join([*words, self._base + path + (f"?{query}" if query else "")])


def _media_of(operation: Mapping[str, Any]) -> str:
    """Return the media type in which a form sends an operation's body, or "" if a form can't send it."""
    content = operation.get("requestBody", {}).get("content", {})
    return next((each for each in (_JSON, _URLENCODED, _MULTIPART) if each in content), "")


def _with_example(schema: Schema, described: Mapping[str, Any]) -> Schema:
    return {**schema, "examples": [described["example"]]} if "example" in described else schema


def _type_of(schema: Schema) -> str:
    kind = schema.get("type", "")
    return next((each for each in kind if each != "null"), "") if isinstance(kind, list) else kind


def _attributes(schema: Schema, *, is_many: bool) -> dict[str, AttributeValue]:
    if schema.get("format") == "binary":
        return {"type": "file", "multiple": is_many}
    examples = schema.get("examples")
    shown: dict[str, AttributeValue] = {"placeholder": str(examples[0])} if examples else {}
    if _type_of(schema) in ("integer", "number"):
        step = None if _type_of(schema) == "integer" else "any"
        return {"type": "number", "min": schema.get("minimum"), "max": schema.get("maximum"), "step": step, **shown}
    return {"minlength": schema.get("minLength"), "maxlength": schema.get("maxLength"), **shown}


def target_of(content: Mapping[str, Any], name: str, args: MultiDict[str]) -> str | None:
    """Return the path and query that a GET form requests, or None if there is no such operation.

    Empty query fields are omitted. Raises KeyError if a path parameter is missing.
    """
    for path, item in content["paths"].items():
        operation = item.get("get", {})
        if operation.get("operationId") != name:
            continue
        filled = re.sub(r"\{([^}]+)\}", lambda found: quote_path(args[found[1]]), path)
        query = [
            (each["name"], line)
            for each in operation.get("parameters", ())
            if each["in"] == "query"
            for value in args.getall(each["name"])
            for line in (value.splitlines() if _type_of(each["schema"]) == "array" else [value])
            if line
        ]
        return f"{filled}?{format_query(query)}" if query else filled
    return None


_METHODS = ("get", "put", "post", "delete", "patch", "trace", "options", "head", "query")
_BOUNDS = {
    "format": "", "minimum": "at least ", "exclusiveMinimum": "above ", "maximum": "at most ",
    "exclusiveMaximum": "below ", "minLength": "min. length ", "maxLength": "max. length ", "minItems": "min. items ",
    "maxItems": "max. items ", "pattern": "pattern ", "multipleOf": "multiple of ",
}  # fmt: skip


def page_of(content: Mapping[str, Any], document: str, site: Site, breaches: Sequence[str] = ()) -> str:
    """Return the page for the document at the URL ``document``. ``breaches`` describes responses that violated it."""
    about, forms = content["info"], Forms(content, site)
    operations = [
        (path, method, item[method]) for path, item in content["paths"].items() for method in _METHODS if method in item
    ]
    schemas = content["components"]["schemas"]
    body = [
        tag("h1", {}, about["title"]),
        tag("p", {"class": "kind"}, "Version ", about["version"]),
        tag("p", {}, tag("a", {"href": document}, "OpenAPI document")),
        _text(about.get("description")),
        tag("h2", {}, "Responses that broke their contracts") if breaches else "",
        tag("ul", {}, *[tag("li", {}, each) for each in breaches]) if breaches else "",
        tag("nav", {"aria-label": "Operations"}, tag("ul", {}, *[_link(*each) for each in operations])),
        tag("h2", {}, "Operations") if operations else "",
        *[_operation(*each, forms.form(*each)) for each in operations],
        tag("h2", {}, "Types") if schemas else "",
        *[_schema(name, schema) for name, schema in schemas.items()],
    ]
    head = [
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", {}, about["title"]),
        Markup(f'<link rel="stylesheet" href="{escape(site.docs)}.css">'),
        Markup(f'<script src="{escape(site.docs)}.js" defer></script>'),
    ]
    whole = tag("html", {"lang": "en"}, tag("head", {}, *head), tag("body", {}, tag("main", {}, *body)))
    return f"<!doctype html>\n{whole}\n"


def _text(text: str | None) -> Markup:
    """Return text as paragraphs, which are separated by empty lines."""
    paragraphs = [" ".join(each.split()) for each in (text or "").split("\n\n")]
    return joined([tag("p", {}, each) for each in paragraphs if each])


def _method(method: str) -> Markup:
    return tag("span", {"class": "method"}, method.upper())


def _link(path: str, method: str, operation: Mapping[str, Any]) -> Markup:
    summary = operation.get("summary")
    link = tag("a", {"href": f"#{operation['operationId']}"}, _method(method), tag("code", {}, path))
    return tag("li", {}, link, f" {summary}" if summary else "")


def _operation(path: str, method: str, operation: Mapping[str, Any], form: Markup) -> Markup:
    parameters = operation.get("parameters", ())
    body = operation.get("requestBody", {}).get("content", {})
    security = [name for each in operation.get("security", ()) for name in (each or ["none"])]
    parts = [
        tag("h3", {}, _method(method), tag("code", {}, path)),
        tag("p", {}, "Deprecated.") if operation.get("deprecated") else "",
        _text(operation.get("summary") and f"{operation['summary']}."),
        _text(operation.get("description")),
        tag("p", {"class": "kind"}, f"Login: {', '.join(security)}") if security else "",
        tag("p", {"class": "kind"}, "A tool for language models.") if operation.get("x-tool") else "",
        _list("Parameters", [(tag("code", {}, each["name"]), _parameter(each)) for each in parameters]),
        _list("Body", [(tag("code", {}, kind), _type(each.get("schema", {}))) for kind, each in body.items()]),
        *_responses(operation["responses"]),
        form,
    ]
    return tag("section", {"class": "operation", "id": operation["operationId"]}, *parts)


def _responses(responses: Mapping[str, Any]) -> Iterator[Markup]:
    """Yield an operation's responses. Those for failed requests, which are similar everywhere, are folded."""
    items = [(status, tag("code", {}, status), _response(each)) for status, each in responses.items()]
    yield _list("Responses", [(name, text) for status, name, text in items if status[0] not in "45"])
    if failed := [status for status, *_ in items if status[0] in "45"]:
        summary = tag("summary", {}, f"Errors: {', '.join(failed)}")
        yield tag("details", {}, summary, _terms([(name, text) for status, name, text in items if status in failed]))


def _list(title: str, items: Sequence[tuple[object, object]]) -> Markup:
    if not items:
        return Markup("")
    return joined([tag("h4", {}, title), _terms(items)])


def _terms(items: Sequence[tuple[object, object]]) -> Markup:
    return tag("dl", {}, *[part for name, value in items for part in (tag("dt", {}, name), tag("dd", {}, value))])


def _parameter(parameter: Mapping[str, Any]) -> Markup:
    needed = "" if parameter.get("required") else ", optional"
    described = parameter.get("description")
    kind = _type(parameter["schema"])
    return joined([f"{parameter['in']}{needed}: ", kind, f". {described}" if described else ""])


def _response(response: Mapping[str, Any]) -> Markup:
    content = response.get("content", {})
    kinds = [joined([tag("code", {}, kind), ": ", _type(each.get("schema", {}))]) for kind, each in content.items()]
    return joined([f"{response['description'].removesuffix('.')}.", *kinds], " ")


def _schema(name: str, schema: Mapping[str, Any]) -> Markup:
    parts = [tag("h3", {}, tag("code", {}, name)), _text(schema.get("description"))]
    parts += [tag("p", {}, _type(schema))] if "properties" not in schema else []
    return tag("section", {"class": "schema", "id": f"type-{name}"}, *parts, _fields(schema))


def _fields(schema: Mapping[str, Any]) -> Markup:
    required = schema.get("required", ())
    fields = []
    for name, each in schema.get("properties", {}).items():
        optional = "" if name in required else ", optional"
        remark = f". {each['description']}" if each.get("description") else ""
        fields.append((tag("code", {}, name), joined([_type(each), optional, remark])))
    return _list("Fields", fields)


def _type(schema: Mapping[str, Any]) -> Markup:
    """Return a description of a schema, with links to named types."""
    return joined(_words(schema))


def _words(schema: Mapping[str, Any]) -> Iterator[object]:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        yield tag("a", {"href": f"#type-{name}"}, name)
    elif choices := schema.get("anyOf", schema.get("oneOf")):
        yield joined([_type(each) for each in choices], " or ")
    elif "enum" in schema:
        yield joined([tag("code", {}, json.dumps(each)) for each in schema["enum"]], " or ")
    elif "items" in schema:
        yield joined(["array of ", _type(schema["items"])])
    elif isinstance(schema.get("additionalProperties"), dict):
        yield joined(["object of ", _type(schema["additionalProperties"])])
    else:
        kind = schema.get("type", "anything")
        yield " or ".join(kind) if isinstance(kind, list) else kind
        if "properties" in schema:
            fields = [joined([tag("code", {}, name), " ", _type(each)]) for name, each in schema["properties"].items()]
            yield joined([" of ", joined(fields, ", ")])
    bounds = [f"{words}{schema[key]}" for key, words in _BOUNDS.items() if key in schema]
    if bounds:
        yield f" ({', '.join(bounds)})"
