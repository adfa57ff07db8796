"""Errors of features name the feature, and the argument, that the program has written, and not what is inside of it."""

from functools import partial

import pytest

from antiphon import App, Blueprint, Request
from antiphon.features import (
    CORS,
    AccessLog,
    Basic,
    Bearer,
    Cache,
    Channel,
    Compression,
    CookieStore,
    CSRFTokens,
    Flash,
    Health,
    HealthCheck,
    IdempotentWrites,
    MemoryStore,
    Metrics,
    OpenTelemetry,
    RateLimit,
    Recorder,
    Runs,
    SecurityHeaders,
    SessionLogin,
    Sessions,
    Signatures,
    SQLiteStore,
    StandardWebhook,
    Users,
    login,
    logout,
    sign,
)
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

COOKIES = CookieStore(["a key of more than sixteen bytes"])
SECRET = "a secret of more than sixteen bytes"

WRONG_OPTIONS = [
    (lambda: Sessions(idle=0), "Sessions", "idle"),
    (lambda: Sessions(lifetime=-1), "Sessions", "lifetime"),
    (lambda: Sessions(MemoryStore(), cookie="a b"), "Sessions", "a b"),
    (lambda: Sessions(MemoryStore(), samesite="Loose"), "Sessions", "Loose"),
    (lambda: IdempotentWrites(ttl=-1), "IdempotentWrites", "ttl"),
    (lambda: IdempotentWrites(takeover=0), "IdempotentWrites", "takeover"),
    (lambda: IdempotentWrites(max_body=0), "IdempotentWrites", "max_body"),
    (lambda: IdempotentWrites(by="user"), "IdempotentWrites", "user"),
    (lambda: Cache(max_bytes=0), "Cache", "max_bytes"),
    (lambda: Cache(max_body=0), "Cache", "max_body"),
    (lambda: Cache(lease=0), "Cache", "lease"),
    (lambda: Cache(timeout=0), "Cache", "timeout"),
    (lambda: RateLimit("often"), "RateLimit", "often"),
    (lambda: RateLimit("5/minute", when_unavailable="maybe"), "RateLimit", "when_unavailable"),
    (lambda: RateLimit("5/minute", by=lambda: "all"), "RateLimit", "request"),
    (lambda: RateLimit("5/minute", name="é"), "RateLimit", "é"),
    (lambda: Recorder(max_records=0), "Recorder", "max_records"),
    (lambda: Recorder(slower=0), "Recorder", "slower"),
    (lambda: Recorder(when=lambda: True), "Recorder", "exchange"),
    (lambda: Recorder(secret_keys="short"), "Recorder", "secret_keys"),
    (lambda: Recorder(secret_keys=["short"]), "Recorder", "secret key"),
    (lambda: Runs(max_runs=0), "Runs", "max_runs"),
    (lambda: Channel("", MemoryStore()), "Channel", "name"),
    (lambda: Channel("news", lease=0), "Channel", "lease"),
    (lambda: Health(timeout=0), "Health", "timeout"),
    (lambda: Health(checks=[lambda needed: True]), "Health", "needed"),
    (lambda: HealthCheck(lambda needed: True), "HealthCheck", "needed"),
    (lambda: CORS("https://a.example"), "CORS", "https://a.example"),
    (lambda: CORS(["a.example"]), "CORS", "a.example"),
    (lambda: CORS(["*"], credentials=True), "CORS", "credentials"),
    (lambda: CSRFTokens(exempt="hooks"), "CSRFTokens", "exempt"),
    (lambda: Compression(min_size=-1), "Compression", "min_size"),
    (lambda: Compression(types=["text"]), "Compression", "text"),
    (lambda: Flash(most=0), "Flash", "most"),
    (lambda: SecurityHeaders(content_security_policy=1), "SecurityHeaders", "content_security_policy"),
    (lambda: Users(lambda request: None), "Users", "sources"),
    (lambda: Signatures({}, max_age=0), "Signatures", "max_age"),
    (lambda: Signatures({}, cover="@path"), "Signatures", "cover"),
    (lambda: StandardWebhook("not base64!"), "StandardWebhook", "secret"),
    (lambda: Metrics(token=1), "Metrics", "token"),
    (lambda: Basic(lambda name: None), "Basic", "name, password"),
    (lambda: Bearer(lambda: None), "Bearer", "token"),
    (lambda: SessionLogin(lambda: None), "SessionLogin", "key"),
    (lambda: Signatures(lambda: None), "Signatures", "keyid"),
]  # fmt: skip


@rows("make, feature, argument", WRONG_OPTIONS)
def test_a_wrong_option(make, feature, argument):
    with pytest.raises((ValueError, TypeError)) as raised:
        make()
    assert feature in str(raised.value)
    assert argument in str(raised.value)


STORES = [
    ("Sessions", Sessions), ("IdempotentWrites", IdempotentWrites), ("Cache", Cache), ("Recorder", Recorder),
    ("Runs", Runs),
    ("RateLimit", lambda store: RateLimit("5/minute", store)), ("Channel", lambda store: Channel("news", store)),
    ("Signatures", lambda store: Signatures({}, store=store)),
    ("StandardWebhook", lambda store: StandardWebhook(SECRET.encode(), store)),
]  # fmt: skip


@rows("feature, make", STORES)
def test_a_store_that_is_none(feature, make):
    for store, written in (("var/store.db", "'var/store.db'"), (MemoryStore, r"MemoryStore'>: MemoryStore\(\.\.\.\)")):
        with pytest.raises(TypeError, match=rf"^{feature}: store must be a store such as SQLiteStore.*not .*{written}"):
            make(store)


