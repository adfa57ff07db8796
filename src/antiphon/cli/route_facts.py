"""Facts about one route: how its requests are handled, and for each fact how it is known, and from which line.

A fact is observed in the responses of this process, declared by a registration, read from code, or unknown. Code is
read here only to explain: nothing depends on it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

from antiphon.app.application import App
from antiphon.app.dispatch.dependencies import Source
from antiphon.app.dispatch.hooks import Hook
from antiphon.app.dispatch.middleware import Middleware
from antiphon.app.dispatch.plan import MIXED, Plan
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.registry import RouteGroup
from antiphon.app.route_keys import RouteKeys
from antiphon.cli.reading_lines import OWN_NAMES, Known, Reader, Reason, listed, named, owner_of, with_place
from antiphon.cli.target import ANTIPHON, shown_path
from antiphon.features.cache.feature import Cache
from antiphon.features.csrf import CSRFTokens
from antiphon.features.openapi.changes.places import code_of
from antiphon.features.openapi.code.findings import NOWHERE
from antiphon.features.openapi.code.reading import function_of, is_ours
from antiphon.features.openapi.code.sources import Place
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.document import Info, described_routes, make_document, route_key
from antiphon.features.openapi.schemas import Schema
from antiphon.features.rate_limits import RateLimit
from antiphon.handler.callables import innermost, is_async
from antiphon.http.limits import NO_BOUND, LimitOptions, Limits
from antiphon.request.request import Request

Fields: TypeAlias = Mapping[str, str]
"""The header fields of a response, by name in lower case."""


class Fact(NamedTuple):
    """A fact about a route, how it is known, and the file and line, or the setting, that declares it."""

    about: str
    text: str
    known: Known
    place: str = ""

    @property
    def source(self) -> str:
        """How it is known, and from where."""
        return f"{self.known}: {self.place}" if self.place else self.known


def facts_of(
    plans: Sequence[Plan], method: str, responses: Sequence[Fields] = (), *, has_document: bool = True
) -> list[Fact]:
    """Return the facts about the requests with a method that are handled by the last of these plans, inside those of
    the applications in which its own is mounted.

    ``responses`` are those to such requests that this process was seen to send. ``has_document`` is False to leave out
    the facts of the document, for which all code of the route is read.
    """
    *above, route = [_Route(plan, method) for plan in plans]
    around = [name for each in (*above, route) for name in each.around()]
    has_cache = any(isinstance(feature, Cache) for each in (*above, route) for feature in each.features)
    parts = [
        route.running(),
        [Fact("around it", listed(around) or "no middleware", "declared")],
        *[each.opened() for each in (*above, route)],
        route.sites(),
        *[each.guards() for each in (*above, route)],
        *[each.limits() for each in (*above, route)],
        route.default_limits(),
        route.shared(responses, has_cache),
        route.document() if has_document else (),
    ]
    return [fact for part in parts for fact in part]


def rows_of(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """Return facts as names and values, for a page."""
    return [(each.about, f"{each.text} ({each.source})") for each in facts]


class _Route:
    """A planned route and one of its methods."""

    def __init__(self, plan: Plan, method: str) -> None:
        self.plan, self.route, self.method = plan, plan.route, "GET" if method == "HEAD" else method
        self.app: App = plan.route.app
        self.group = next(each for each in self.app._route_groups if each.name == (plan.route.blueprint or ""))
        self.features = [] if plan.route.unguarded else self.group.features
        handler = plan.route.handler if plan.mount is None else plan.mount.application
        self.name, self.place = named(handler)

    # Where it runs

    def running(self) -> Iterator[Fact]:
        plan, stack = self.plan, self.plan.stack
        blocks = plan.handler.blocks
        where = "a thread, over WSGI the server's own" if blocks else "the event loop"
        where += f", because {self.name} is `{'def' if blocks else 'async def'}`" if plan.mount is None else ""
        if self.route.websocket is not None and not is_async(self.route.handler):
            where = f"a thread of its own, because {self.name} is `def`"
        elif plan.runs_on is MIXED and plan.mount is None:
            others = listed(_name_of_part(part) for part in stack.parts if part.blocks != blocks)
            where += f"; on {'the event loop, as async' if blocks else 'a thread, as blocking'}: {others}"
        elif plan.at_hand is not None:
            where += "; on the event loop where that hardly blocks it"
        yield Fact("runs on", where, "declared", self.place)
        if self.method not in SAFE_METHODS and plan.mount is None:
            yield Fact("body", _BODIES[self.route.receive], "declared", self.place)

    def around(self) -> list[str]:
        """Return the middleware and the hooks after the handler, outermost first, and then what completes responses."""
        stack = self.plan.stack
        first = () if self.route.unguarded else self.app._registry.before_routing
        parts: list[Middleware | Hook] = [*first, *stack.middleware, *stack.innermost, *stack.after]
        return [with_place(each) for each in (*(part.function for part in parts), *self.plan.finishers)]

    # Dependencies

    def opened(self) -> Iterator[Fact]:
        stack, dependencies = self.plan.stack, self.route.dependencies
        kept = (*stack.ahead, *stack.resolving)
        hooks = [*stack.before, *stack.after, *(hook for each in stack.error_handlers for hook in each.hooks)]
        parts: list[Middleware | Hook] = [*stack.middleware, *stack.innermost, *hooks, *(each.hook for each in kept)]
        readers = [self.route.handler, *(each.function for each in parts)]
        reader = Reader(dependencies.readings)
        opened: dict[Reason, list[str]] = {}
        for source in kept:
            others = [each for each in readers if each is not source.hook.function]
            condition = "" if source.when is None else " (if the request has one)"
            name = f"{source.provides.name}{condition}"
            opened.setdefault(reader.reason(others, source.provides), []).append(name)
        for (why, known, place), names in opened.items():
            yield Fact("opens", f"{listed(names)}: {why}", known, place)
        rest = [each for each in dependencies.sources if each.provides not in [one.provides for one in kept]]
        rest = [each for each in rest if _is_for_programs(each)]
        if left_out := [each.provides.name for each in rest if each.is_resolved]:
            yield Fact("doesn't open", f"{listed(left_out)}: nothing here reads it", "read from code", self.place)
        if on_read := [each.provides.name for each in rest if not each.is_resolved]:
            yield Fact("opens on read", listed(on_read), "declared")
        dependencies.forget_readings()

    # Guards

    def guards(self) -> Iterator[Fact]:
        route, hooks = self.route, [each.function for each in self.plan.stack.before]
        yield from (
            fact for each in map(owner_of, hooks) if isinstance(each, CSRFTokens) for fact in self._tokens(each)
        )
        if route.unguarded:
            yield Fact("guards", "none: outside all middleware and hooks, for every host", "declared", self.place)
        if self.app.declares_hosts and not route.unguarded:
            text = "refused (421) for hosts that trusted_hosts doesn't list"
            yield Fact("guards", text, "declared", "App(trusted_hosts=...)")
        if route.signed_url:
            yield Fact("guards", "refused (403) without a signed URL", "declared", self.place)
        for key, text in {
            RouteKeys.signed_by: "refused (401) without a signature by {}",
            RouteKeys.check_digest: "refused (400) without the Content-Digest of its body",
            RouteKeys.idempotent: "carried out once for each Idempotency-Key",
            RouteKeys.durable: "carried out once for each Idempotency-Key",
        }.items():
            if value := route.meta.get(key):
                yield Fact("guards", text.format(value), "declared", self.place)
        for hook in hooks:
            if not (_is_check(hook) or isinstance(owner_of(hook), CSRFTokens | RateLimit)):
                name, place = named(hook)
                is_own = hook in [each.function for each in route.before]
                where = place or (self.place if is_own else "app.use")
                yield Fact("guards", f"{name} is called first, and may refuse", "declared", where)

    def sites(self) -> Iterator[Fact]:
        what = "writes" if self.route.websocket is None else "handshakes"
        if self.route.websocket is None and self.method in SAFE_METHODS:
            yield Fact("writes", f"{self.method} is for reading, so pages on any site may send it", "declared")
        elif self.plan.mount is not None and not self.plan.checks_writes:
            yield Fact("writes", f"{self.name} checks them itself", "declared")
        elif self.route.csrf_exempt:
            text = "accepted from pages on any site, without a token: csrf_exempt=True"
            yield Fact(what, text, "declared", self.place)
        elif self.app.allows_cross_site_writes:
            yield Fact(what, "accepted from pages on any site", "declared", "App(cross_site_writes=True)")
        else:
            text = "refused (403) from pages on other sites, unless trusted_origins lists them: Sec-Fetch-Site, Origin"
            yield Fact(what, text, "declared", "the default")

    def _tokens(self, tokens: CSRFTokens) -> Iterator[Fact]:
        if self.method in SAFE_METHODS or self.route.csrf_exempt:
            return
        if tokens._is_exempt(self.route.name):
            yield Fact("writes", "accepted without a token", "declared", "CSRFTokens(exempt=...)")
        else:
            text = "refused (403) without a token of the session, except with a Bearer token and no cookie"
            yield Fact("writes", text, "declared", "CSRFTokens")

    # Limits

    def limits(self) -> Iterator[Fact]:
        outer: LimitOptions = {}
        groups = [*_upwards(self.group)]
        for group in reversed(groups):
            yield from _bounds(group.limits.given, outer, _scope(group, "App(limits=...)"))
            outer = group.limits.given
        yield from _bounds(self.route.limits.given, outer, self.place if self.plan.mount is None else "app.mount")
        for each in dict.fromkeys((*self.features, *(hook.function for hook in self.route.before))):
            if isinstance(each, RateLimit):
                using = [_scope(group, "app.use") for group in groups if each in group.registry.features]
                by = "address" if each._by is None else with_place(each._by)
                text = f"{each._limit} requests in {each._period} seconds by {by} (429)"
                yield Fact("limits", text, "declared", (*using, self.place)[0])
        if self.route.deadline is not None and self.plan.is_async:  # nothing cancels the others
            same = [*takewhile(lambda group: group.deadline == self.route.deadline, groups)]
            where = _scope(same[-1], "App(deadline=...)") if same else self.place
            yield Fact("limits", f"a response within {self.route.deadline:g} seconds (504)", "declared", where)

    def default_limits(self) -> Iterator[Fact]:
        shown: tuple[str, ...] = ("query", "headers") if self.method in SAFE_METHODS else ("body", "json", "timeout")
        shown = shown if self.route.websocket is None else ("message", "sockets")
        if left := [_bound(name, getattr(Limits(), name)) for name in shown if name not in self.route.limits.given]:
            yield Fact("limits", ", ".join(left), "declared", "the defaults of Limits")

    # Caches

    def shared(self, responses: Sequence[Fields], cache: bool) -> Iterator[Fact]:
        if self.method not in _READS or self.route.websocket is not None:
            return
        told = "Cache, if the response allows it" if cache else "no Cache here; other caches do what the response says"
        yield Fact("cached by", told, "declared", "app.use" if cache else "")
        seen = _counted(responses)
        if cache:
            yield self._key([each for each in responses if _KEPT & {*_words(each.get("cache-status", ""))}])
        if not responses:
            yield Fact("Vary", "no response of this route was seen here", "unknown")
            return
        fields = [*dict.fromkeys(each.strip().lower() for one in _values(responses, "vary") for each in one.split(","))]
        yield Fact("Vary", ", ".join(fields) or "none", "observed", seen)
        for name in ("Cache-Control", "Cache-Status"):
            if values := _values(responses, name.lower()):
                yield Fact(name, "; ".join(values[-2:]), "observed", seen)

    def _key(self, kept: Sequence[Fields]) -> Fact:
        if not kept:
            return Fact("cache's key", "no stored response of this route was seen here", "unknown")
        content = ", content" if self.method == "QUERY" else ""
        ignored = "; ".join(_values(kept, "no-vary-search"))
        query = f"query as No-Vary-Search says: {ignored}" if ignored else "whole query"
        return Fact("cache's key", f"scheme, host, path, {query}{content}, fields of Vary", "observed", _counted(kept))

    # The document

    def document(self) -> Iterator[Fact]:
        known = (each for each in described_routes(self.app, with_hidden=True) if self.method in each.route.methods)
        key = route_key(self.route, self.method)
        planned = next((each for each in known if route_key(each.route, self.method) == key), None)
        if planned is None or self.route.websocket is not None:
            yield Fact("document", "doesn't describe it", "declared")
            return
        made = make_document(self.app, Info("", prefix=planned.path, openapi="3.2", with_hidden=True))
        contract = made.find(planned.route, self.method)
        operation = made.content["paths"].get(planned.path, {}).get(self.method.lower())
        if contract is None or operation is None:
            yield Fact("document", "doesn't describe this method", "unknown", self.place)
            return
        around = (*planned.resolved, *planned.after, *planned.middleware, *planned.before, planned.route.handler)
        mentions = {name: place for each in around for name, place in code_of(each).mentions.items()}
        yield from self._taken(contract, operation, mentions)
        yield from self._given(contract, operation)
        for each in dict.fromkeys(contract.unread):
            yield Fact("document", each.text, "unknown", _line_of(each.place))

    def _taken(self, contract: Contract, operation: Schema, mentions: Mapping[str, str]) -> Iterator[Fact]:
        said: Known = "read from code" if self.route.meta.get(RouteKeys.takes) is None else "declared"
        for each in [one for one in contract.reads if contract.has_content or one.part in ("query", "headers")]:
            kind = "" if each.wanted is Any else f" as {getattr(each.wanted, '__name__', each.wanted)}"
            part = "the body as it is" if each.part == "raw" else each.part
            names = listed(one.name for one in contract.named if one.part == each.part and one.name)
            kind = f" with {names}" if names and not kind else kind
            yield Fact("document", f"takes {part}{kind}", said, _line_of(each.place))
        placed: dict[str, list[str]] = {}
        for each in [one for one in operation.get("parameters", ()) if one["in"] != "path"]:
            place = mentions.get(each["name"].lower(), "")
            need = "" if each.get("required") else "optional "
            kind = f" ({need}{_of_schema(each.get('schema', {}))})" if place else ""
            placed.setdefault(place, []).append(f"{each['in']} {each['name']}{kind}")
        for place, texts in placed.items():
            yield Fact("document", f"takes {listed(texts)}", "read from code", shown_path(place))

    def _given(self, contract: Contract, operation: Schema) -> Iterator[Fact]:
        annotated = "return" in getattr(innermost(self.route.handler), "__annotations__", {})
        for status, response in operation["responses"].items():
            if int(status) in {each.status for each in contract.responses}:
                kinds = [f"{media} {_of_schema(each)}" for media, each in response.get("content", {}).items()]
                is_said = annotated or int(status) in (self.route.gives or {})
                text = f"{status} {' or '.join(kinds) or response['description']}"
                yield Fact("document", f"gives {text}", "declared" if is_said else "read from code", self.place)
        places: dict[str, list[str]] = {}
        for status, several in sorted(contract.failures.items()):
            for failure in several:
                where = _line_of(failure.place)
                text = f"{status} {failure.detail}" if where and failure.detail else str(status)
                places.setdefault(where, []).append(text)
        for where, texts in sorted(places.items(), key=lambda each: each[0] == ""):
            known: Known = "read from code" if where else "declared"
            yield Fact("document", f"fails with {listed(texts)}", known, where or "Antiphon and its features")


_READS = ("GET", "QUERY")
_KEPT = {"hit", "stored"}
"""The parameters of Cache-Status for a response that was stored (RFC 9211)."""
_BODIES = {
    "load": "received before the handler is called",
    "lazy": "received when it is first read",
    "stream": "not kept, but read as a stream",
}


def _upwards(group: RouteGroup | None) -> Iterator[RouteGroup]:
    while group is not None:
        yield group
        group = group.above


def _scope(group: RouteGroup, of_app: str) -> str:
    """Return the name of a blueprint, or for the application what declares it."""
    return of_app if group.above is None else f"blueprint {group.name!r}"


def _bounds(given: LimitOptions, outer: LimitOptions, where: str) -> Iterator[Fact]:
    own = [_bound(name, bound) for name, bound in given.items() if name not in outer or bound != dict(outer)[name]]
    if own:
        yield Fact("limits", ", ".join(own), "declared", where)


def _bound(name: str, bound: Any) -> str:
    if bound == NO_BOUND:
        return f"{name} without a bound"
    if name in ("body", "file", "form", "headers", "json", "memory", "message", "query"):
        units = {30: "GiB", 20: "MiB", 10: "KiB", 0: "bytes"}
        shift = next(each for each in units if (bound % (1 << each) == 0 and bound >> each) or not each)
        return f"{name} {bound >> shift} {units[shift]}"
    return f"{name} {bound:g} s" if name == "timeout" else f"{name} {bound}"


def _line_of(place: Place) -> str:
    """Return the file and line of a place; "" for nowhere, and for this package's own code."""
    return "" if place == NOWHERE or place.file.startswith(ANTIPHON) else shown_path(f"{place.file}:{place.line}")


