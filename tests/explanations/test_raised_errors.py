"""Each error for programmers has a kind."""

import ast
from functools import cache
from pathlib import Path

import pytest

import antiphon

pytestmark = pytest.mark.once
PACKAGE = Path(antiphon.__file__).parent
PLAIN = {"ValueError", "TypeError", "RuntimeError", "LookupError", "ImportError", "NotImplementedError"}
WITHOUT_KIND = {
    "reads values of headers, most of them from clients, and is caught on the way: a note would cost time there": """
        app.planning.cross_site.parse_origin app.planning.request_checks._parse body.multipart.MultipartParser
        http.authorization.Authorization.parse http.authorization.Authorization._complete
        http.authorization.Challenge.parse http.authorization._read_basic http.authorization._read_parameters
        http.content_disposition.ContentDisposition.parse http.cookies.SetCookie.parse
        http.dates._datetime http.dates.parse_http_date http.dates.parse_retry_after http.dates.parse_structured_date
        http.conditional.ETag.parse http.forwarded.ForwardedElement._read http.forwarded.ForwardedElement.parse
        http.forwarded.ForwardedNode.parse http.forwarded.parse_port http.forwarded.parse_prefix
        http.grammar.decode_extended http.grammar.parse_qvalue http.head.parse_length
        http.header_property.parse_number http.headers.Headers.parse http.link.Link.parse
        http.media_type.MediaType._parse http.ranges.ContentRange.parse http.ranges._parse http.ranges._parse_spec
        http.structured_fields._Scanner http.tracing.TraceParent.parse
        http.urls.url._parse_authority http.urls.url.decode_path http.urls.url.parse_host
        http.urls.urlencoded.parse_form http.urls.urlencoded.parse_limited
    """,
    "tells the router that a segment of a path does not match, which most segments do not": """
        app.planning.planner._never_fails.to_python routing.pattern.Mixed.to_python
        routing.converters._number routing.converters._path routing.converters._read_uuid routing.converters._text
        routing.converters._whole_number
    """,
    "is a part of the message of another error, which has a kind": """
        features.languages.catalogues.declared_rule app.store._plain
        http.header_property response.headers._of
        routing.converters._between routing.converters._matching routing.converters._one_of
        routing.converters.find_converter
    """,
    "is a part of the reason why a signature is refused, which has a kind": """
        features.signatures.components features.signatures.feature features.signatures.keys._number_bytes
        features.signatures.webhooks
    """,
    "is a part of what ContractError says, which has a kind": """
        testing.servers.asgi testing.servers.exchange.checked_head
        testing.servers.exchange.checked_links testing.servers.exchange.checked_status
        testing.servers.rsgi testing.servers.wsgi._fields testing.servers.wsgi._status
    """,
    "no program meets it: it leads from one branch to another, or says that our own code is wrong": """
        adapters.foreign.environ_host.EnvironHost.respond_to_environ adapters.servable.Servable._handle
        adapters.foreign.environ_host.Host.respond_to_request frameworks.framework adapters.wsgi.WSGIBody._tell
        handler.drive._misplaced testing.client._run_inline uploads.temporary_file.give_name
    """,
    "says what is wrong with a document of an identity provider, which is logged": "features.oauth.tokens._read",
    "says what is wrong with a server, not with a program": "adapters.servable.Servable._serve_asgi",
    "says what is wrong with a feature's row for random applications": "testing.pairs.table.features",
    "says that an iterator failed, as Python does of a generator": "concurrency.bridge.AsyncFromSync.fetch",
    "says why a function can't be read, which the document repeats": "features.openapi.code.flow.Flow.step",
    "tells msgspec that a type has no schema, as it asks": "features.openapi.schemas._schema_hook",
    "tells dialects that a system has no list of descriptors": "adapters.connection._Descriptors._scan",
    "says what the work itself has raised": "features.durable.flow.Flow.outcome concurrency.loop.contained",
    "says what to install": "lazy.changed_package",
    "says why a request is not kept, which is logged": "features.recorder.shelf.Shelf.put",
    "says that JSON is ambiguous, and is caught": "features.recorder.disguise._without_duplicates",
}
"""Functions, classes and modules that raise errors without a kind, by the reason."""
LEFT_OUT = {name for names in WITHOUT_KIND.values() for name in names.split()}


def plain_errors(node: ast.AST, place: str):
    """Yield each plain error that is made in a place, with the names of the classes and functions around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):  # which has no statements
            continue
        within = place
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            within = f"{place}.{child.name}"
        elif any(is_plain(part) for part in made_by(child)):
            yield within, child.lineno
        yield from plain_errors(child, within)


def made_by(statement: ast.AST) -> list[ast.expr]:
    """Return what is raised, or returned to be raised by others: also the parts of `error or ValueError("...")`."""
    error = statement.exc if isinstance(statement, ast.Raise) else None
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Call):
        error = statement.value
    if isinstance(error, ast.BoolOp):
        return error.values
    if isinstance(error, ast.IfExp):
        return [error.body, error.orelse]
    return [error] if error else []


def is_plain(error: ast.expr) -> bool:
    made = error.func if isinstance(error, ast.Call) else error
    return isinstance(made, ast.Name) and made.id in PLAIN


@cache
def module_errors() -> list[tuple[str, int]]:
    """Return the places and lines in which plain errors are made, in the whole package but the CLI and the dialects."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).with_suffix("").parts
        if module[0] not in ("cli", "dialects"):
            found += plain_errors(ast.parse(path.read_text()), ".".join(module))
    return found


def left_out(place: str) -> set[str]:
    """Return the entries of ``LEFT_OUT`` for a place: itself, and what is around it."""
    return {name for name in LEFT_OUT if f"{place}.".startswith(f"{name}.")}


def test_each_error_that_a_program_may_meet_has_a_kind():
    bare = [f"{place}, line {line}" for place, line in module_errors() if not left_out(place)]
    assert not bare, 'write `raise explained("kind", ...)`, with a kind of src/antiphon/explanations/errors.md'


def test_what_is_left_out_makes_errors():
    assert {name for place, _ in module_errors() for name in left_out(place)} == LEFT_OUT
