"""Programs are tried: each is run over some ways, the rules look at what was observed, also beside the document, and a
failure is made short.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from random import Random
from typing import Any, TypeAlias, TypeVar, cast

from antiphon.features.openapi.code.sources import Sources
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.http.headers import Headers
from antiphon.testing.pairs import varied
from antiphon.testing.pairs.programs import Caller, Program, Route, Sent
from antiphon.testing.pairs.rules import RULES, Failure, Observed
from antiphon.testing.pairs.running import WAYS, NotMade, Outcome, Seen, Way, carried, forget, load, run
from antiphon.testing.pairs.trials import Trials
from antiphon.testing.pairs.varied import KINDS

IN_CIRCLES = frozenset({"flask", "django"})
"""Kinds that leave objects to the collector: Werkzeug's matcher, and Python's task groups."""

MOST_KEPT = 64
"""The number of programs after which the objects of earlier ones are collected: what is frozen stays in memory."""

_tried = count(1)


def failures(program: Program, ways: tuple[Way, ...] | None = None, *, document: bool | None = None) -> list[Failure]:
    """Return the rules that a program breaks, over the given ways or over those of its seed."""
    wants_document = _turn(program, 64) == 0 if document is None else document
    ways = ways or ways_of(program)
    with apart():
        return [*_failures(carried(program, *ways), ways, wants_document)]


@contextmanager
def apart() -> Iterator[None]:
    """Let a program in the block be the only one of which objects and sources are known."""
    warm_up()
    if next(_tried) % MOST_KEPT == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    gc.disable()  # looking for garbage at other times would take a sixteenth of the time
    try:
        yield
    finally:
        gc.enable()
        forget()


@cache
def warm_up() -> None:
    """Start what a process starts once, such as the loop of WSGI."""
    route = Route("route", "page", "GET", "/route", "return 'ready'", is_async=True)
    for way in WAYS[:3]:
        run(Program(0, (), (), (), (route,), (Sent(Caller(()), "GET", "/route", "route"),)), way)


def _turn(program: Program, of: int) -> int:
    """Return a random number for a seed, which no pair of features has at each of its turns."""
    return Random(f"{of} {program.seed}").randrange(of)


def ways_of(program: Program) -> tuple[Way, ...]:
    """Return ASGI, and by turns another interface or another way, which finds most of what varied routes break; and
    ways behind a cache for most programs that let it store responses.
    """
    random = Random(program.seed)
    is_varied = any(each.kind in KINDS for each in program.routes) and random.random() < 0.3
    turn = 1 + _turn(program, 2) if is_varied else _turn(program, 4)
    other = {1: WAYS[1:3], 2: WAYS[7:9] if is_varied else WAYS[3:7]}.get(turn)
    behind = WAYS[9:] if random.random() < 0.7 and _lets_share(program) else ()
    return (WAYS[0], *[random.choice(each) for each in (other, behind) if each])


def _lets_share(program: Program) -> bool:
    """Return True if code of a program lets shared caches store responses."""
    sources = [*[each.body for each in program.routes], *[each.source for each in program.around]]
    return any("cache" in each.lower() for each in sources)


def _failures(program: Program, ways: tuple[Way, ...], wants_document: bool) -> Iterator[Failure]:
    kinds = {*[each.kind for each in program.groups], *[each.kind for each in program.routes]}
    wants_garbage = _turn(program, 16) == 1 and not kinds & IN_CIRCLES
    try:
        outcomes = []
        for way in ways:
            try:
                looks = {"wants_kept": way == ways[0], "wants_garbage": wants_garbage and way in WAYS[:3]}
                outcomes.append(run(program, way, **looks))
            except TimeoutError as error:
                yield Failure("ends", "it hangs", (way,), what=str(error))
        if not outcomes:
            return
        callers = list(dict.fromkeys([each.caller for each in program.sent if each.write]))
        alone = [
            (each, _alone(program, each, ways[0]))
            for each in Random(program.seed).sample(callers, min(_turn(program, 8) == 3, len(callers)))
        ]
    except NotMade as error:
        parts = {*program.names, *[each.name for each in program.routes]}
        if sum(name in str(error) for name in parts) < 2:  # it names both
            yield Failure("refusals", "the application can't be made", ways[:1], what=str(error))
        return
    observed = Observed(program, tuple(outcomes), tuple(alone))
    for rule in RULES:
        yield from rule(observed)
    if wants_document:
        yield from documents(observed)


def _alone(program: Program, caller: Caller, way: Way) -> Outcome:
    return run(program._replace(sent=tuple([each for each in program.sent if each.caller == caller])), way)


# Shrinking


Q = TypeVar("Q", bound=Program)


class OfPrograms(Trials[Q, Failure]):
    """Trials of programs that may break rules."""

    def key(self, failure: Failure) -> tuple[str, str]:
        """Return the rule, and the kind of its failure."""
        return failure[:2]

    def shorter(self, program: Q) -> Iterator[Callable[[], Q]]:
        """Yield functions that leave out requests, routes, hooks, groups or features, or make a route simpler."""
        yield from cast("Iterator[Callable[[], Q]]", _shorter(program))

    def printed(self, program: Q, failure: Failure) -> str:
        """Return the source and the requests of a program, and what goes wrong."""
        sent = [
            f"# {each.caller.name}: {each.like} {each.method} {each.target} {each.fields} {each.body!r}"
            for each in program.sent
        ]
        return "\n".join([program.source, *sent, told(failure)])


def told(failure: Failure) -> str:
    """Return what goes wrong, as comments."""
    way, request = (failure.ways or WAYS)[-1], "" if failure.request is None else f", request {failure.request + 1}"
    text = f"It breaks {failure.rule!r} ({way.name}{request}): {failure.kind}\n{failure.what}"
    return "\n".join([f"# {line}" for line in text.splitlines()])


def _shorter(program: Program) -> Iterator[Callable[[], Program]]:
    size = len(program.sent) // 2
    while size:  # halves, then ever smaller parts
        for start in range(0, len(program.sent), size):
            yield partial(program._replace, sent=program.sent[:start] + program.sent[start + size :])
        size //= 2
    yield from (partial(program.without_group, each.name) for each in program.groups)
    yield from (partial(program.without_route, each.name) for each in program.routes if each.body)
    yield from (partial(program.without_feature, each.name) for _, each in program.features)
    yield from (partial(program.without_around, each.name) for each in program.around)
    for number, route in enumerate(program.routes):
        simpler = [
            route._replace(options=tuple([each for each in route.options if each != one]))
            for one in route.options
            if one[1].rate < 1
        ]
        if route.is_async and not {"await", "async"} & {*route.body.split()}:
            simpler.append(route._replace(is_async=False))
        for each in simpler:
            yield partial(program._replace, routes=(*program.routes[:number], each, *program.routes[number + 1 :]))


# Documents


_Without: TypeAlias = tuple[str, frozenset[int] | None, frozenset[str] | None, tuple[str, ...], Program]
"""A feature's name, what it declares (None: anything), its pages, and the program without it."""

