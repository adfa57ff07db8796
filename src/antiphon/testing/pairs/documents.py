"""The document of a program: the same beside each feature but for what that declares, and kept by each response."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from antiphon.features.openapi.code.sources import Sources
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.http.headers import Headers
from antiphon.testing.pairs import varied
from antiphon.testing.pairs.programs import Program, Route, Sent
from antiphon.testing.pairs.rules import Failure, Observed
from antiphon.testing.pairs.running import Seen, forget, load

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
