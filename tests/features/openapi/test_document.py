"""The document: valid OpenAPI 3.1 of all that was read, as generators of clients and of tests need it."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from msgspec import Meta

from antiphon import App, Blueprint, Request, Response, WebSocket, abort
from antiphon.features import OpenAPI
from antiphon.features.openapi.document import Info, make_document
from antiphon.http import NotFound
from antiphon.testing import Client
from tests.features.openapi import handlers as h
from tests.features.openapi.deferred_rows import Less, Row
from tests.features.openapi.shop import make_app
from tests.helpers.rows import rows

T = TypeVar("T")
EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """The document of the shop, as it is answered."""
    return json.loads(Client(make_app()).get("/api/openapi.json").body)


def document_of(app: App, **info: Any) -> dict[str, Any]:
    return make_document(app, Info("API", **info)).content


# As a whole

OPERATIONS = """
get /api/events lamps.events: 200
get /api/lamps lamps.index: query q, query color?, query tags?, query page?: 200 422
post /api/lamps lamps.add: application/json: 201 400 403 409 413 415 422
get /api/lamps/{number} lamps.show: path number: 200 404
patch /api/lamps/{number} lamps.change: path number, application/json: 200 400 401 403 404 413 415 422
delete /api/lamps/{number} lamps.remove: path number: 204 403 404
post /api/lamps/{number}/picture lamps.picture: path number, multipart/form-data: 204 400 403 404 413 415 422 429
get /api/me lamps.me: 200 401
post /api/orders lamps.order: header Idempotency-Key, application/json: 202 400 403 404 409 413 415 422 503 504
post /api/pets lamps.pet: application/json: 200 400 403 413 415 422
get /api/pictures/{id}.{kind} lamps.show_picture: path id, path kind, header If-Match?, header If-Unmodified-Since?, header If-None-Match?, header If-Modified-Since?, header Range?, header If-Range?: 200 206 304 404 412 416
get /api/search lamps.search_get: query q: 200 400
post /api/search lamps.search_post: application/x-www-form-urlencoded: 200 400 403 413 415
get /api/signed/{name} lamps.signed: path name: 200 403 404 410
"""  # noqa: E501 - a row is a line


def line_of(path: str, method: str, operation: dict[str, Any]) -> str:
    taken = [
        f"{each['in']} {each['name']}{'' if each['required'] else '?'}" for each in operation.get("parameters", ())
    ]
    taken += operation.get("requestBody", {}).get("content", ())
    parts = [f"{method} {path} {operation['operationId']}", ", ".join(taken), " ".join(operation["responses"])]
    return ": ".join(filter(None, parts))


def test_each_route_below_the_prefix_has_an_operation(content: dict[str, Any]) -> None:
    lines = [line_of(path, method, each) for path, item in content["paths"].items() for method, each in item.items()]
    assert lines == OPERATIONS.strip().splitlines()


def test_the_document_names_the_api(content: dict[str, Any]) -> None:
    assert content["openapi"] == "3.1.0"
    assert content["info"] == {"title": "Lamps", "version": "2"}
    assert content["tags"] == [{"name": "lamps"}]


def test_nothing_in_the_shop_and_the_examples_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from examples.guestbook.app import make_app as make_guestbook
    from examples.tour.app import app as tour

    monkeypatch.chdir(EXAMPLES / "guestbook")
    for app in (make_app(), tour, make_guestbook(tmp_path)):
        assert make_document(app, Info("API")).unknown == []


def test_the_documents_are_valid(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    from examples.guestbook.app import make_app as make_guestbook
    from examples.tour.app import app as tour

    monkeypatch.chdir(EXAMPLES / "guestbook")
    for each in (content, document_of(tour), document_of(make_guestbook(tmp_path))):
        validator.validate(json.loads(json.dumps(each)))


# Operations


def operation(content: dict[str, Any], line: str) -> dict[str, Any]:
    method, path = line.split()
    return content["paths"][path][method]


def schema_of(operation: dict[str, Any], status: str, media: str = "application/json") -> dict[str, Any]:
    return operation["responses"][status]["content"][media]["schema"]


def test_the_docstring_is_the_summary_and_the_description(content: dict[str, Any]) -> None:
    index = operation(content, "get /api/lamps")
    assert (index["summary"], index["description"]) == ("List the lamps", "The newest come first.")


def test_parameters_have_the_schemas_of_their_converters(content: dict[str, Any]) -> None:
    def schemas(line: str) -> list[dict[str, Any]]:
        return [each["schema"] for each in operation(content, line)["parameters"] if each["in"] == "path"]

    assert schemas("get /api/lamps/{number}") == [
        {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "format": "int64"}
    ]
    assert schemas("get /api/pictures/{id}.{kind}") == [
        {"type": "string", "format": "uuid"},
        {"type": "string", "enum": ["png", "jpeg"]},
    ]


def test_a_user_is_demanded_where_a_hook_refuses_others(content: dict[str, Any]) -> None:
    assert content["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
    }
    assert operation(content, "patch /api/lamps/{number}")["security"] == [{"bearer": []}, {"session": []}]
    assert operation(content, "get /api/me")["security"] == [{"bearer": []}, {"session": []}, {}]
    assert "security" not in operation(content, "get /api/lamps")


def test_errors_are_problem_details_with_what_the_handler_tells(content: dict[str, Any]) -> None:
    missing = operation(content, "get /api/lamps/{number}")["responses"]["404"]
    assert missing["description"] == "There is no such lamp."
    assert missing["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_headers_of_answers_are_named(content: dict[str, Any]) -> None:
    assert [*operation(content, "patch /api/lamps/{number}")["responses"]["401"]["headers"]] == ["WWW-Authenticate"]
    app = App()
    app.get("/")(h.redirects)
    assert [*document_of(app)["paths"]["/"]["get"]["responses"]["303"]["headers"]] == ["Location"]


def test_a_form_with_a_file_has_parts(content: dict[str, Any]) -> None:
    body = operation(content, "post /api/lamps/{number}/picture")["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["file"]
    assert schema["properties"]["file"]["format"] == "binary"


def test_a_tagged_union_has_a_discriminator(content: dict[str, Any]) -> None:
    answered = schema_of(operation(content, "post /api/pets"), "200")
    assert answered["discriminator"]["mapping"] == {
        "Cat": "#/components/schemas/Cat",
        "Dog": "#/components/schemas/Dog",
    }


def test_a_dict_that_is_written_out_has_its_fields(content: dict[str, Any]) -> None:
    answered = schema_of(operation(content, "get /api/me"), "200")
    assert answered == {
        "type": "object",
        "properties": {"user": {}, "is_admin": {"type": "boolean"}},
        "required": ["user", "is_admin"],
    }


def test_operations_of_one_name_are_told_apart_by_their_methods(content: dict[str, Any]) -> None:
    ids = [each["operationId"] for item in content["paths"].values() for each in item.values()]
    assert len(ids) == len({*ids})
    assert {"lamps.search_get", "lamps.search_post"} < {*ids}


# Schemas


def test_a_type_has_two_schemas_only_where_requests_may_leave_fields_out(content: dict[str, Any]) -> None:
    schemas = content["components"]["schemas"]
    assert {"Lamp", "LampInput", "Room", "RoomInput", "Color", "Cat", "Dog", "Patch", "Problem", "QuotaExceeded"} == {
        *schemas
    }
    assert schemas["LampInput"]["required"] == ["id", "name"]
    assert schemas["Lamp"]["required"] == [*schemas["Lamp"]["properties"]]
    assert schemas["RoomInput"]["properties"]["lamps"]["items"] == {"$ref": "#/components/schemas/LampInput"}
    assert {name: each["title"] for name, each in schemas.items() if "title" in each} == {
        name: name for name, each in schemas.items() if "title" in each
    }


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each object in a document."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts_of(each)


def test_generators_of_clients_stumble_over_nothing(content: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody") for item in content["paths"].values() for operation in item.values()]
    assert '"default"' not in json.dumps([bodies, content["components"]])  # they then require the field
    for each in parts_of(content):  # they make a class of its own of such a choice
        assert {"type": "null"} not in each.get("anyOf", ()) or any("$ref" in one for one in each["anyOf"])
    for path, item in content["paths"].items():
        for operation in item.values():
            assert "{" not in path or "404" in operation["responses"]
            for each in operation.get("parameters", ()):
                is_number = each["in"] == "path" and each["schema"]["type"] == "integer"
                assert not is_number or each["schema"]["maximum"] <= 2**63 - 1
    ids = [operation["operationId"] for item in content["paths"].values() for operation in item.values()]
    assert len(ids) == len({*ids})


@rows(
    "kind, schema",
    (str | None, {"type": ["string", "null"]}),
    (int, {"type": "integer"}),
    (Annotated[int, Meta(gt=0)], {"type": "integer", "exclusiveMinimum": 0}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, "a"], {"anyOf": [{"type": "integer", "enum": [1]}, {"type": "string", "enum": ["a"]}]}),
    (Literal["a", "b"] | None, {"type": ["string", "null"], "enum": ["a", "b", None]}),
    (list[str | None], {"type": "array", "items": {"type": ["string", "null"]}}),
    (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
)
def test_a_type_has_the_schema_that_generators_understand(kind: Any, schema: dict[str, Any]) -> None:
    app = App()

    @app.post("/")
    def handler(request: Request) -> None:
        request.json_as(kind)

    body = document_of(app)["paths"]["/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    found = {key: sorted(each, key=str) if key == "enum" else each for key, each in body.items()}
    assert found == {key: sorted(each, key=str) if key == "enum" else each for key, each in schema.items()}


@dataclass
class Listed(Generic[T]):
    items: list[T]


def test_generic_types_have_readable_names() -> None:
    app = App()

    @app.get("/")
    def handler(request: Request) -> Listed[h.Lamp]:
        return Listed([])

    assert [*document_of(app)["components"]["schemas"]] == ["Lamp", "Listed_Lamp"]


def test_types_of_one_name_are_told_apart() -> None:
    @dataclass
    class Lamp:
        watts: float

    app = App()

    @app.post("/")
    def handler(request: Request) -> h.Lamp:
        request.json_as(Lamp)
        return h.Lamp(1, "")

    operation = document_of(app)["paths"]["/"]["post"]
    taken = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert taken != operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]


def test_each_component_has_its_name_as_its_title_and_no_two_make_one_class() -> None:
    @dataclass
    class Lamp:
        name: str
        watts: int = 4

    @dataclass
    class LampInput:
        name: str

    @dataclass
    class Lamp_Input:
        size: int

    @dataclass
    class Problem:
        text: str

    app = App()

    @app.post("/")
    def handler(request: Request) -> Listed[Lamp]:
        request.json_as(Lamp)
        raise NotFound

    for number, kind in enumerate((LampInput, Lamp_Input, Problem)):
        app.get(f"/{number}", gives=kind)(h.by_method)
    schemas = document_of(app)["components"]["schemas"]
    assert {name: each["title"] for name, each in schemas.items()} == {name: name for name in schemas}
    assert len({name.replace("_", "").lower() for name in schemas}) == len(schemas) == 7, [*schemas]
    assert "errors" in schemas["Problem"]["properties"]


def test_a_typed_dict_requires_its_fields_where_annotations_are_text() -> None:
    app = App()
    for kind in (Row, Less):
        app.post(f"/{kind.__name__}", takes=kind, gives=kind)(h.by_method)
    schemas = document_of(app)["components"]["schemas"]
    assert [schemas[name]["required"] for name in ("Row", "Less")] == [["a"], ["a"]]


def test_an_annotated_answer_with_headers_has_those_of_the_code() -> None:
    app = App()

    @app.get("/")
    def handler(request: Request) -> tuple[h.Lamp, dict[str, str]]:
        return h.Lamp(1, ""), {"x-total": "1"}

    answer = document_of(app)["paths"]["/"]["get"]["responses"]["200"]
    assert [*answer["headers"]] == ["X-Total"]
    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Lamp")


def test_an_annotation_describes_a_response_whose_json_the_code_does_not_show() -> None:
    app = App()

    @app.get("/")
    def handler(request: Request) -> h.Lamp:
        return Response.json(json.loads("{}"), 201, headers={"x-total": "1"})  # type: ignore[return-value]

    document = make_document(app, Info("API"))
    answer = document.content["paths"]["/"]["get"]["responses"]["201"]
    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Lamp")
    assert document.unknown == []


def test_json_that_neither_the_code_nor_an_annotation_shows_is_reported() -> None:
    app = App()
    app.get("/")(lambda request: Response.json(json.loads("{}")))

    @app.get("/declared", gives=h.Lamp)
    def declared(request: Request):
        return Response.json(json.loads("{}"))

    (unknown,) = make_document(app, Info("API")).unknown
    assert unknown.startswith("GET /: ")
    assert unknown.endswith("the JSON of its response is not known before it runs")


def test_a_type_without_a_schema_is_reported_with_the_handler() -> None:
    class Opaque(list[int]):
        def __init__(self, *, why: int) -> None: ...

    app = App()

    @app.get("/")
    def handler(request: Request) -> list[Opaque]:
        return []

    (unknown,) = make_document(app, Info("API")).unknown
    assert "has no JSON Schema" in unknown
    assert "test_document.py" in unknown


# Where the document is


def test_a_route_or_a_blueprint_is_hidden_tagged_and_deprecated_by_its_metadata() -> None:
    old = Blueprint("old", prefix="/old", meta={OpenAPI.DEPRECATED: True})
    old.get("/lamps", meta={OpenAPI.TAGS: ["lamps", "rooms"]})(h.by_method)
    old.get("/rooms")(h.by_method)
    app = App()
    app.register(old)
    app.get("/internal", meta={OpenAPI.HIDDEN: True})(h.by_method)
    content = document_of(app)
    found = {path: item["get"] for path, item in content["paths"].items()}
    assert {path: (each["tags"], each["deprecated"]) for path, each in found.items()} == {
        "/old/lamps": (["lamps", "rooms"], True),
        "/old/rooms": (["old"], True),
    }
    assert [each["name"] for each in content["tags"]] == ["lamps", "rooms", "old"]


def test_routes_of_packages_that_say_what_they_read_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    app = App()
    for name, says in (("lamps_feature", "__reads__ = ()"), ("lamps_app", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(says)
        (tmp_path / name / "pages.py").write_text("def page(request):\n    return 'lamps'\n")
        app.get(f"/{name}")(import_module(f"{name}.pages").page)
    assert [*document_of(app)["paths"]] == ["/lamps_app"]


def test_responses_of_deprecated_routes_say_since_when() -> None:
    app, since = App(), datetime(2026, 3, 1, tzinfo=UTC)
    for path, meta in (("/now", {OpenAPI.DEPRECATED: True}), ("/since", {OpenAPI.DEPRECATED: since}), ("/used", {})):
        app.get(path, meta=meta)(lambda request: abort(404) if "none" in request.args else "found")
    client = Client(app)
    found = [client.get(path).headers.get("deprecation") for path in ("/now", "/since", "/since?none", "/used")]
    assert re.fullmatch(r"@\d{10}", found[0] or "")
    assert found[1:] == [f"@{since.timestamp():.0f}", f"@{since.timestamp():.0f}", None]


def test_the_document_lists_the_paths_of_websockets() -> None:
    inner, outer = App(), App()

    @inner.websocket("/rooms/<name>")
    async def room(request: Request, socket: WebSocket, name: str) -> None: ...

    outer.mount("/api", inner)
    assert document_of(outer)["x-websockets"] == ["/api/rooms/{name}"]
    assert "x-websockets" not in document_of(outer, prefix="/other")


def test_each_prefix_has_a_document_of_its_own() -> None:
    app = App()
    for version in ("1", "2"):
        app.use(OpenAPI("Lamps", version=version, prefix=f"/v{version}"))
        blueprint = Blueprint(f"v{version}", prefix=f"/v{version}")
        blueprint.get("/lamps")(h.by_method)
        app.register(blueprint)
    found = [json.loads(Client(app).get(f"/v{version}/openapi.json").body) for version in ("1", "2")]
    assert [each["info"]["version"] for each in found] == ["1", "2"]
    assert [[*each["paths"]] for each in found] == [["/v1/lamps"], ["/v2/lamps"]]


def test_a_root_path_is_the_server() -> None:
    inner, outer = App(), App()
    inner.use(OpenAPI("Lamps"))
    outer.mount("/inner", inner)
    assert json.loads(Client(outer).get("/inner/openapi.json").body)["servers"] == [{"url": "/inner"}]


def test_the_document_is_sent_once_to_a_client_that_keeps_it() -> None:
    client = Client(make_app())
    etag = client.get("/api/openapi.json").headers["etag"]
    assert client.get("/api/openapi.json", headers={"if-none-match": etag}).status == 304


def test_a_file_is_answered_in_place_of_a_document_that_is_made(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    file.write_text('{"openapi": "3.1.0"}')
    app = App()
    app.use(OpenAPI("Lamps", file=file))
    assert Client(app).get("/openapi.json").body == b'{"openapi": "3.1.0"}'


def test_what_is_not_known_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    app.use(OpenAPI("Lamps"))
    app.get("/")(h.result_not_known)
    Client(app).get("/openapi.json")
    (record,) = [each for each in caplog.records if each.name == "antiphon.openapi"]
    assert "handlers.py" in record.getMessage()


def test_a_blueprint_has_no_document() -> None:
    with pytest.raises(TypeError, match=r"OpenAPI is for a whole application.*OpenAPI\('Lamps', prefix='/v1'\)"):
        Blueprint("api", prefix="/v1").use(OpenAPI("Lamps"))  # type: ignore[arg-type]


def test_a_thousand_routes_are_described_in_seconds() -> None:
    app = App()
    for number in range(1000):
        app.post(f"/lamps/{number}", name=f"lamps{number}")(h.factory(h.NewLamp))
    document = make_document(app, Info("API"))
    assert (len(document.content["paths"]), document.unknown) == (1000, [])


@pytest.mark.processes
def test_an_application_that_serves_without_being_asked_loads_nothing_of_it() -> None:
    program = (
        "import sys; from antiphon import App; from antiphon.features import OpenAPI; app = App();"
        "app.use(OpenAPI('Lamps')); app._freeze();"
        "print([name for name in sys.modules if name == 'msgspec' or name.endswith('openapi.document')])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def app_with_wrong_answers() -> App:
    app = App()
    app.use(OpenAPI("Lamps"))

    @app.get("/wrong")
    def wrong(request: Request) -> h.Lamp:
        return {"id": "<7>", "name": "Desk"}  # type: ignore[return-value]

    app.get("/right")(lambda request: {"id": 7})
    return app


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_debugged_application_tells_of_answers_that_break_their_contracts_in_the_log_and_on_the_page(
    debug_mode: None, caplog: pytest.LogCaptureFixture, interface: Any
) -> None:
    client = Client(app_with_wrong_answers(), interface)
    assert "broke" not in client.get("/docs").text
    assert client.get("/wrong").json["id"] == client.get("/wrong").json["id"] == "<7>"
    assert client.get("/right").status == 200
    assert client.get("/nowhere").status == 404
    told = [each.getMessage() for each in caplog.records if each.name == "antiphon.openapi"]
    assert len(told) == 2
    assert told[0].endswith("not fit Lamp: /id expected an integer, got a string")
    assert "test_document.py" in told[0]
    page = client.get("/docs").text
    assert page.count(f"{told[0].replace('<', '&lt;').replace('>', '&gt;')}</li>") == 1


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("accept", ["application/x-ndjson", "text/event-stream", "application/json"])
def test_a_debugged_application_checks_each_item_of_a_stream(
    debug_mode: None, caplog: pytest.LogCaptureFixture, interface: Any, accept: str
) -> None:
    app = App()
    app.use(OpenAPI("Lamps"))

    @app.get("/lamps")
    async def lamps(request: Request) -> AsyncIterator[h.Lamp]:
        yield h.Lamp(1, "Desk")
        yield h.Lamp("2", "Floor")  # type: ignore[arg-type]
        yield h.Lamp(3, "Wall")

    with Client(app, interface).stream("GET", "/lamps", headers={"accept": accept}) as response:
        assert response.read().count(b'"name"') == 3
    (told,) = [each.getMessage() for each in caplog.records if each.name == "antiphon.openapi"]
    assert told.endswith("with an item that does not fit Lamp: /id expected an integer, got a string")


def test_in_production_no_answer_is_checked(caplog: pytest.LogCaptureFixture) -> None:
    app = app_with_wrong_answers()
    client = Client(app)
    assert client.get("/wrong").status == 200
    assert [each for each in caplog.records if each.name == "antiphon.openapi"] == []
    assert app._registry.after == []
    assert "broke" not in client.get("/docs").text


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_each_interface_answers_with_the_same_document(interface: Any, content: dict[str, Any]) -> None:
    assert json.loads(Client(make_app(), interface).get("/api/openapi.json").body) == content


@dataclass
class Found:
    must: int | None
    kind: Literal["new", "old"] | None = None
    page: int | None = None
    text: str | None = None


def test_a_query_takes_null_where_it_takes_no_text() -> None:
    app = App()

    @app.get("/")
    def handler(request: Request):
        found = request.args_as(Found)
        return [found.must, found.kind, found.page, found.text]

    described = document_of(app)["paths"]["/"]["get"]["parameters"]
    assert [each["name"] for each in described if each.get("allowEmptyValue")] == ["kind", "page"]
    parameters = {each["name"]: each["schema"] for each in described}
    assert {*parameters.pop("kind")["enum"]} == {"new", "old", None}
    assert parameters == {
        "must": {"type": "integer"}, "page": {"type": ["integer", "null"]}, "text": {"type": "string"},
    }  # fmt: skip
    assert Client(app).get("/?must=1&kind=null&page=null&text=null").json == [1, None, None, "null"]
    assert Client(app).get("/?must=1&kind=&page=&text=").json == [1, None, None, ""]