def _counted(responses: Sequence[Fields]) -> str:
    return "the last response" if len(responses) == 1 else f"the last {len(responses)} responses"


def _words(status: str) -> Iterator[str]:
    return (word.strip() for member in status.split(",") for word in member.split(";"))


def _values(responses: Iterable[Fields], name: str) -> list[str]:
    return [*dict.fromkeys(each[name] for each in responses if name in each)]


def _of_schema(schema: Any) -> str:
    """Return a few words about a JSON Schema, or about the content of a media type."""
    if "itemSchema" in schema:
        return f"a stream of {_of_schema(schema['itemSchema'])}"
    schema = schema.get("schema", schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_of_schema, schema["anyOf"])))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_of_schema(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "of any kind")


def _is_check(function: Any) -> bool:
    """Return True for a hook that an option of the route requires, which has a fact of its own."""
    inner = function_of(function)
    return is_ours(inner) and inner is not None and inner.__module__.startswith("antiphon.app.")


def _is_for_programs(source: Source) -> bool:
    """Return False for a dependency that this package provides for itself."""
    if source.provides in (Request.framework, Request.shared):
        return False
    return source.provides in OWN_NAMES or not is_ours(function_of(innermost(source.hook.function)))


def _name_of_part(part: Any) -> str:
    return str(part.provides.name) if isinstance(part, Source) else named(part.function)[0]
