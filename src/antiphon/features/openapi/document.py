"""The document: an OpenAPI description of an application, created by reading its handlers' code."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from antiphon import App, HTTPError
from antiphon.embedding import PlannedRoute, RouteKeys, decode_json, describe, encode_json, innermost, json_as, lazy
from antiphon.features.openapi.code.reading import function_of, is_ours
from antiphon.features.openapi.code.responses import JSON
from antiphon.features.openapi.code.sources import Sources
from antiphon.features.openapi.code.words import DescribedApp, Words
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.contract import Contract, ContractReader
from antiphon.features.openapi.described import VIEW, app_of, in_words_of, with_pages_of_errors
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.openapi.operations import PROBLEM_SCHEMA, expect, operation
from antiphon.features.openapi.schemas import PROBLEM_NAME, Schema, Schemas, leaf_types, reached
from antiphon.features.openapi.security import Schemes, proofs_of, security_of, security_schemes
from antiphon.http import Headers
from antiphon.types import Route

VERSIONS = {"3.1": "3.1.0", "3.2": "3.2.0"}
"""The OpenAPI versions that a document can have, and their full numbers."""
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "OPTIONS", "HEAD")
"""The methods that OpenAPI 3.1 can describe (§4.8.9); 3.2 can also describe QUERY."""


@dataclass(frozen=True)
class Info:
    """A document's information about the API as a whole."""

    title: str
    version: str = "1"
    description: str | None = None
    prefix: str = ""
    """The prefix of the paths that the document describes."""
    servers: tuple[str, ...] = ()
    openapi: str = "3.1"
    """The OpenAPI version, one of ``VERSIONS``."""
    with_hidden: bool = False
    """True to describe hidden routes, too."""
    hidden: frozenset[str] = frozenset()
    """The names of parameters that the document omits."""


@dataclass
class OpenAPIDocument:
    """An OpenAPI document, and everything that could not be determined by reading the code."""

    content: dict[str, Any]
    unknown: list[str] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)

    @lazy
    def _by_route(self) -> dict[tuple[int, str, str, str], Contract]:
        return {route_key(each.route, each.method): each for each in self.contracts}

    def find(self, route: Route, method: str) -> Contract | None:
        """Return the contract for a route's method, with HEAD treated as GET; None if a feature added the route."""
        return self._by_route.get(route_key(route, method))


RouteKey: TypeAlias = tuple[int, str, str, str]


def route_key(route: Route, method: str) -> RouteKey:
    """Return a key for a route's method: it is the same each time the route is planned. HEAD is treated as GET."""
    return id(route.app), route.where, route.name, "GET" if method == "HEAD" else method


class _Described(NamedTuple):
    """A route's method that has an operation in the document."""

    contract: Contract
    planned: PlannedRoute
    security: Schemes


def make_document(app: App | DescribedApp, info: Info, sources: Sources | None = None) -> OpenAPIDocument:
    """Create the document of an application and the applications mounted in it, below the prefix in ``info``.

    An application of another framework is described by its dialect. ``sources`` are files that are already parsed.
    """
    if isinstance(app, DescribedApp):
        made = _document(app_of(app), info, ContractReader(Words(app)), partial(in_words_of, app))
        made.content = with_pages_of_errors(made.content)
        return made
    return _document(app, info, ContractReader(sources=sources))


def _document(
    app: App, info: Info, reader: ContractReader, complete: Callable[[Contract], None] | None = None
) -> OpenAPIDocument:
    described = [*_routes(app, reader, info)]
    for each in described:
        planned = each.planned
        refuses = refuses_other_sites(planned.app, planned.route)
        hidden = each.contract.route.meta.get(OpenAPI.HIDDEN)
        each.contract.hidden = info.hidden | (frozenset(hidden) if isinstance(hidden, Collection) else frozenset())
        hosts = planned.app.declares_hosts or app.declares_hosts
        expect(each.contract, has_parameters=bool(planned.parameters), has_hosts=hosts, refuses_other_sites=refuses)
    contracts = [each.contract for each in described]
    for contract in contracts:
        if complete is not None:
            complete(contract)
    schemas = _schemas(contracts)
    document = OpenAPIDocument({}, [*_unread(contracts), *_undescribed(contracts, schemas)], contracts)
    paths = _paths(described, schemas, document.unknown, info.openapi)
    document.content = _content(info, paths, schemas, described)
    if sockets := sorted({path for path in _sockets(app) if _is_below(path, info.prefix)}):
        document.content["x-websockets"] = sockets
    for above, mounted in _mounted(app):
        try:
            _merge(document.content, above, mounted.openapi(), info.prefix)
        except Exception as error:  # of their code
            document.unknown.append(f"{describe(mounted)} in {above or '/'} has no document: {error!r}")
    return document


