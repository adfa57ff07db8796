"""The eleven places to import from: their names, which are imported on first use, and what that loads."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import antiphon
from antiphon.http import HTTPError
from antiphon.speedups import IS_COMPILED
from tests.helpers.rows import rows

RARE = {402, 406, 407, 408, 411, 414, 417, 426, 431, 504}
"""Statuses that programs raise by `abort`, since their classes are not public."""
PUBLIC = {
    "antiphon": {
        "App", "BadSignature", "Blueprint", "Dependency", "Exchange", "HTTPError",
        "JSON", "Limits", "Observer", "FormPart", "Redirect", "check_as",
        "Request", "Response", "RouteKey", "Session", "SignatureExpired", "Signer", "TrustedProxies",
        "Upload", "BlockingWebSocket", "Views", "WebSocket", "WebSocketClosed",
        "abort", "aget_response", "current_request", "decimal_meta", "env", "explained", "from_asgi", "from_wsgi",
        "get_response", "is_debug", "to_app", "view",
    },
    "antiphon.http": {
        "Accept", "AcceptEncoding", "AcceptLanguage", "Address", "Authorization", "ByteRange",
        "CacheControl", "Challenge", "ContentDisposition", "ContentRange", "DisplayString", "ETag", "Event",
        "FieldProblemCode", "FieldError", "FieldProblem",
        "HTTPError",
        "Headers", "IfMatch", "IfNoneMatch", "IfRange", "InnerList", "Item", "Link", "MediaType",
        "MultiDict", "MutableHeaders", "NotModified",
        "Priority", "Range",
        "ServerTiming",
        "SetCookie", "Token", "TraceParent", "URL", "UserAgent", "abort", "format_http_date",
        "format_links", "format_query", "format_structured_dictionary", "format_structured_list", "generate_etag",
        "parse_challenges", "parse_cookies", "parse_http_date", "parse_events", "parse_links",
        "parse_query", "parse_structured_dictionary", "parse_structured_list",
        *(cls.__name__ for status, cls in HTTPError.by_status.items() if status not in RARE),
    },
    "antiphon.features": {
        "APIKey", "AccessLog", "AccessToken", "BadCSRFToken", "Basic", "Bearer", "Block", "BlockScript",
        "CSRFTokens", "Cache", "Channel",
        "Compression", "ContentSecurityPolicy", "CookieStore", "CORS", "DjangoLogin", "Durable", "Field", "Flash",
        "Form", "Health", "HealthCheck",
        "IdempotentWrites", "Introspection", "Languages", "MemoryStore",
        "FileRoutes", "Metrics", "MissedMessages", "OpenAPI", "OpenTelemetry", "Page", "Passkey", "PasskeyLogin",
        "PostgresStore",
        "PermissionsPolicy", "ProtectedResource", "RateLimit", "RefreshTokens",
        "ResumableUploads", "RouteFile",
        "SQLiteStore", "SecurityHeaders", "SessionLogin",
        "Sessions", "Store", "StoreCount", "StoreEntry", "StoreUnavailable", "StrictTransportSecurity", "Table",
        "TableQuery", "Templates",
        "Live", "Slot", "live_reads", "live_writes",
        "Gives", "Personal", "Recorder", "RequestSignature", "RunEnded",
        "Runs", "Secret", "Tool", "ToolCall", "Tools", "UserSource", "Users",
        "ValkeyStore", "ValuesMissed", "WebhookSignature", "bound_required", "csp_nonce", "csrf_input",
        "csrf_token",
        "current_run", "format_currency", "format_date", "format_datetime", "format_number", "format_percent",
        "format_time", "format_timedelta", "is_same_secret", "lazy_gettext", "login", "login_required", "logout",
        "route_options", "scopes_required", "ui_message_stream",
        "SignatureKey", "SignatureRefused", "Signatures", "SignedResponses", "StandardWebhook",
        "Webhook", "WebhookRefused", "sign",
        "BoundField",
        "FlashMessage",
        "OwnedEntry",
    },
    "antiphon.embedding": {
        "Added", "Advice", "BEGIN_ON_THREAD", "Content", "Crossing", "DRAINING", "DatabaseConnection",
        "DerivedHead", "DescribedApp", "DigestError", "EnvironHost", "FeatureStore", "FileBody", "ForeignSockets",
        "FormBounds", "Framework", "FrameworkRequest", "FrameworkResponse", "GRACE_OVER", "Head", "Host",
        "KeptResponse", "KeyHandling", "LoopServer", "MadeRequest", "MultipartParser", "NotBegun", "NotLoadedError",
        "ON_LOOP", "ON_THREAD", "OfRequest", "PlannedRoute", "Reads", "ReceivedInput", "RequestHead",
        "RequestLocal", "RequestState", "RouteKeys", "SAFE_METHODS", "Servable", "SharedFields", "Spool",
        "ThreadServer", "TimedSigner", "TypeDescription", "ViewRoute", "WatchedHead", "Window", "absent",
        "accelerated", "arrivals", "as_bytes", "background_loop", "call_after_fork", "call_at_exit",
        "call_in_own_context", "check_arguments", "check_cross_site", "check_handshake", "check_no_decorator",
        "check_numbers", "check_template_data", "checked_by", "contained", "decode_json", "describe", "encode_json",
        "endable", "environ_request", "errors_name_it", "folders_beside", "http_error", "import_on_use",
        "innermost", "is_async", "is_for_any_thread", "is_on_loop", "is_this_machine", "is_token",
        "json_as", "keep_private", "lazy", "made_chunks", "make_environ", "missing_package", "mounted_together",
        "over_limit", "parse_or_none", "parse_origin", "quote_path", "quoted_paths", "ready", "refuse_on_loop",
        "require_names", "response_of", "run_async", "run_on", "safe_filename", "scope_request", "seconds_of",
        "served_names", "serving_loop", "set_current_request", "signature_of", "split_list", "started_response",
        "to_response", "until_left", "unwatched", "watched",
    },
    "antiphon.cli": {"load_app", "load_feature"},
    "antiphon.logs": {"JSONFormatter", "RequestIDFilter", "TextFormatter"},
    "antiphon.testing": {
        "AsyncClient", "BrokenResponse", "Client",
        "ClientResponse", "ClientSession", "ClientWebSocket", "ContractError", "CookieJar",
        "HandshakeRefused", "LifespanError",
    },
    "antiphon.types": {
        "BareItem", "BeforeHook", "Caller", "ChannelMessage", "Counter", "Duration", "Environment", "Feature",
        "FlashMessages", "Gauge", "Handler", "HeaderFields", "Histogram", "Identity", "Language", "Lifetime", "Markup",
        "MiddlewareFunction", "Mount", "OpenAPIDocument", "Record", "RequestOptions", "ResponseLike", "Route",
        "RouteOptions", "Routes", "Run", "SecretKeys", "TemplateRenderer", "Text", "Texts", "TrustedOrigins",
    },
    "antiphon.features.stores": {
        "ChannelLog", "Entry", "Position", "StoredKind", "check_ttl", "decode", "decode_value", "encode",
        "encode_value", "hash_key", "owned_entries", "unavailable",
    },
    "antiphon.testing.stores": {"ClockedStore", "StoreTests", "TimedStore"},
    "antiphon.testing.pairs": {"Feature", "Option", "Route", "Sign"},
    "antiphon.testing.races": {"RaceFound", "Sent", "World", "races", "request"},
    "antiphon.http1": {"parse_request", "parse_response", "format_request", "format_response"},
}  # fmt: skip
LAZY = tuple(place for place in PUBLIC if place != "antiphon.http1")
EVERYDAY = "from antiphon import App, Request, Response"
HEAVY = [
    "antiphon.cli", "antiphon.serialization.json", "antiphon.serialization.readers", "antiphon.testing", "asyncio",
    "click", "dataclasses", "difflib", "email", "granian", "html", "http.client", "inspect", "logging", "msgspec",
]  # fmt: skip


@rows("place", PUBLIC)
def test_are_exactly_these(place):
    assert set(importlib.import_module(place).__all__) == PUBLIC[place]


@rows("place", PUBLIC)
def test_can_be_imported_and_have_a_docstring(place):
    module = importlib.import_module(place)
    assert [
        name
        for name in PUBLIC[place] - {"FieldProblemCode", "Interface"}
        if not getattr(module, name).__doc__ and (place != "antiphon.types" or isinstance(getattr(module, name), type))
    ] == []


@rows("place", LAZY)
def test_are_listed_for_completion(place):
    module = importlib.import_module(place)
    assert PUBLIC[place] <= {*dir(module)}
    assert ("import_on_use" in dir(module)) == ("import_on_use" in PUBLIC[place])


@rows("place", LAZY)
def test_are_the_same_for_type_checkers(place):
    stub = Path(importlib.import_module(place).__file__).with_suffix(".pyi")
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    where = {alias.name: node.module for node in imports for alias in node.names}
    assert where.keys() == PUBLIC[place]
    for name, module in where.items():
        assert getattr(importlib.import_module(module), name) is getattr(importlib.import_module(place), name)


def test_write_initialisms_in_capitals():
    small = re.compile("(Api|Asgi|Cors|Csp|Csrf|Html|Http|Id|Ip|Json|Rsgi|Sql|Tls|Uri|Url|Utc|Wsgi)(?![a-z])")
    assert [name for names in PUBLIC.values() for name in names if small.search(name)] == []


def test_come_with_a_star_import_and_nothing_else_does():
    namespace = {}
    exec("from antiphon import *", namespace)
    assert namespace.keys() - {"__builtins__"} == PUBLIC["antiphon"]


def test_a_name_that_does_not_exist_is_an_attribute_error_that_says_so():
    with pytest.raises(AttributeError, match="module 'antiphon' has no attribute 'Nonesuch'"):
        antiphon.Nonesuch  # noqa: B018 - reading it is the test


ROOT = Path(__file__).parents[1]
SOURCES = {path: path.read_text() for path in ROOT.glob("src/antiphon/**/*.py")}
FOR_EXTENSIONS = {
    "Request.consulted",
    "Request.content",
    "Request.head",
    "Response.add_missing",
    "Routes.before_send",
    "response_of",
}
"""What is public, though applications need none of it: features, hosts and dialects do."""


def test_only_what_extensions_need_is_public_and_not_for_applications():
    inner = re.compile(r"For (the )?(adapters|dialects|features)\b")
    found = set()
    for source in SOURCES.values():
        for node in ast.walk(ast.parse(source)):
            members = getattr(node, "body", [])
            for member in members if isinstance(node, ast.ClassDef | ast.Module) else []:
                if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) or member.name.startswith("_"):
                    continue
                if inner.search(ast.get_docstring(member) or ""):
                    found.add(f"{node.name}.{member.name}" if isinstance(node, ast.ClassDef) else member.name)
    assert found | {"Request.consulted", "Request.head"} == FOR_EXTENSIONS


def test_names_of_the_package_are_used_outside_of_their_class():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in settings["tool"]["ruff"]["lint"]["flake8-self"]["extend-ignore-names"]:
        outside = re.compile(rf"(?<!\bself)(?<!\bcls)(?<!super\(\))\.{name}\b")
        assert any(f".{name}" in source and outside.search(source) for source in SOURCES.values()), name


def test_features_import_public_names_only():
    trees = [ast.parse(source) for path, source in SOURCES.items() if "antiphon/features" in path.as_posix()]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    inner = [node for node in imports if node.module.startswith("antiphon.") and node.module not in PUBLIC]
    taken = {(node.module, each.name) for node in inner for each in node.names if ".features." not in node.module}
    assert taken == set()


def private_names_of(tree):
    """Yield the private attributes that a module defines, and those that it reads from anything but its own object."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, True
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, True
        elif isinstance(node, ast.Attribute):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if isinstance(node.ctx, ast.Store) or not is_own:
                yield node.attr, isinstance(node.ctx, ast.Store)


