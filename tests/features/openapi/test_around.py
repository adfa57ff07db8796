"""Documents beside middleware and features: each adds what it says, and takes nothing away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from jinja2 import DictLoader

from antiphon import App, Dependency, Request, Response, abort
from antiphon.embedding import PlannedRoute
from antiphon.features import (
    CORS,
    AccessLog,
    Basic,
    Cache,
    Compression,
    CSRFTokens,
    IdempotentWrites,
    MemoryStore,
    Metrics,
    OpenAPI,
    Page,
    RateLimit,
    SecurityHeaders,
    Sessions,
    Signatures,
    Templates,
    Users,
    csrf_token,
)
from antiphon.features.openapi.document import Info, make_document
from antiphon.features.openapi.responses import added_to
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Order:
    item: str
    count: int = 1


def shop(*around: Callable[[App], object]) -> App:
    app = App(cross_site_writes=True, store=MemoryStore())
    for each in around:
        each(app)

    @app.post("/orders")
    def create(request: Request) -> Order:
        request.headers["x-shop"]
        return request.json_as(Order)

    @app.get("/orders/<int:number>")
    def find(request: Request, number: int) -> list[Order]:
        return [Order(request.args["name"])]

    @app.get("/prices")
    def prices(request: Request) -> Response:
        response = Response.json([1])
        response.cache_for(60, public=True)
        return response

    @app.post("/files")
    def upload(request: Request) -> dict[str, str]:
        request.files["photo"]
        return {"name": request.form["name"]}

    @app.put("/orders/<int:number>", idempotent=bool(app.find_feature(IdempotentWrites)))
    def change(request: Request, number: int) -> Order:
        return request.json_as(Order)

    return app


def paths_of(app: App) -> Any:
    document = make_document(app, Info("Shop"))
    assert document.unknown == []
    return document.content["paths"]


def added_statuses(app: App) -> dict[str, set[str]]:
    """Return the statuses that operations have because of what is around them. Nothing else may differ."""
    found = {}
    plain = paths_of(shop())
    for path, operations in paths_of(app).items():
        for method, operation in operations.items():
            before = plain[path][method]
            known = {(each["in"], each["name"]): each for each in operation.get("parameters", ())}
            for each in before.get("parameters", ()):
                assert known[each["in"], each["name"]] == each
            assert operation.get("requestBody") == before.get("requestBody")
            assert {*before["responses"]} <= {*operation["responses"]}
            if more := {*operation["responses"]} - {*before["responses"]}:
                found[f"{method} {path}"] = more
    return found


def nobody(name: str, password: str) -> None:
    return None


FORM = "application/x-www-form-urlencoded"
WRITES = ("post /orders", "post /files", "put /orders/{number}")
ALL = (*WRITES, "get /orders/{number}", "get /prices")
CACHED = {"get /prices": {"206", "304", "412", "416", "504"}, "get /orders/{number}": {"504"}}
FEATURES: list[tuple[str, Callable[[], Any], dict[str, set[str]]]] = [
    ("Compression", Compression, {}),
    ("Cache", Cache, CACHED),
    ("CORS", lambda: CORS(["https://a.example"]), {}),
    ("RateLimit", lambda: RateLimit("5/minute"), {key: {"429"} for key in ALL}),
    ("RateLimit by", lambda: RateLimit("5/minute", by=lambda request: "a"), {key: {"429"} for key in ALL}),
    ("SecurityHeaders", SecurityHeaders, {}),
    ("Sessions", Sessions, {}),
    ("Users", lambda: Users(Basic(nobody)), {}),
    ("AccessLog", AccessLog, {}),
    ("Metrics", Metrics, {}),
    ("Signatures", lambda: Signatures({}, everywhere=True), {key: {"401"} for key in ALL}),
    ("IdempotentWrites", IdempotentWrites, {"put /orders/{number}": {"409", "503"}}),
]


@rows(
    "field, value",
    ("cache-control", "max-age=60, public"),
    ("etag", '"v1"'),
    ("last-modified", "Sun, 29 Nov 2026 21:00:00 GMT"),
)
def test_a_cache_adds_conditions_and_ranges_to_all_that_it_stores(field: str, value: str) -> None:
    app = App()
    app.use(Cache())
    app.get("/prices")(lambda request: Response("1, 2, 3", headers={field: value}))
    client = Client(app, contract=True)
    asked = (
        {"cache-control": "only-if-cached"},
        {},
        {"range": "bytes=0-1"},
        {"range": "bytes=99-"},
        {"if-match": '"v2"'},
    )
    assert [client.get("/prices", headers=each).status for each in asked] == [504, 200, 206, 416, 412]


@pytest.mark.parametrize(("make", "added"), [each[1:] for each in FEATURES], ids=[each[0] for each in FEATURES])
def test_a_feature_adds_what_it_declares(make: Callable[[], Any], added: dict[str, set[str]]) -> None:
    app = shop(lambda app: app.use(make()))
    assert added_statuses(app) == added
    planned = PlannedRoute.of(app)
    declared = {str(one.status) for each in planned for _, one in added_to(each, each.route.methods[0])}
    assert {status for several in added.values() for status in several} <= declared


def read_raw(request: Request) -> str:
    return request.text


def read_form(request: Request) -> str:
    return request.form.get("name", "")


def read_by_feature(request: Request) -> str:
    return "nothing"


@rows("handler", [read_raw, read_form, read_by_feature])
@rows(
    "fields, body, statuses",
    ({"content-encoding": "unknown"}, b"a=b", {415}),
    ({"content-encoding": "gzip"}, b"not in this coding", {400}),
    ({"content-type": "multipart/form-data; boundary=a"}, b"--a malformed", {200, 400}),
)
def test_a_body_that_is_not_received_is_in_the_document(
    handler: Callable[..., str], fields: dict[str, str], body: bytes, statuses: set[int]
) -> None:
    app = App(store=MemoryStore())
    app.use(Sessions())
    if handler is read_by_feature:
        app.use(CSRFTokens())
    app.post("/", receive="lazy")(handler)
    app.get("/token")(lambda request: csrf_token(request) if handler is read_by_feature else "")
    client = Client(app, contract=True, headers={"content-type": FORM})
    client.get("/token")
    assert client.post("/", headers=fields, body=body).status in statuses


def test_a_page_is_always_sent_as_a_whole() -> None:
    app = App()
    app.use(Templates(DictLoader({"page.html": "A page"})))
    app.get("/")(lambda request: Page("page.html"))
    client = Client(app, contract=True, headers={"range": "bytes=0-1"})
    asked = {}, {"if-none-match": '"another"'}, {"if-none-match": client.get("/").headers["etag"]}
    assert [client.get("/", headers=each).status for each in asked] == [200, 200, 304]


def test_all_features_together_take_nothing_away() -> None:
    several = [make() for name, make, _ in FEATURES if name not in ("Sessions", "IdempotentWrites")]
    together = [Sessions(), *several, CSRFTokens(), IdempotentWrites()]
    found = added_statuses(shop(*[lambda app, each=each: app.use(each) for each in together]))  # type: ignore[misc]
    assert found["post /orders"] == {"401", "403", "429"}
    assert found["get /prices"] == {"206", "304", "401", "412", "416", "429", "504"}


def for_one_path(app: App) -> None:
    @app.middleware
    def ping(request: Request) -> Any:
        if request.path == "/orders":
            return Response("pong", 203)
        yield


def for_other_paths(app: App) -> None:
    @app.before_request
    def refused(request: Request) -> Response | None:
        path = request.path
        if not path.startswith(("/orders", "/files")):
            return Response("Not here.", 203)
        return None


def for_one_order(app: App) -> None:
    @app.before_request
    def first(request: Request) -> Response | None:
        return Response("first", 203) if request.path in ("/orders/1", "/other") else None


def for_writes(app: App) -> None:
    @app.middleware(before_routing=True)
    def closed(request: Request) -> Any:
        if request.method != "GET" and request.headers.get("x-night"):
            abort(503)
        yield


EARLY = [
    (for_one_path, {"post /orders": {"203"}}),
    (for_other_paths, {"get /prices": {"203"}}),
    (for_one_order, {key: {"203"} for key in ("get /orders/{number}", "put /orders/{number}")}),
    (for_writes, {key: {"503"} for key in WRITES}),
]


@rows("around, added", EARLY)
def test_middleware_adds_its_response_where_it_can_be(
    around: Callable[[App], None], added: dict[str, set[str]]
) -> None:
    assert added_statuses(shop(around)) == added


def test_a_preflight_is_in_the_operation_that_responds_to_it() -> None:
    app = App()
    app.use(CORS(["https://a.example"]))
    app.route("/x", ("OPTIONS",))(lambda request: "x")
    assert [*paths_of(app)["/x"]["options"]["responses"]] == ["200", "204", "403"]


def test_a_limit_of_one_route_is_not_in_others() -> None:
    app = App()
    app.get("/a", before=RateLimit("1/minute"), meta={OpenAPI.DEPRECATED: True})(lambda request: "a")
    app.get("/b")(lambda request: "b")
    paths = paths_of(app)
    assert [*paths["/a"]["get"]["responses"]] == ["200", "429"]
    assert [*paths["/b"]["get"]["responses"]] == ["200"]


def test_a_response_that_is_not_known_stays_beside_known_errors() -> None:
    app = App()
    app.get("/a", before=RateLimit("1/minute"))(lambda request: (each for each in request.args))
    app.get("/b", before=RateLimit("1/minute"))(lambda request: abort(404))
    paths = make_document(app, Info("Shop")).content["paths"]
    assert [*paths["/a"]["get"]["responses"]] == ["200", "429"]
    assert [*paths["/b"]["get"]["responses"]] == ["404", "429"]


def test_unexpected_errors_are_left_out_unless_the_handler_never_returns() -> None:
    def opened(request: Request) -> None:
        if request.headers.get("x-stop"):
            raise RuntimeError

    def broken(request: Request) -> NoReturn:
        raise RuntimeError

    app = App()
    app.provide(Dependency[None]("opened"), opened)
    app.get("/a")(lambda request: request.args.getlist("name")[0].upper)
    app.get("/b")(broken)
    paths = make_document(app, Info("Shop")).content["paths"]
    assert [*paths["/a"]["get"]["responses"]] == ["200"]
    assert [*paths["/b"]["get"]["responses"]] == ["500"]
