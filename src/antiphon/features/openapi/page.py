"""The page for an OpenAPI document: plain HTML that works without a script, with a separate stylesheet."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from antiphon.features.html import Markup, joined, tag
from antiphon.features.openapi.schemas import REFERENCE
from antiphon.features.openapi.try_it import Forms, Site

STYLES = """:root { color-scheme: light dark }
:root { background: light-dark(#fff, #191919); color: light-dark(#1c1c1c, #e8e8e8) }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 4rem }
a { color: light-dark(#0b57c4, #8ab8ff) }
h1 { margin-bottom: 0 } h2 { margin: 3rem 0 1rem } h3 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere }
h4 { font-size: 1rem; margin: 1.2rem 0 .3rem } p { margin: .4rem 0; overflow-wrap: anywhere }
code, .method { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
.method { font-weight: bold; margin-right: .5rem }
nav ul { list-style: none; padding: 0 } nav li { margin: .3rem 0 }
section.operation, section.schema { border: 1px solid light-dark(#ccc, #444); border-radius: .5rem }
li { overflow-wrap: anywhere }
section.operation, section.schema { padding: .8rem 1rem; margin: 1rem 0 }
dl { margin: 0 } dt { margin-top: .5rem; overflow-wrap: anywhere } dd { margin: 0 0 0 1.2rem; overflow-wrap: anywhere }
.kind { color: light-dark(#555, #b5b5b5) }
details { margin-top: 1rem } summary { cursor: pointer; font-weight: bold } label { display: block; margin: .6rem 0 }
input, select, textarea, button { font: inherit; color: inherit; box-sizing: border-box; max-width: 100% }
input, select, textarea, button { border: 1px solid light-dark(#767676, #8a8a8a); border-radius: .25rem }
input, select, textarea, button { background: light-dark(#fff, #222); padding: .3rem .6rem }
input, select, textarea { display: block; width: 100% } textarea { font-family: ui-monospace, monospace }
pre { font-family: ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
"""
SCRIPT = Path(__file__).with_suffix(".js").read_bytes()
"""The script for the forms, in UTF-8."""

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
