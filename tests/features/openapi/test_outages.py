"""The document of an app whose store is down has the status of each response."""

from tempfile import gettempdir

import pytest
from msgspec import DecodeError

from antiphon import App, Request
from antiphon.features import (
    APIKey,
    Cache,
    CSRFTokens,
    Flash,
    IdempotentWrites,
    RateLimit,
    ResumableUploads,
    SessionLogin,
    Sessions,
    Signatures,
    Store,
    StoreUnavailable,
    Users,
    login_required,
)  # fmt: skip
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client


def _fail(self, *arguments, **options):
    raise StoreUnavailable


DOWN = type("Down", (Store,), dict.fromkeys([*Store.__abstractmethods__, "reload", "check"], _fail))()
FEATURES = {
    "Sessions": lambda: [Sessions()],
    "SessionLogin": lambda: [Sessions(), Users(SessionLogin(str))],
    "APIKey": lambda: [Users(APIKey(str))],
    "CSRFTokens": lambda: [Sessions(), CSRFTokens()],
    "Flash": lambda: [Sessions(), Flash()],
    "Cache": lambda: [Cache()],
    "RateLimit": lambda: [RateLimit("5/minute", when_unavailable="refuse")],
    "RateLimit, allowing": lambda: [RateLimit("5/minute")],
    "IdempotentWrites": lambda: [IdempotentWrites()],
    "ResumableUploads": lambda: [ResumableUploads(folder=gettempdir())],
    "Signatures": lambda: [Signatures({"p": b"a secret that both sides know"}, everywhere=True)],
}
SENT = {
    "x-api-key": "key_" + "a" * 40, "cookie": "__Host-session=abc; session=abc", "idempotency-key": '"8e03978e"',
    "upload-complete": "?0", "upload-draft-interop-version": "8", "content-type": "application/json",
}  # fmt: skip


def make(features):
    """An app with a route for each way to use its features, as far as it has them."""
    app = App(store=DOWN, trusted_hosts=["testserver"])
    for each in features:
        app.use(each)
    names = {type(each).__name__ for each in features}

    @app.get("/page")
    def page(request: Request) -> str:
        return "page"

    @app.post("/write", idempotent="IdempotentWrites" in names or None, resumable="ResumableUploads" in names or None)
    def write(request: Request) -> str:
        return "written"

    if "Sessions" in names:

        @app.get("/session")
        def session(request: Request) -> str:
            return str(request.session.get("name"))

    if "Users" in names:

        @app.get("/user")
        def user(request: Request) -> str:
            return str(request.user)

        @app.get("/login-required", before=login_required)
        def required(request: Request) -> str:
            return "secret"

    return app


@pytest.mark.parametrize("name", FEATURES)
def test_each_response_of_an_outage_is_in_the_document(name):
    app = make(FEATURES[name]())
    paths = make_document(app, Info("Shop")).content["paths"]
    with Client(app) as client:
        untold = []
        for path, methods in paths.items():
            for method, operation in methods.items():
                for sent in {}, SENT, {"host": "other.example"}:
                    status = client.request(method.upper(), path, headers=sent).status
                    if str(status) not in operation["responses"]:
                        untold.append((method, path, status))
    assert untold == []


def test_what_a_handler_returns_for_an_error_of_a_library_is_in_the_document():
    app = App()

    @app.errorhandler(DecodeError)
    def refuse(request: Request, error: DecodeError):
        return {"reason": "It is not JSON."}, 418

    @app.errorhandler(LateError)
    def wait(request: Request, error: LateError):
        return "Later.", 509

    app.get("/")(lambda request: "read")
    document = make_document(app, Info("Shop")).content
    assert document["paths"]["/"]["get"]["responses"].keys() == {"200", "418"}


class LateError(Exception):
    """An error of the app's own, whose code is read for where it is raised."""


@pytest.mark.parametrize(("is_idempotent", "required"), [(None, False), (True, True)])
def test_the_key_that_a_handler_reads_is_a_parameter(is_idempotent, required):
    app = App(store=DOWN)
    app.use(IdempotentWrites())

    @app.post("/", idempotent=is_idempotent)
    def pay(request: Request) -> str:
        return request.idempotency_key or ""

    [parameter] = make_document(app, Info("Shop")).content["paths"]["/"]["post"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("Idempotency-Key", "header", required)