def test_features_use_no_private_attribute_of_the_core():
    defined, own, used = set(), set(), set()
    for path, source in SOURCES.items():
        room = path.relative_to(ROOT / "src/antiphon").parts[0]
        for name, is_defined in private_names_of(ast.parse(source)):
            if room == "features":
                (own if is_defined else used).add(name)
            elif is_defined and room not in ("dialects", "cli", "testing", "frameworks"):
                defined.add(name)
    inner = {name for name in defined & used - own if re.match("_[^_]", name)}
    assert inner - {"_replace"} == set()  # a named tuple's


TYPED_FIRST = ["redirect", "Depends", "TestClient", "jsonify", "render_template", "HTTPException", "session", "Query"]


@rows("name", TYPED_FIRST)
def test_a_name_of_another_framework_is_an_error_with_ours(name):
    message = f"antiphon has no '{name}'; use .*[a-z]"
    with pytest.raises(ImportError, match=message):
        exec(f"from antiphon import App, {name}", {})
    with pytest.raises(AttributeError, match=message):
        getattr(antiphon, name)
    assert not hasattr(antiphon, name)


def test_the_request_is_no_global_and_what_is_imported_under_its_name_says_so():
    from antiphon import request

    with pytest.raises(AttributeError, match=r"has no attribute 'args'.*first argument.*current_request\(\)"):
        request.args  # noqa: B018 - reading it is the test


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert antiphon.__version__ == version("antiphon")


def loaded_by(statement):
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.processes
def test_importing_the_package_loads_none_of_them():
    assert [name for name in loaded_by("import antiphon") if name.startswith("antiphon")] == [
        "antiphon",
        "antiphon.lazy",
        "antiphon.speedups",
        *["antiphon.speedups._speedups"] * IS_COMPILED,
    ]


@pytest.mark.processes
def test_importing_what_every_app_needs_loads_nothing_heavy():
    loaded = loaded_by(EVERYDAY)
    assert "antiphon.request.request" in loaded
    assert [name for name in HEAVY if name in loaded] == []