_sources = Sources()
"""The parsed files of this package, which all programs share."""


def documents(observed: Observed) -> Iterator[Failure]:
    """A route's operation is the same without each feature that does not concern it, and true to its responses."""
    program = observed.program
    document = document_of(program)
    yield from _beside_features(program, document)
    contracts = {each.route.name.rpartition(".")[2]: each for each in document.contracts}
    operations = _operations(document)
    for outcome, number, sent, route, seen in observed.exchanges():
        is_other = route.kind in varied.KINDS or sent.target[:1] == "$" or sent.like == "begin"
        if outcome is not observed.outcomes[0] or route.name not in contracts or is_other:
            continue
        contract = contracts[route.name]
        if sent.method in (contract.method, "HEAD") and seen.is_whole:
            headers = Headers([field for field in seen.fields if field[0] != "content-encoding"])
            if found := breach_of(contract, seen.status, headers, seen.body, sent.method):
                yield Failure("document", "a response is not in the document", (outcome.way,), number, found)
        if sent.omits and route.name in operations:
            yield from _omitted(operations[route.name], program, sent, route, seen, number, observed)


def document_of(program: Program) -> OpenAPIDocument:
    """Return the document of a program, read from its code."""
    try:
        return make_document(load(program)["app"], Info("Shop"), _sources)
    finally:
        forget()
        _sources.forget_changed()


