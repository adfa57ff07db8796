"""An audit's knowledge of each route: who may call it, what goes in and out, and how it is protected."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from antiphon import App
from antiphon.embedding import Added, innermost
from antiphon.features.openapi.audit.asking import Asking
from antiphon.features.openapi.audit.objects import Code
from antiphon.features.openapi.changes.keywords import Schema, resolved
from antiphon.features.openapi.changes.places import classes_in, types_in
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import FindsUsers
from antiphon.features.openapi.code.reading import CodeReader, Providers, function_of, is_ours
from antiphon.features.openapi.code.sources import Sources
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.document import Info, described_routes, make_document
from antiphon.features.secret_names import Personal, Secret, encoded_names, is_marked_as, is_secret_name

_PERSONAL = re.compile(
    r"e_?mail|phone|mobile|^(first|last|middle|full|maiden|birth|real)_?name$|surname|address|birth|gender|iban|passport"
    r"|tax_?(id|number)|national_?id|salary|income|health|diagnosis|religion|ethnic|latitude|longitude",
    re.IGNORECASE,
)
_LONG = re.compile(r"session|csrf|xsrf|cookie|signature|authorization|bearer|jwt|token|credential|key", re.IGNORECASE)
"""Secrets that are too long to be guessed."""


class Field(NamedTuple):
    """A field that goes in or out, and the type that has it; "" for a field without a type."""

    kind: str
    name: str
    is_personal: bool
    is_secret: bool
    format: str = ""


@dataclass
class AuditedRoute:
    """One method of a route, as far as an audit is concerned."""

    method: str
    path: str
    contract: Contract
    operation: Schema
    parameters: list[str]
    """The names of the path's parameters that may refer to objects."""
    code: list[Code] = field(default_factory=list)
    """The code of the handler, and of the application's functions that it calls; none if the source is missing."""
    taken: list[Field] = field(default_factory=list)
    given: list[Field] = field(default_factory=list)
    """The fields of successful responses."""
    is_known: bool = True
    """False if the fields of a successful response are not known."""
    loaders: list[list[Code]] = field(default_factory=list)
    """The code of each function that finds a user by a token, and of those that it calls."""
    hooks: list[Any] = field(default_factory=list)
    """What is called before the handler."""
    asks: bool = False
    """True if code asks whose the object is, or whether the user may act for others."""
    kinds_of_users: frozenset[str] = frozenset()
    is_limited: bool = False
    """True if a rate limit stops those who guess."""
    protection: frozenset[str] = frozenset()
    """What protects it: "login", "scope", "rate limit", "CSRF token", "check of other sites", "idempotency key"."""

    @property
    def name(self) -> str:
        """The method and the path."""
        return f"{self.method} {self.path}"

    @property
    def function(self) -> Any:
        """The handler's function, or None."""
        return function_of(innermost(self.contract.route.handler))

    @property
    def place(self) -> str:
        """The file and line of the handler."""
        code = self.function and self.function.__code__
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""

    @property
    def called(self) -> set[str]:
        """The names of the functions and methods that the code and the hooks of the route call."""
        calls = [node.func for code in self.code for node in code.nodes if isinstance(node, ast.Call)]
        hooks = [each.__code__ for each in map(function_of, self.hooks) if each is not None]
        names = {name for code in hooks for name in (code.co_name, *code.co_names)}
        return names.union(getattr(each, "attr", getattr(each, "id", "")) for each in calls)

    @property
    def has_persons_only(self) -> bool:
        """True if it needs a user, whom nothing but a person's login identifies."""
        return "login" in self.protection and all(each.has_logins for each in _sources_of(self.contract.route.app))

    @property
    def is_of_accounts(self) -> bool:
        """True if it logs people in or out, or takes a password, which people do who are not logged in."""
        called = {getattr(node, "id", "") for each in self.code for node in each.nodes}
        return bool(called & {"login", "logout"}) or any(each.is_secret for each in self.taken)


