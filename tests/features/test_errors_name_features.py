"""Errors of features name the feature, and the argument, that the program has written, and not what is inside of it."""

import pytest

from antiphon import App, Blueprint
from antiphon.features import (
    CORS,
    Basic,
    Cache,
    Channel,
    Compression,
    CookieStore,
    CSRFTokens,
    Flash,
    GitHubWebhook,
    Health,
    HealthCheck,
    IdempotentWrites,
    Keep,
    MemoryStore,
    Metrics,
    OpenTelemetry,
    RateLimit,
    Runs,
    SecurityHeaders,
    SessionLogin,
    Sessions,
    Signatures,
    StandardWebhook,
    UploadProgress,
    Users,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

COOKIES = CookieStore(["a key of more than sixteen bytes"])
SECRET = "a secret of more than sixteen bytes"

WRONG_OPTIONS = [
    (lambda: Sessions(idle=0), "Sessions", "idle"),
    (lambda: Sessions(MemoryStore(), cookie="a b"), "Sessions", "a b"),
    (lambda: Sessions(MemoryStore(), samesite="Loose"), "Sessions", "Loose"),
    (lambda: IdempotentWrites(ttl=-1), "IdempotentWrites", "ttl"),
    (lambda: IdempotentWrites(by="user"), "IdempotentWrites", "user"),
    (lambda: Cache(most=0), "Cache", "most"),
    (lambda: RateLimit("often"), "RateLimit", "often"),
    (lambda: RateLimit("5/minute", when_unavailable="maybe"), "RateLimit", "when_unavailable"),
    (lambda: RateLimit("5/minute", by=lambda: "all"), "RateLimit", "request"),
    (lambda: RateLimit("5/minute", name="é"), "RateLimit", "é"),
    (lambda: Keep(most=0), "Keep", "most"),
    (lambda: Keep(secret_keys="short"), "Keep", "secret_keys"),
    (lambda: Keep(secret_keys=["short"]), "Keep", "secret key"),
    (lambda: Runs(most=0), "Runs", "most"),
    (lambda: Channel("", MemoryStore()), "Channel", "name"),
    (lambda: Channel("news", lease=0), "Channel", "lease"),
    (lambda: Health(timeout=0), "Health", "timeout"),
    (lambda: Health(checks=[lambda needed: True]), "Health", "needed"),
    (lambda: HealthCheck(lambda needed: True), "HealthCheck", "needed"),
    (lambda: CORS("https://a.example"), "CORS", "https://a.example"),
    (lambda: CORS(["a.example"]), "CORS", "a.example"),
    (lambda: CORS(["*"], credentials=True), "CORS", "credentials"),
    (lambda: CSRFTokens(exempt="hooks"), "CSRFTokens", "exempt"),
    (lambda: Compression(minimum=-1), "Compression", "minimum"),
    (lambda: Compression(types=["text"]), "Compression", "text"),
    (lambda: Flash(most=0), "Flash", "most"),
    (lambda: SecurityHeaders(content_security_policy=1), "SecurityHeaders", "content_security_policy"),
    (lambda: UploadProgress(interval=0), "UploadProgress", "interval"),
    (lambda: Users(lambda request: None), "Users", "sources"),
    (lambda: Signatures({}, max_age=0), "Signatures", "max_age"),
    (lambda: Signatures({}, cover="@path"), "Signatures", "cover"),
    (lambda: GitHubWebhook("short"), "GitHubWebhook", "secret"),
    (lambda: StandardWebhook("not base64!"), "StandardWebhook", "secret"),
    (lambda: Metrics(token=1), "Metrics", "token"),
]  # fmt: skip


@rows("make, feature, argument", WRONG_OPTIONS)
def test_a_wrong_option(make, feature, argument):
    with pytest.raises((ValueError, TypeError)) as raised:
        make()
    assert feature in str(raised.value)
    assert argument in str(raised.value)


STORES = [
    ("Sessions", Sessions), ("IdempotentWrites", IdempotentWrites), ("Cache", Cache), ("Keep", Keep), ("Runs", Runs),
    ("RateLimit", lambda store: RateLimit("5/minute", store)), ("Channel", lambda store: Channel("news", store)),
    ("Signatures", lambda store: Signatures({}, store=store)),
    ("GitHubWebhook", lambda store: GitHubWebhook(SECRET, store)),
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
    [
        ("Flash", Flash, r"app\.use\(Sessions\("),
        ("CSRFTokens", CSRFTokens, r"app\.use\(Sessions\("),
        ("SessionLogin", lambda: Users(SessionLogin(str)), r"app\.use\(Sessions\("),
        ("Keep", lambda: Keep(MemoryStore()), r"App\(secret_keys=\[\.\.\.\]\)"),
    ],
)
def test_a_feature_that_needs_another_thing_first(feature, make, fix):
    with pytest.raises(RuntimeError, match=rf"{feature}.*{fix}"):
        App().use(make())


@rows(
    "make",
    [
        lambda: Sessions(MemoryStore()), lambda: IdempotentWrites(MemoryStore()), lambda: Cache(MemoryStore()),
        lambda: Channel("news"), Runs, Flash, CSRFTokens, lambda: Users(Basic(str)),
        lambda: HealthCheck(bool), lambda: Keep(MemoryStore()), lambda: Signatures({}), OpenTelemetry,
    ],
)  # fmt: skip
def test_a_blueprint_that_uses_what_is_for_an_application(make):
    if (feature := make()).__class__ is OpenTelemetry:
        pytest.importorskip("opentelemetry.sdk")
    with pytest.raises((TypeError, RuntimeError), match=type(feature).__name__):
        Blueprint("shop").use(feature)


def test_the_second_of_a_kind():
    for make in (
        lambda: IdempotentWrites(MemoryStore()),
        Cache,
        lambda: Signatures({}),
        lambda: Sessions(MemoryStore()),
    ):
        app = App()
        app.use(make())
        with pytest.raises(ValueError, match=type(make()).__name__):
            app.use(make())