def _is_below(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith(f"{prefix}/")


def described_routes(app: App, *, with_hidden: bool = False) -> Iterator[PlannedRoute]:
    """Yield the routes of an application and of those mounted in it, except features' routes and hidden ones."""
    for each in PlannedRoute.of(app):
        if (view := each.route.meta.get(VIEW)) is not None:
            each.route = each.route._replace(handler=view)
        is_hidden = each.route.meta.get(OpenAPI.HIDDEN) is True and not with_hidden
        if not (is_hidden or _is_of_feature(each.route)):
            yield each


def _routes(app: App, reader: ContractReader, info: Info) -> Iterator[_Described]:
    """Yield the methods of an application's routes below the prefix. Only an audit looks at WebSockets."""
    security: dict[App, Schemes] = {}
    taken: dict[str, Schema] = {}
    for each in described_routes(app, with_hidden=info.with_hidden):
        if (each.route.websocket is not None and not info.with_hidden) or not _is_below(each.path, info.prefix):
            continue
        if each.app not in security:
            security[each.app] = security_schemes(each, taken)
        for method in each.route.methods:
            yield _Described(reader.read(each, method), each, security[each.app])


def _sockets(app: App) -> Iterator[str]:
    """Yield the paths of an application's WebSockets."""
    return (each.path for each in described_routes(app) if each.route.websocket is not None)


def is_described(route: Route) -> bool:
    """Return False for a WebSocket, and for a route that a feature has added: static files, health probes."""
    return route.websocket is None and not _is_of_feature(route)


def _is_of_feature(route: Route) -> bool:
    return is_ours(function_of(innermost(route.handler)))


def _schemas(contracts: list[Contract]) -> Schemas:
    reads = [read for each in contracts for read in each.reads if read.part != "raw"]
    inputs = [read.wanted for read in reads if not read.is_strict]
    responses = [given for each in contracts for given in each.responses]
    failures = [one for each in contracts for several in each.failures.values() for one in several]
    responses += [given for each in failures for given in each.responses]
    outputs = [*[given.body for given in responses], *[each.problem for each in failures]]
    fields = [kind for each in contracts for kind in each.header_types.values()]
    strict = [read.wanted for read in reads if read.is_strict]
    return Schemas(inputs, [*fields, *[kind for value in outputs for kind in leaf_types(value)]], strict)


# Unknown parts


def _unread(contracts: list[Contract]) -> Iterator[str]:
    for contract in contracts:
        where = f"{contract.method} {contract.route.where}"
        yield from dict.fromkeys(f"{where}: {each}" for each in contract.unread)
        if not (contract.responses or contract.failures or contract.unread):
            yield f"{where}: {_handler(contract)} returns nothing: annotate what it returns, or declare it with gives="


def _undescribed(contracts: list[Contract], schemas: Schemas) -> Iterator[str]:
    for kind, reason in schemas.undescribed:
        users = [each for each in contracts if kind in _types_of(each)]
        where = f"{_handler(users[0])}: " if users else ""
        yield f"{where}{kind} has no JSON Schema: {reason}"


def _types_of(contract: Contract) -> list[Any]:
    read = [each.wanted for each in contract.reads]
    return read + [kind for given in contract.responses for kind in leaf_types(given.body)]


def _handler(contract: Contract) -> str:
    return describe(contract.route.handler)


# The parts of the document


def _paths(described: list[_Described], schemas: Schemas, unknown: list[str], openapi: str) -> Schema:
    places = {(each.contract.route.name, each.planned.prefix) for each in described}
    several = {name for name, count in Counter(name for name, _ in places).items() if count > 1}
    ids = [_id_of(each, several) for each in described]
    names = Counter(ids)
    paths: Schema = {}
    used: set[str] = set()
    for each, name in zip(described, ids, strict=True):
        route, method = each.contract.route, each.contract.method
        if method not in (_METHODS if openapi == "3.1" else (*_METHODS, "QUERY")):
            hint = ', as 3.2 does: OpenAPI(..., openapi="3.2")' if method == "QUERY" else ""
            unknown.append(f"{method} {route.where}: OpenAPI {openapi} has no operations for {method}{hint}")
        elif method.lower() in paths.get(each.planned.path, {}):
            unknown.append(f"{method} {route.where}: {each.planned.path} is already described by another route")
        else:
            made = _operation(each, schemas)
            place = f"{method} {route.where}: {_handler(each.contract)}"
            unknown += [f"{place}: {misfit}" for misfit in add_examples(each.contract, made)]
            wanted = name if names[name] == 1 else f"{name}_{method.lower()}"
            if openapi == "3.1":
                _leave_out_items(made)
            made["operationId"] = _unique(wanted, used)
            paths.setdefault(each.planned.path, {})[method.lower()] = _ordered(made)
    return paths


def _id_of(described: _Described, several: set[str]) -> str:
    """Return the name of a route, after the prefix of its application if other mounted ones have the same name."""
    name = described.contract.route.name
    return ".".join([*re.findall(r"\w+", described.planned.prefix), name]) if name in several else name


def _leave_out_items(made: Schema) -> None:
    """Remove the schemas for the items of streams, which OpenAPI 3.1 lacks; a body of rows is a string there."""
    for response in made["responses"].values():
        for content in response.get("content", {}).values():
            content.pop("itemSchema", None)
    for media, content in made.get("requestBody", {}).get("content", {}).items():
        if content.pop("itemSchema", None) is not None and "schema" not in content:
            told = f"Rows, each as an item of the array in {JSON}."
            content["schema"] = {"type": "string", "contentMediaType": media, "description": told}


def _operation(described: _Described, schemas: Schemas) -> Schema:
    contract = described.contract
    made = operation(contract, described.planned.parameters, schemas)
    if tags := _tags_of(contract.route):
        made["tags"] = tags
    if contract.route.meta.get(OpenAPI.DEPRECATED):
        made["deprecated"] = True
    if contract.route.meta.get(RouteKeys.tool):
        made["x-tool"] = True
    if security := security_of(contract, described.security):
        made["security"] = security
    if contract.route.host:
        made["servers"] = [_server_of(contract.route.host)]
    return made


def refuses_other_sites(app: App, route: Route) -> bool:
    """Return True if pages on other sites may not write to a route."""
    return not (app.allows_cross_site_writes or route.csrf_exempt)


def _tags_of(route: Route) -> list[str]:
    return [*route.meta.get(OpenAPI.TAGS, [route.blueprint] if route.blueprint else [])]


def _server_of(host: str) -> Schema:
    """Return the server for a route limited to a host, whose parameters become variables."""
    parts = [part.partition(">") for part in host.split("<")]
    names = [part[0].rpartition(":")[2] for part in parts[1:]]
    url = "//" + parts[0][0] + "".join(f"{{{name}}}{part[2]}" for name, part in zip(names, parts[1:], strict=True))
    variables = {name: {"default": name} for name in names}
    return {"url": url, "variables": variables} if variables else {"url": url}


def _unique(name: str, used: set[str]) -> str:
    found, count = name, 1
    while found in used:
        count += 1
        found = f"{name}_{count}"
    used.add(found)
    return found


_ORDER = (
    "operationId", "summary", "description", "tags", "deprecated", "servers", "parameters", "requestBody", "responses",
    "security", "x-tool",
)  # fmt: skip


def _ordered(made: Schema) -> Schema:
    return {key: made[key] for key in _ORDER if key in made}


def _content(info: Info, paths: Schema, schemas: Schemas, described: list[_Described]) -> Schema:
    about: Schema = {"title": info.title, "version": info.version}
    if info.description:
        about["description"] = info.description
    content: Schema = {"openapi": VERSIONS[info.openapi], "info": about}
    if info.servers:
        content["servers"] = [{"url": url} for url in info.servers]
    tags = dict.fromkeys(tag for each in described for tag in _tags_of(each.contract.route))
    if tags:
        content["tags"] = [{"name": name} for name in tags]
    content["paths"] = dict(sorted(paths.items()))
    components = {**schemas.components, PROBLEM_NAME: dict(PROBLEM_SCHEMA)}
    content["components"] = {"schemas": {name: components[name] for name in sorted(reached([paths], components))}}
    schemes = {name: schema for each in described for name, (_, schema) in each.security.items()}
    for each in described:
        schemes |= proofs_of(each.contract.added)
    if schemes:
        content["components"]["securitySchemes"] = schemes
    return content


def _mounted(app: App, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the mounted applications that publish a document as FastAPI's do, with their prefix."""
    for mount in app.mounts:
        if mount.host is None and "<" not in mount.prefix:
            if isinstance(mount.application, App):
                yield from _mounted(mount.application, above + mount.prefix)
            elif getattr(mount.application, "openapi_url", None):
                yield above + mount.prefix, mount.application


def _merge(content: Schema, above: str, theirs: Schema, prefix: str) -> None:
    """Add the paths of a mounted application's document that no route has, and its components by unused names."""
    paths, components = content["paths"], content["components"]
    taken = {_shape(path) for path in paths}
    used = {each["operationId"] for item in paths.values() for each in _operations(item)}
    names: dict[str, str] = {}
    for section, parts in theirs.get("components", {}).items():
        known = {*components.setdefault(section, {})}
        names |= {f"#/components/{section}/{name}": _unique(name, known) for name in parts}
    theirs = _renamed(theirs, names)
    for pointer, name in names.items():
        section, old = pointer.split("/", 3)[2:]
        components[section][name] = theirs["components"][section][old]
    for path, item in theirs["paths"].items():
        if _shape(above + path) in taken or not _is_below(above + path, prefix):
            continue
        paths[above + path] = item
        for each in _operations(item):
            each |= {"operationId": _unique(each.get("operationId", path), used), "x-mounted": above or "/"}
            for wanted in each.get("security", ()):
                for scheme in [*wanted]:
                    wanted[names.get(f"#/components/securitySchemes/{scheme}", scheme)] = wanted.pop(scheme)
    content["paths"] = dict(sorted(paths.items()))


def _shape(path: str) -> str:
    return re.sub(r"\{.*?\}", "{}", path)


def _operations(item: Schema) -> list[Schema]:
    return [each for name, each in item.items() if name.upper() in (*_METHODS, "QUERY")]


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Return a copy of a part of a document that refers to components by other names."""
    if isinstance(value, dict):
        return {key: _renamed(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return value if value not in names else f"{value.rpartition('/')[0]}/{names[value]}"


def add_examples(contract: Contract, operation: Schema) -> Iterator[str]:
    """Add a route's examples to its operation, and yield an error for each example that does not match."""
    examples: Mapping[Any, Any] = contract.route.meta.get(RouteKeys.examples) or {}
    for key, value in examples.items():
        written = encode_json(value)
        plain: Any = decode_json(written)
        if key in ("query", "path", "headers"):
            place = "header" if key == "headers" else key
            values = {_field_of(name, place): each for name, each in plain.items()}
            for each in operation.get("parameters", ()):
                if each["in"] == place and (name := _field_of(each["name"], place)) in values:
                    each["example"] = values[name]
        elif isinstance(key, int):
            content = operation["responses"].get(str(key), {}).get("content", {})
            media = Headers({"content-type": next(iter(content), JSON)})
            if breach := breach_of(contract, key, media, written, contract.method):
                yield f"the example for {key} does not fit: {breach}"
            for each in content.values():
                each["example"] = plain
        else:
            yield from _misfits(contract, key, written)
            for media_type, each in operation.get("requestBody", {}).get("content", {}).items():
                if (media_type == JSON) == (key == "json"):
                    each["example"] = plain


def _field_of(name: str, place: str) -> str:
    return name.lower().replace("-", "_") if place == "header" else name


def _misfits(contract: Contract, part: str, written: bytes) -> Iterator[str]:
    """Yield an error if an example of a body can't be read as any of the body's types."""
    refused = []
    for read in contract.reads:
        if read.part == part == "json" and read.wanted is not Any:
            try:
                json_as(written, read.wanted)
            except HTTPError as error:
                refused += [f"{each['pointer']} {each['detail']}".strip() for each in error.errors]
            else:
                return
    if refused:
        yield f"the example of the {part} is not valid: {refused[0]}"