def audited_routes(app: App) -> list[AuditedRoute]:
    """Return the operations of an application and of those mounted in it."""
    document = make_document(app, Info("", openapi="3.2", with_hidden=True))
    marks = _marks(document.contracts)
    paths = {path: {**item} for path, item in document.content["paths"].items()}
    sources = Sources()
    asking = Asking(CodeReader(sources=sources), sources)
    found = []
    for each in described_routes(app, with_hidden=True):
        for method in each.route.methods:
            contract = document.find(each.route, method)
            operation = paths.get(each.path, {}).pop(method.lower(), {})  # of the first route with this path
            if contract is None or method in ("HEAD", "OPTIONS"):
                continue
            objects = [name for name, converter in each.parameters.items() if not _is_choice(converter)]
            made = AuditedRoute(method, each.path, contract, operation, objects)
            made.taken = [*_fields(_taken(operation), document.content, marks)]
            made.given = [*_fields(_given(operation), document.content, marks)]
            made.is_known = all(_is_known(each) for each in _given(operation))
            kinds = [(source.scheme(each.app)[1], source.loader) for source in _sources_of(each.app)]
            loaders = [function_of(loader) for kind, loader in kinds if kind.get("scheme") == "bearer"]
            made.loaders = [[*asking.reached(loader, each.providers)] for loader in loaders if loader is not None]
            made.kinds_of_users = frozenset(_kinds_of_users(each.app))
            made.protection = frozenset(_protection(contract, each.app))
            made.hooks = [*each.before]
            limits = [added for added in contract.added if added.per_minute is not None]
            made.is_limited = 429 in contract.failures and (
                not limits or any(_stops_guesses(limit, sources, each.providers) for limit in limits)
            )
            function = made.function
            if function is not None:  # it is written in Python
                made.code = [*asking.reached(function, each.providers)]
            if made.code:
                made.taken += _of_untyped_json(made.code[0])
            around = [*each.before, *each.middleware, *_decorators(each.route.handler)]
            inner = [code for at, code in enumerate(made.code) if at == 0 or _reads_request(code)]
            made.asks = any(map(asking.asks, inner)) or any(
                asking.asks_around(function, each.providers) for function in around
            )
            found.append(made)
    return found


def _is_choice(converter: str) -> bool:
    """Return True for a converter whose values are some of the application's own, not objects that have an owner."""
    return converter == "language" or converter.startswith("any(")


def _decorators(handler: Any) -> Iterator[Any]:
    """Yield the functions around a handler, as far as its decorators set ``__wrapped__``."""
    while (inner := getattr(handler, "__wrapped__", None)) is not None:
        yield handler
        handler = inner


def _reads_request(code: Code) -> bool:
    """Return True for a function that may read the user itself, since it takes a request."""
    return any(isinstance(node, ast.Name) and code.is_request(node) for node in code.nodes)


# Fields


Marks = dict[tuple[str, str], type]


def _marks(contracts: Iterable[Contract]) -> Marks:
    """Return the fields that models mark as ``Personal`` or ``Secret``, by class and name."""
    marks: Marks = {}
    for kind in {kind for contract in contracts for kind in classes_in(types_in(contract))}:
        encoded = encoded_names(kind)
        for name, hint in annotations.hints_of(kind).items():
            for mark in (Personal, Secret):
                if is_marked_as(mark, hint):
                    marks[kind.__name__, encoded.get(name, name)] = mark
    return marks


def _taken(operation: Schema) -> Iterator[Any]:
    for each in operation.get("parameters", ()):
        if each.get("in") in ("query", "header", "cookie") and each["name"] != "Idempotency-Key":
            yield {"properties": {each["name"]: each.get("schema", {})}}
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield from (media[key] for key in ("schema", "itemSchema") if key in media)


def _given(operation: Schema) -> Iterator[Any]:
    for status, response in operation.get("responses", {}).items():
        if status.startswith("2"):
            for name, media in response.get("content", {}).items():
                if name not in ("text/html", "text/plain"):
                    yield media.get("itemSchema", media.get("schema", {}))


