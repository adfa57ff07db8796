"""The header fields of responses: those that code sets, those of features, and declared ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from antiphon import App, Blueprint, Request, Response, abort
from antiphon.embedding import Added
from antiphon.features import Cache, Gives, OpenAPI, RateLimit
from antiphon.features.openapi.document import Info, make_document
from tests.helpers.rows import rows


@dataclass
class Lamp:
    id: int


def fields_of(handler: Callable[..., Any], *around: Any, **options: Any) -> dict[str, list[str]]:
    """Return the names of the fields of each response."""
    app = App()
    for each in around:
        app.use(each)
    app.get("/x", **options)(handler)
    document = make_document(app, Info("Lamps"))
    responses = document.content["paths"]["/x"]["get"]["responses"]
    for each in responses.values():
        assert all("type" in field["schema"] for field in each.get("headers", {}).values())
    return {status: [*each.get("headers", ())] for status, each in responses.items()}


def by_attributes(request: Request) -> Response:
    response = Response.json({"id": 1})
    response.etag = '"1"'
    response.links = []
    response.sunset = None
    response.content_type = "application/json"
    return response


def by_methods(request: Request) -> Response:
    response = Response.json({"id": 1})
    response.set_cookie("seen", "1")
    response.cache_for(60)
    response.vary("accept")
    return response


def by_headers(request: Request) -> Response:
    response = Response.json({"id": 1}, headers={"x-first": "1"})
    response.headers["x-total"] = "2"
    response.headers.add("x-page", "3")
    tag(response)
    return response


def tag(response: Response) -> None:
    response.headers["x-tag"] = "a"


def by_pairs(request: Request) -> Response:
    return Response("a", headers=[("x-a", "1"), ("x-b", "2")])


def by_tuple(request: Request) -> tuple[Lamp, int, dict[str, str]]:
    return Lamp(1), 201, {"location": "/lamps/1"}


def removed(request: Request) -> Response:
    response = Response.json({"id": 1}, headers={"x-first": "1"})
    response.location = "/x"
    response.location = None
    return response


def by_errors(request: Request) -> None:
    match request.args.get("why"):
        case "late":
            abort(429, retry_after=10)
        case "method":
            abort(405, allow=["GET"])
        case _:
            abort(503, headers={"x-why": "broken"})


BY_CODE = [
    (by_attributes, {"200": ["ETag", "Link"]}),
    (by_methods, {"200": ["Set-Cookie", "Cache-Control", "Vary"]}),
    (by_headers, {"200": ["X-First", "X-Total", "X-Page", "X-Tag"]}),
    (by_pairs, {"200": ["X-A", "X-B"]}),
    (by_tuple, {"201": ["Location"]}),
    (removed, {"200": ["X-First"]}),
    (by_errors, {"405": ["Allow"], "429": ["Retry-After"], "503": ["X-Why"]}),
]


@rows("handler, fields", BY_CODE)
def test_fields_that_code_sets_are_in_the_document(handler: Callable[..., Any], fields: dict[str, list[str]]) -> None:
    assert fields_of(handler) == fields


def lamp(request: Request) -> Lamp:
    return Lamp(1)


LIMITED = {"200": ["RateLimit", "RateLimit-Policy"], "429": ["Retry-After", "RateLimit", "RateLimit-Policy"]}
BY_FEATURE = [
    ((RateLimit("5/minute"),), {}, LIMITED), ((), {"before": RateLimit("5/minute")}, LIMITED),
    ((), {"meta": {OpenAPI.DEPRECATED: True}}, {"200": ["Deprecation"]}), ((Cache(),), {}, {"200": [], "504": []}),
]  # fmt: skip


@rows("around, options, fields", BY_FEATURE)
def test_fields_of_features_that_clients_use_are_in_the_document(
    around: tuple[Any, ...], options: dict[str, Any], fields: dict[str, list[str]]
) -> None:
    assert fields_of(lamp, *around, **options) == fields


class Quota:
    def __call__(self, request: Request, response: Response | None = None) -> None: ...

    def __adds__(self, route: object, method: str) -> Iterator[Added]:
        yield Added(headers=("quota-left",))


class Quotas:
    def install(self, app: App) -> None:
        app.before_request(Quota())


PLACES: list[Callable[[App, Blueprint], object]] = [
    lambda app, inner: app.before_request(Quota()),
    lambda app, inner: app.after_request(Quota()),
    lambda app, inner: app.use(Quotas()),
    lambda app, inner: inner.before_request(Quota()),
    lambda app, inner: inner.after_request(Quota()),
    lambda app, inner: inner.get("/hooked", before=Quota())(lamp),
]


@rows("add", *PLACES)
def test_hooks_say_what_they_add_wherever_they_are_registered(add: Callable[[App, Blueprint], object]) -> None:
    app, inner = App(), Blueprint("inner")
    add(app, inner)
    inner.get("/x")(lamp)
    app.register(inner)
    path, *_ = make_document(app, Info("Lamps")).content["paths"].values()
    assert [*path["get"]["responses"]["200"].get("headers", ())] == ["Quota-Left"]


def test_fields_that_hooks_set_are_in_all_responses() -> None:
    app = App()
    app.get("/x")(lambda request: request.args["name"])

    @app.after_request
    def named(request: Request, response: Response) -> None:
        response.headers["x-version"] = "1"

    responses = make_document(app, Info("Lamps")).content["paths"]["/x"]["get"]["responses"]
    assert {status: [*each["headers"]] for status, each in responses.items()} == {
        "200": ["X-Version"],
        "400": ["X-Version"],
    }


def test_declared_fields_have_their_types_and_add_to_those_of_the_code() -> None:
    app = App()
    gives = {200: Gives(Lamp, headers={"X-Total": int}), 202: Gives(None, headers={"location": str})}
    app.get("/x", gives=gives)(by_attributes)
    responses = make_document(app, Info("Lamps")).content["paths"]["/x"]["get"]["responses"]
    assert {name: each["schema"]["type"] for name, each in responses["200"]["headers"].items()} == {
        "ETag": "string", "Link": "string", "X-Total": "integer",
    }  # fmt: skip
    assert [*responses["202"]["headers"]] == ["Location"]
    assert responses["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Lamp"}


def test_a_declared_response_limits_the_fields_that_are_sent() -> None:
    from antiphon.testing import Client

    app = App()
    app.get("/x", gives={200: Gives(Lamp)})(lambda request: {"id": 1, "secret": 2})
    assert Client(app).get("/x").json == {"id": 1}
