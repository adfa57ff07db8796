"""Definitions of tools: operations of an OpenAPI document whose routes have ``tool=True``, and views of a dialect.

A definition contains the schemas of the tool's arguments and result, and each argument's place in the request. Views of
a mounted dialect are selected by name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon import App, explained
from antiphon.embedding import SAFE_METHODS, PlannedRoute, RouteKeys, is_token, quote_path
from antiphon.features import Tool
from antiphon.features.openapi.code.findings import Read
from antiphon.features.openapi.code.responses import EVENTS, JSON, NDJSON
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.described import app_of
from antiphon.features.openapi.document import Info, described_routes, make_document
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.openapi.responses import added_to
from antiphon.features.openapi.schemas import REFERENCE, Schema, reached
from antiphon.features.openapi.security import proofs_of
from antiphon.features.tools.arguments import Argument, arguments_of, resolved_in
from antiphon.types import Route

_IDEMPOTENT = frozenset({"GET", "HEAD", "QUERY", "PUT", "DELETE"})
_OF_ANNOTATIONS = frozenset({"allowEmptyValue"})
PLACEHOLDER = re.compile(r"{(\w+)}")
_not_in_names = re.compile(r"[^A-Za-z0-9_]")
_is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}").fullmatch
"""The names that the clients and the models' APIs accept; a few also refuse a hyphen."""
_DEFINITIONS = "#/$defs/"


@dataclass(frozen=True)
class Definition:
    """A tool: its description for clients, and the request that a call makes."""

    name: str
    route: Route
    method: str
    path: str
    """The path in OpenAPI syntax, such as ``/lamps/{number}``."""
    options: Tool
    description: str
    requires_user: bool
    """True if the route refuses requests without a user."""
    scopes: frozenset[str]
    """The scopes that the route requires of all credentials."""
    arguments: dict[str, Argument]
    """The arguments, by name."""
    content_type: str | None
    """The body's media type: JSON, a merge patch, a form, or None if there is no body."""
    streams: bool
    """True if the handler responds with a stream of values."""
    result: Schema | None
    """The result's schema, if each successful response has one."""
    is_paged: bool = field(default=False, kw_only=True)
    """True if the responses may link to a next page: the results have its arguments."""
    components: Mapping[str, Schema] = field(repr=False)
    """The document's named types."""
    conditions: Schema = field(default_factory=dict, repr=False)
    """The keywords that restrict the arguments together, such as "if", from the body's type."""
    dialect: object = None
    """The mounted application of a dialect whose view the tool is, if it is one."""
    described: DescribedApp | None = field(default=None, repr=False)
    """The description of that application."""
    reads: tuple[Read, ...] = field(default=(), repr=False)
    """The types that the handler always reads, if a person must agree to a call: only valid ones are asked about."""

    @property
    def is_read_only(self) -> bool:
        """True if a call changes nothing."""
        return self.method in SAFE_METHODS

    @property
    def takes_key(self) -> bool:
        """True if a call with a key that was used before is not carried out again."""
        return bool(self.route.meta.get(RouteKeys.idempotent) or self.route.meta.get(RouteKeys.durable))

    @property
    def is_destructive(self) -> bool:
        """True if a call may do something irreversible."""
        return self.method == "DELETE" if self.options.destructive is None else self.options.destructive

    def as_json(self, *, has_any_result: bool) -> dict[str, Any]:
        """Return the tool as sent to clients. Before 2026-07-28, only objects can be structured results."""
        made: dict[str, Any] = {"name": self.name}
        if self.options.title:
            made["title"] = self.options.title
        made["description"] = self.description
        made["inputSchema"] = self._with_types(self._input())
        if self.result is not None and (
            has_any_result or resolved_in(self.result, self.components).get("type") == "object"
        ):
            result = self._with_types(self.result)
            made["outputSchema"] = result if has_any_result else {"type": "object", **result}
        made["annotations"] = {
            "readOnlyHint": self.is_read_only,
            "destructiveHint": not self.is_read_only and self.is_destructive,
            "idempotentHint": self.method in _IDEMPOTENT,
            "openWorldHint": self.options.open_world,
        }
        meta = dict(self.options.meta or {})
        if self.options.page is not None:
            meta["ui"] = {"resourceUri": page_uri(self.options.page), **meta.get("ui", {})}
        return {**made, "_meta": meta} if meta else made

    def _input(self) -> Schema:
        headers = self.options.headers or {}
        fields = {
            name: {**each.schema, "x-mcp-header": headers[name]} if name in headers else each.schema
            for name, each in self.arguments.items()
        }
        made: Schema = {"type": "object", "properties": fields}
        required = [name for name, each in self.arguments.items() if each.is_required]
        return {
            **made,
            **({"required": required} if required else {}),
            **self.conditions,
            "additionalProperties": False,
        }

    def _with_types(self, schema: Schema) -> Schema:
        """Return a schema together with the named types that it refers to, and no others."""
        names = sorted(reached([schema], self.components))
        made: Schema = _referring(schema)
        if names:
            made["$defs"] = {name: _referring(self.components[name]) for name in names}
        return made