def _operations(document: OpenAPIDocument) -> dict[str, Any]:
    """Return the operations by the names of their routes, with schemas in place of references to them."""
    schemas = document.content.get("components", {}).get("schemas", {})
    return {
        operation["operationId"].rpartition(".")[2]: _resolved(operation, schemas)
        for path in document.content["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }


def _resolved(value: Any, schemas: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        name = str(value.get("$ref", "")).rpartition("/")[2]
        return schemas[name] if name in schemas else {key: _resolved(each, schemas) for key, each in value.items()}
    return [_resolved(each, schemas) for each in value] if isinstance(value, list) else value


def _beside_features(program: Program, document: OpenAPIDocument) -> Iterator[Failure]:
    with_all = _operations(document)
    shorter: list[_Without] = [
        (feature.name, feature.statuses, feature.parameters, feature.pages, program.without_feature(feature.name))
        for _, feature in program.features
        if not feature.identities and not any(feature.name in other.needs for _, other in program.features)
    ]
    shorter += [
        (each.name, None, None, (), program.without_around(each.name))
        for each in program.around
        if "errorhandler" not in each.source and "Response(" not in each.source
    ]
    for name, statuses, parameters, pages, without in shorter:
        known = {route.name: route for route in program.routes}
        for route, operation in _operations(document_of(without)).items():
            if any(each == name for each, _ in known[route].options) or (known[route].kind == "page" and pages):
                continue
            if what := _changed(operation, with_all[route], statuses, parameters):
                yield Failure("document", f"{name.rstrip('0123456789')} changes {what}", (), what=f"at {route}")


def _changed(
    without: dict[str, Any], beside: dict[str, Any], statuses: frozenset[int] | None, parameters: frozenset[str] | None
) -> str:
    """Return what a feature changes in an operation that it may only add to. None allows any addition."""
    ours, theirs = _parameters(without), _parameters(beside)
    for name, parameter in ours.items():
        if theirs.get(name) != parameter:
            return f"the parameter {name}"
    if parameters is not None and (added := {*theirs} - {*ours} - parameters):
        return f"the parameters: adds {', '.join(sorted(added))}"
    if without.get("requestBody") != beside.get("requestBody"):
        return "the request body"
    for status, response in without["responses"].items():
        if status not in beside["responses"]:
            return f"the responses: {status} is gone"
        if response.get("content") != beside["responses"][status].get("content") and int(status) not in (
            statuses or ()
        ):
            return f"the response {status}"
    more = {int(each) for each in {*beside["responses"]} - {*without["responses"]}}
    if statuses is not None and not more <= statuses:
        return f"the responses: adds {', '.join(map(str, sorted(more - statuses)))}"
    return ""


def _parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {each["name"].lower(): each for each in operation.get("parameters", [])}


def _omitted(
    operation: dict[str, Any], program: Program, sent: Sent, route: Route, seen: Seen, number: int, observed: Observed
) -> Iterator[Failure]:
    """Compare what became of a request that leaves something out with what the document says of that."""
    if not route.requires <= program.gives(sent.caller) or seen.status not in (200, 201, 400, 415, 422):
        return
    is_required, is_refused = _requires(operation, sent.omits), seen.status >= 400
    if is_required is not None and is_required != is_refused:
        said = "required" if is_required else "optional"
        yield Failure(
            "document", f"{seen.status} without {sent.omits}, which is {said}", (observed.outcomes[0].way,), number
        )


def _requires(operation: dict[str, Any], name: str) -> bool | None:
    """Return True if an operation requires a parameter or a field, or "body"; None if it has neither."""
    body = operation.get("requestBody")
    if name == "body":
        return None if body is None else bool(body.get("required"))
    if name in (parameters := _parameters(operation)):
        return bool(parameters[name].get("required"))
    schemas = [each.get("schema", {}) for each in (body or {}).get("content", {}).values()]
    found = [name in each.get("required", ()) for each in schemas if name in each.get("properties", {})]
    return all(found) if found else None