def _of_untyped_json(code: Code) -> Iterator[Field]:
    """Yield the members of JSON that a handler reads by their names, without a type."""
    if any(
        isinstance(node, ast.Attribute) and node.attr == "json" and code.is_request(node.value) for node in code.nodes
    ):
        for node in code.nodes:
            match node:
                case (
                    ast.Subscript(slice=ast.Constant(value=str() as name))
                    | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as name), *_])
                ):
                    yield Field("", name, bool(_PERSONAL.search(name)), is_secret_name(name))


def _is_known(schema: Any) -> bool:
    return bool(schema) and schema != {"type": "object"}


def _fields(schemas: Iterable[Any], document: Schema, marks: Marks) -> Iterator[Field]:
    """Yield the fields of schemas and of all schemas inside them, each once."""
    ahead, seen = [("", each) for each in schemas], set()
    while ahead:
        kind, schema = ahead.pop(0)
        if not isinstance(schema, dict) or (reference := schema.get("$ref")) in seen:
            continue
        if reference:
            seen.add(reference)
            kind = reference.rpartition("/")[2].removesuffix("Input")
            schema = resolved(schema, document)
        for name, inner in schema.get("properties", {}).items():
            if (kind, name) not in seen:
                seen.add((kind, name))
                mark = marks.get((kind, name))
                is_secret = mark is Secret or is_secret_name(name)
                is_personal = mark is Personal or bool(_PERSONAL.search(name))
                yield Field(kind, name, is_personal, is_secret, str(resolved(inner, document).get("format", "")))
            ahead.append((kind, inner))
        ahead += [(kind, schema[key]) for key in ("items", "additionalProperties", "contentSchema") if key in schema]
        ahead += [(kind, each) for key in ("anyOf", "oneOf", "allOf", "prefixItems") for each in schema.get(key, ())]


def is_guessable(field: Field) -> bool:
    """Return True for a secret that is short enough to be guessed, such as a password or a code."""
    return field.is_secret and not _LONG.search(field.name)


# Protection


_MOST_GUESSES = 100
"""The requests in a minute above which a rate limit doesn't stop anyone who guesses."""
_SENT = {"headers", "cookies", "user_agent", "referrer", "accept", "accept_language"}


def _stops_guesses(limit: Added, sources: Sources, providers: Providers) -> bool:
    """Return True for a limit that is low enough, and whose callers clients can't choose with each request."""
    function = None if limit.by is None else function_of(innermost(limit.by))
    code = None if function is None else Code.of(function, sources, providers)
    nodes = [] if code is None else [node for node in code.nodes if isinstance(node, ast.Attribute)]
    is_chosen = any(node.attr in _SENT and code is not None and code.is_request(node.value) for node in nodes)
    return (limit.per_minute or 0) <= _MOST_GUESSES and not is_chosen


def _protection(contract: Contract, app: App) -> Iterator[str]:
    route = contract.route
    if contract.requires_user:
        yield "login"
    if contract.scopes:
        yield "scope"
    if 429 in contract.failures:
        yield "rate limit"
    functions = [function_of(hook.function) for hook in route.before]
    yield from (f"before={each.__name__}" for each in functions if each is not None and not is_ours(each))
    yield from (each.protects for each in contract.added if each.protects)
    if not (route.csrf_exempt or app.allows_cross_site_writes):
        yield "check of other sites"


def _sources_of(app: App) -> list[Any]:
    return [source for each in app.features if isinstance(each, FindsUsers) for source in each.__security__()[0]]


def _kinds_of_users(app: App) -> Iterator[str]:
    """Yield the names of the classes of users, from what loads them."""
    for source in _sources_of(app):
        for kind in annotations.members(annotations.returned_by(function_of(source.loader))):
            if isinstance(kind, type) and kind is not type(None):
                yield kind.__name__