ModelAPI: TypeAlias = Literal["openai", "openai-responses", "anthropic", "gemini"]
"""The API of a language model, which determines the form of tools."""


def find_definition(made: Mapping[str, Definition], name: str) -> Definition | None:
    """Return the tool of a name, or of its route's name, such as ``lamps.show`` for ``lamps_show``."""
    return made.get(name) or made.get(_not_in_names.sub("_", name))


def for_model(definition: Definition, api: ModelAPI | None) -> dict[str, Any]:
    """Return a tool in the form of a model's API. Raises ValueError for an unknown one."""
    made = definition.as_json(has_any_result=True)
    about, schema = {"name": made["name"], "description": made["description"]}, made["inputSchema"]
    forms: dict[ModelAPI | None, dict[str, Any]] = {
        "openai": {"type": "function", "function": {**about, "parameters": schema}},
        "openai-responses": {"type": "function", **about, "parameters": schema, "strict": False},
        "anthropic": {**about, "input_schema": schema},
        "gemini": {**about, "parametersJsonSchema": schema},
        None: {**about, "inputSchema": schema},
    }
    if api not in forms:
        raise explained("bad-feature-option", f"for_ must be {', '.join(map(str, forms))}, not {api!r}")
    return forms[api]


class ToolRoute(NamedTuple):
    """A route that is a tool: its path in OpenAPI syntax, and the prefix at which its application is mounted."""

    route: Route
    path: str
    prefix: str = ""
    proofs: frozenset[str] = frozenset()
    """The security schemes that prove something else than a user."""


def tool_routes(app: App) -> Iterator[ToolRoute]:
    """Yield the routes that are tools, in an application and in those mounted in it."""
    for each in described_routes(app):
        if each.route.meta.get(RouteKeys.tool) is not None:
            yield ToolRoute(each.route, each.path, proofs=_proofs_of(each))


def _proofs_of(planned: PlannedRoute) -> frozenset[str]:
    return frozenset(proofs_of(added for _, added in added_to(planned, planned.route.methods[0])))


def definitions_of(routes: Iterable[ToolRoute], content: Mapping[str, Any]) -> dict[str, Definition]:
    """Return an application's tools by name, sorted, with the schemas from its OpenAPI document.

    Raises LookupError for a route that the document does not describe, and ValueError for two tools with the same name
    and for arguments that a tool can't have.
    """
    made: dict[str, Definition] = {}
    for each in _definitions(routes, content):
        if each.name in made:
            raise explained(
                "bad-tool",
                f"two tools are named {each.name!r}: {made[each.name].route.handled_by} and"
                f" {each.route.handled_by}: give one of them a name, tool=Tool(name=...)",
            )
        made[each.name] = each
    return dict(sorted(made.items()))


def _definitions(routes: Iterable[ToolRoute], content: Mapping[str, Any]) -> Iterator[Definition]:
    for each in routes:
        for method in each.route.methods:
            operation = content["paths"].get(each.path, {}).get(method.lower())
            if operation is not None and _is_of(operation, each.route):
                yield _definition(each, method, operation, content)
            elif method not in ("HEAD", "OPTIONS"):
                hint = ': OpenAPI(..., openapi="3.2") describes it' if method == "QUERY" else ""
                title = content["info"]["title"]
                raise explained(
                    "bad-tool", f"{method} {each.path} is a tool, but not in the document {title!r}{hint}", LookupError
                )


def _is_of(operation: Mapping[str, Any], route: Route) -> bool:
    """True if an operation describes this route, not a route with the same path on another host."""
    name: str = operation["operationId"]
    rest = name.removeprefix(route.name)
    return name.startswith(route.name) and (not rest or rest.startswith("_"))