@rows("feature, make", [row for row in STORES if row[0] != "Sessions"])
def test_a_store_that_clients_keep(feature, make):
    with pytest.raises((ValueError, TypeError), match=rf"^{feature} needs a"):
        make(COOKIES)


@rows(
    "feature, make, fix",
    ("Flash", Flash, r"app\.use\(Sessions\("),
    ("CSRFTokens", CSRFTokens, r"app\.use\(Sessions\("),
    ("SessionLogin", lambda: Users(SessionLogin(str)), r"app\.use\(Sessions\("),
    ("Recorder", lambda: Recorder(MemoryStore()), r"App\(secret_keys=\[\.\.\.\]\)"),
)
def test_a_feature_that_needs_another_thing_first(feature, make, fix):
    with pytest.raises(RuntimeError, match=rf"{feature}.*{fix}"):
        App().use(make())


@rows(
    "make",
        lambda: Sessions(MemoryStore()), lambda: IdempotentWrites(MemoryStore()), lambda: Cache(MemoryStore()),
        lambda: Channel("news"), Runs, Flash, CSRFTokens, lambda: Users(Basic(str)),
        lambda: HealthCheck(bool), lambda: Recorder(MemoryStore()), lambda: Signatures({}, everywhere=True),
        AccessLog, OpenTelemetry,
)  # fmt: skip
def test_a_blueprint_that_uses_what_is_for_an_application(make):
    if (feature := make()).__class__ is OpenTelemetry:
        pytest.importorskip("opentelemetry.sdk")
    with pytest.raises((TypeError, RuntimeError), match=type(feature).__name__):
        Blueprint("shop").use(feature)


def test_the_second_of_a_kind():
    for make in (
        lambda: IdempotentWrites(MemoryStore()), Cache, lambda: Signatures({}), lambda: Sessions(MemoryStore()),
    ):  # fmt: skip
        app = App()
        app.use(make())
        with pytest.raises(ValueError, match=type(make()).__name__):
            app.use(make())


# At a request


def _keep_any(request: Request):
    request.session["any"] = object()


def _log_in_any(request: Request):
    login(request, object())


def _log_out_everywhere(request: Request):
    logout(request, everywhere=True)


def _signed(method="GET"):
    return [*sign(Request.blank("https://shop.example/", method), SECRET.encode(), keyid="a").headers.items()]


WRONG_ON_A_REQUEST = [
    ([RateLimit("5/minute", by=lambda request: 5)], {}, list, None, r"RateLimit: .* must return text or None, not 5"),
    (
        [IdempotentWrites(MemoryStore(), by=lambda request: 5)],
        {"methods": ["POST"], "idempotent": True},
        lambda: [("idempotency-key", '"1"')],
        None,
        r"IdempotentWrites: .* must return text or None, not 5",
    ),
    ([Signatures(lambda keyid: 5)], {"signed_by": "partners"}, _signed, None, r"Signatures: a key must be .* not int"),
    ([Sessions(MemoryStore())], {}, list, _keep_any, r"Sessions: 'any' can't be stored"),
    ([Sessions(COOKIES), Users(SessionLogin(str))], {}, list, _log_out_everywhere, r"Sessions: CookieStore can't end"),
    ([Sessions(MemoryStore()), Users(SessionLogin(str))], {}, list, _log_in_any, r"SessionLogin: a object has no `id`"),
]


@rows("features, options, fields, handler, said", WRONG_ON_A_REQUEST)
def test_what_turns_out_wrong_on_a_request(features, options, fields, handler, said):
    app = App()
    for feature in features:
        app.use(feature)
    app.route("/", **({"methods": ["GET"]} | options))(handler or (lambda request: "never"))
    with (
        Client(app, base_url="https://shop.example", raise_errors=True) as client,
        pytest.raises((TypeError, NotImplementedError), match=rf"^{said}"),
    ):
        client.request(*options.get("methods", ["GET"]), "/", headers=fields())


def _hook():
    return [*StandardWebhook(SECRET.encode()).sign(b"{}").items(), ("content-type", "application/json")]


OF_A_STORE = [
    ("Sessions", Sessions, {}, list, lambda request: request.session.update(count=1) or "page"),
    ("IdempotentWrites", IdempotentWrites, {"idempotent": True}, lambda: [("idempotency-key", '"1"')], None),
    ("Cache", Cache, {"methods": ["GET"]}, list, None),
    ("RateLimit", lambda: RateLimit("5/minute"), {}, list, None),
    (
        "Signatures",
        lambda: Signatures({"a": SECRET.encode()}),
        {"signed_by": "partners"},
        partial(_signed, "POST"),
        None,
    ),
    ("StandardWebhook", None, {"before": StandardWebhook(SECRET.encode())}, _hook, None),
]


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_the_log_names_the_feature_whose_store_failed(tmp_path, interface, caplog):
    (tmp_path / "store.db").write_text("this is no database" * 100)
    wrong = {}
    for name, make, options, fields, handler in OF_A_STORE:
        app = App(store=SQLiteStore(tmp_path / "store.db"))
        if make is not None:
            app.use(make())
        app.route("/", **({"methods": ["POST"]} | options))(handler or (lambda request: "page"))
        caplog.clear()
        with Client(app, interface, base_url="https://shop.example") as client:
            client.request(
                *options.get("methods", ["POST"]), "/", headers=fields(), body=b"{}" if make is None else b""
            )
        logged = [each.getMessage() for each in caplog.records if "is not available" in each.getMessage()]
        if not logged or not all(each.startswith(f"{name}: the store {tmp_path}") for each in logged):
            wrong[name] = logged
    assert not wrong