def _definition(
    planned: ToolRoute, method: str, operation: Mapping[str, Any], content: Mapping[str, Any]
) -> Definition:
    route = planned.route
    options = route.meta.get(RouteKeys.tool) or Tool()
    if route.signed_url:
        raise explained(
            "bad-tool", f"{route.handled_by} is a tool, but accepts only signed URLs, which no call has: leave out one"
        )
    components: Mapping[str, Schema] = content["components"]["schemas"]
    has_one_method = len([each for each in route.methods if each not in ("HEAD", "OPTIONS")]) == 1
    own = options.name if has_one_method else None
    name = own or _not_in_names.sub("_", operation["operationId"])
    if not _is_name(name):
        raise explained(
            "bad-tool",
            f"{route.handled_by} is a tool with a name of {len(name)} characters, {name!r}: give it a name of at most"
            " 64 that begins with a letter or _, tool=Tool(name=...)",
        )
    arguments, content_type, conditions = arguments_of(route, method, operation, components)
    for argument, header in (options.headers or {}).items():
        if argument not in arguments or not is_token(header):
            message = f"{route.handled_by}: Tool(headers=...) must map arguments to names of headers, not {argument!r}"
            raise explained("bad-tool", f"{message} to {header!r}")
    shown = PLACEHOLDER.findall(options.confirm) if isinstance(options.confirm, str) else ()
    if unknown := {*shown} - arguments.keys():
        known = ", ".join(arguments) or "none"
        message = f"{route.handled_by}: Tool(confirm=...) shows {{{min(unknown)}}}, but the arguments are: {known}"
        raise explained("bad-tool", message)
    described = [operation.get("summary", ""), operation.get("description", "")]
    security = operation.get("security", ())
    successes = [each for status, each in operation["responses"].items() if status.startswith("2")]
    result = _result(successes)
    is_paged = result is not None and any("Link" in each.get("headers", {}) for each in successes)
    return Definition(
        name=name,
        route=route,
        method=method,
        path=planned.prefix + planned.path,
        options=options,
        description="\n\n".join(filter(None, described)) or name,
        requires_user=bool(security) and all(each.keys() - planned.proofs for each in security),
        scopes=frozenset(chain.from_iterable(chain.from_iterable(each.values() for each in security))),
        arguments=arguments,
        content_type=content_type,
        streams=any({NDJSON, EVENTS} & each.get("content", {}).keys() for each in successes),
        result=result if result is None or not is_paged else _paged(result, components),
        components=components,
        is_paged=is_paged,
        conditions=conditions,
    )


def _result(successes: list[Any]) -> Schema | None:
    """Return the schema of all successful responses, or None if any of them is not JSON."""
    found = [each.get("content", {}).get(JSON, {}).get("schema") for each in successes]
    schemas = [each for at, each in enumerate(found) if each and each not in found[:at]]
    if not schemas or not all(found):
        return None
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


ITEMS = "items"
"""The member of a paged tool's result that is the list, if the handler responds with one."""
_MORE: dict[str, Schema] = {
    "next": {"type": "object", "description": "The arguments for the next page; absent on the last one."},
    "total": {"type": "integer", "description": "The number of all items; absent if it is not known."},
}


def _paged(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    """Return the schema of results with the arguments for the next page, by which a list becomes an object."""
    record = resolved_in(schema, components)
    if record.get("type") != "object":
        return {"type": "object", "properties": {ITEMS: schema, **_MORE}, "required": [ITEMS]}
    return {**record, "properties": {**_MORE, **record.get("properties", {})}}


PAGES = "ui://"


def page_uri(name: str) -> str:
    """Return the URI of a route that is a tool's page."""
    return f"{PAGES}{quote_path(name)}"


def _referring(schema: Any) -> Any:
    """Return a schema whose references point to its own definitions. Data in it, such as examples, does not change."""
    if isinstance(schema, list):
        return [_referring(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: each.replace(REFERENCE, _DEFINITIONS, 1)
        if key == "$ref" and isinstance(each, str)
        else each
        if key in ("examples", "example", "default", "const", "enum")
        else _referring(each)
        for key, each in schema.items()
        if key not in _OF_ANNOTATIONS
    }


def definitions_of_dialect(
    app: "App", mounted: Any, tools: Mapping[str, bool | Tool], api: OpenAPI
) -> dict[str, Definition]:
    """Return the tools of a dialect's application, with the schemas from its code.

    Raises LookupError for a name that none of its routes has, and for an application that is not mounted.
    """
    prefix = next((each.prefix for each in app.mounts if each.application is mounted), None)
    if prefix is None:
        raise explained(
            "bad-tool",
            "the application with the tools is not mounted: call app.mount(prefix, application)",
            LookupError,
        )
    described = mounted.described_api()
    content = make_document(described, Info(api.title, api.version, api.description)).content
    wanted = {name: tool for name, given in tools.items() if (tool := Tool.of(given)) is not None}
    routes = [*_marked(app_of(described), wanted, prefix)]
    if unknown := wanted.keys() - {each.route.name for each in routes}:
        raise explained("bad-tool", f"there is no route with the name {min(unknown)!r}", LookupError)
    made = definitions_of(routes, content)
    return {name: replace(each, dialect=mounted, described=described) for name, each in made.items()}


def _marked(app: "App", wanted: Mapping[str, Tool], prefix: str) -> Iterator[ToolRoute]:
    for each in described_routes(app):
        if each.route.name in wanted:
            methods = tuple(method for method in each.route.methods if method not in ("HEAD", "OPTIONS"))
            yield ToolRoute(
                each.route._replace(
                    meta=each.route.meta.changed({RouteKeys.tool: wanted[each.route.name]}), methods=methods
                ),
                each.path,
                prefix,
                _proofs_of(each),
            )
