"""Bodies of rows and patches in documents: their media types, their schemas, and the errors of their handlers."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from antiphon import App, HTTPError, Request, abort
from antiphon.features import OpenAPI
from antiphon.features.openapi.document import Info, make_document
from antiphon.http import UnprocessableContent
from antiphon.testing import Client
from tests.helpers.rows import rows


class Color(Enum):
    RED = "red"


@dataclass
class Part:
    sku: str


@dataclass
class Lamp:
    name: str
    price: float = 1.0


@dataclass
class Nested:
    name: str
    color: Color
    shade: str | None
    note: str | None = None
    part: Part | None = None
    parts: list[Part] = field(default_factory=list)


def document(handler, path="/", openapi="3.2", method="POST"):
    app = App()
    app.use(OpenAPI("Lamps", openapi=openapi))
    app.route(path, methods=[method])(handler)
    made = Client(app).get("/openapi.json").json
    return made, made["paths"][path][method.lower()]


def load(request: Request):
    return {"prices": sum(each.price for each in request.values_as(Lamp))}


REF = {"$ref": "#/components/schemas/Lamp"}
CSV_TEXT = {"type": "string", "description": "CSV whose first line has the names of the columns: name, price."}
LAMP = {
    "title": "Lamp",
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "number"}},
    "required": ["name"],
}


def test_a_body_of_rows_has_the_media_types_that_are_read():
    _, operation = document(load)
    assert operation["requestBody"] == {
        "required": True,
        "content": {
            "application/x-ndjson": {"itemSchema": REF},
            "application/jsonl": {"itemSchema": REF},
            "application/json-seq": {"itemSchema": REF},
            "application/json": {"schema": {"type": "array", "items": REF}},
            "text/csv": {"schema": CSV_TEXT, "itemSchema": LAMP},
        },
    }
    content = document(load, openapi="3.1")[1]["requestBody"]["content"]
    assert content["text/csv"] == {"schema": CSV_TEXT}
    assert content["application/jsonl"]["schema"]["type"] == "string"
    assert content["application/json"] == {"schema": {"type": "array", "items": REF}}


def test_rows_that_are_not_text_have_no_csv_and_a_fault_has_its_line():
    def nested(request: Request):
        return [each.name for each in request.values_as(Nested)]

    made, operation = document(nested)
    assert "text/csv" not in operation["requestBody"]["content"]
    fault = made["components"]["schemas"]["Problem"]["properties"]["errors"]["items"]["properties"]
    assert fault["line"]["type"] == "integer"


def collected(request: Request):
    orders = request.values_as(Lamp, on_fault="collect")
    return {"names": [each.name for each in orders]}


def collected_and_raised(request: Request):
    orders = request.values_as(Lamp, on_fault="collect")
    names = [each.name for each in orders]
    if orders.error:
        raise orders.error
    return {"names": names}


def caught(request: Request):
    try:
        names = [each.name for each in request.values_as(Lamp)]
    except UnprocessableContent:
        abort(409)
    return {"names": names}


def caught_too_early(request: Request):
    try:
        orders = request.values_as(Lamp)
    except HTTPError:
        abort(409)
    return {"names": [each.name for each in orders]}


def read_elsewhere(orders):
    return [each.name for each in orders]


def passed_on(request: Request):
    return {"names": read_elsewhere(request.values_as(Lamp))}


def as_list(request: Request):
    return {"all": list(request.values_as(Lamp))}


def unpacked(request: Request):
    first, *_ = request.values_as(Lamp)
    return {"first": first}


def starred(request: Request):
    return {"all": [*request.values_as(Lamp)]}


async def in_a_loop(request: Request):
    count = 0
    async for each in request.values_as(Lamp):
        count += len(each.name)
    return {"count": count}


def of_a_file(request: Request):
    return [each.name for each in request.values_as(Lamp, file=request.files["lamps"])]


def never_read(request: Request):
    request.values_as(Lamp)
    return {"names": 1}


def reported(request: Request):
    lines: list[int] = []

    def report(error: HTTPError) -> None:
        lines.extend(each["line"] for each in error.errors)
        if len(lines) > 10:
            abort(409)

    return {"count": sum(1 for _ in request.values_as(Lamp, on_fault=report))}


ERRORS_OF_ROWS = [
    (reported, {400, 409, 413, 415}),
    (load, {400, 413, 415, 422}), (collected, {400, 413, 415}), (collected_and_raised, {400, 413, 415, 422}),
    (caught, {400, 409, 413, 415}), (caught_too_early, {400, 409, 413, 422}), (passed_on, {400, 413, 415, 422}),
    (as_list, {400, 413, 415, 422}), (unpacked, {400, 413, 415, 422}), (starred, {400, 413, 415, 422}),
    (in_a_loop, {400, 413, 415, 422}), (of_a_file, {400, 413, 415, 422}),
    (never_read, {415}),
]  # fmt: skip


@rows("handler, statuses", ERRORS_OF_ROWS)
def test_errors_are_those_of_the_place_where_rows_are_read(handler, statuses):
    _, operation = document(handler)
    assert {int(each) for each in operation["responses"]} - {200, 403} == statuses
    is_file = handler is of_a_file
    assert ("multipart/form-data" in operation["requestBody"]["content"]) is is_file
    assert ("application/jsonl" in operation["requestBody"]["content"]) is not is_file


def test_an_item_has_the_type_of_the_rows():
    _, operation = document(as_list)
    content = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert content["properties"]["all"]["items"]["$ref"] == "#/components/schemas/Lamp"


def unknown_options(request: Request):
    options: dict[str, Any] = {"unknown": request.args.get("unknown")}
    return request.json_as(Lamp, **options)


def unknown_file(request: Request):
    return [each.name for each in request.values_as(Lamp, file=request.g.file)]


@rows("handler", [unknown_options, unknown_file])
def test_what_is_not_known_is_said(handler):
    app = App()
    app.post("/")(handler)
    unknown = make_document(app, Info("Lamps")).unknown
    assert any("not known before it runs" in each for each in unknown)


def strict(request: Request):
    return {"name": request.json_as(Nested, unknown="refuse").name}


def strict_and_returned(request: Request) -> Nested:
    return request.json_as(Nested, unknown="refuse") if request.args.get("a") else request.json_as(Nested)


def strict_rows(request: Request):
    return [each.name for each in request.values_as(Lamp, unknown="refuse")]


def strict_query(request: Request):
    return request.args_as(Lamp, unknown="refuse").name


def strict_form(request: Request):
    return request.form_as(Lamp, unknown="refuse").name


def test_refused_members_are_no_additional_properties():
    made, operation = document(strict)
    schemas = made["components"]["schemas"]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Nested"}
    assert schemas["Nested"]["additionalProperties"] is schemas["Part"]["additionalProperties"] is False
    schemas = document(strict_and_returned)[0]["components"]["schemas"]
    closed = {name for name, each in schemas.items() if "additionalProperties" in each}
    assert closed == {"NestedStrict", "PartStrict"}
    assert schemas.keys() - {"Problem", "Color"} == closed | {"Nested", "NestedInput", "Part"}
    content = document(strict_rows)[1]["requestBody"]["content"]
    assert content["text/csv"]["itemSchema"]["additionalProperties"] is False
    assert [each["name"] for each in document(strict_query, method="GET")[1]["parameters"]] == ["name", "price"]
    (form,) = document(strict_form)[1]["requestBody"]["content"].values()
    assert form["schema"]["additionalProperties"] is False


NESTED = Nested("a", Color.RED, "dark")


def change(request: Request):
    return request.patched(NESTED)


FOUND: dict[int, Nested] = {}


def change_found(request: Request):
    changed = request.patched(FOUND[1])
    return {"name": changed.name}


@rows("handler", [change, change_found])
def test_a_patch_has_both_media_types_and_its_errors(handler):
    made, operation = document(handler, method="PATCH")
    content = operation["requestBody"]["content"]
    assert operation["requestBody"]["required"]
    assert content["application/json-patch+json"]["schema"] == {"$ref": "#/components/schemas/JSONPatch"}
    merge = content["application/merge-patch+json"]["schema"]
    assert merge == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "color": {"$ref": "#/components/schemas/Color"},
            "shade": {"type": ["string", "null"]},
            "note": {"type": ["string", "null"]},
            "part": {"type": ["object", "null"]},
            "parts": {"type": ["array", "null"], "items": merge["properties"]["parts"]["items"]},
        },
    }
    responses = operation["responses"]
    assert {"400", "409", "413", "415", "422"} <= responses.keys()
    assert "Accept-Patch" in responses["415"]["headers"]
    conflict = responses["409"]["content"]["application/problem+json"]["schema"]["$ref"].rpartition("/")[2]
    assert made["components"]["schemas"][conflict]["properties"]["operation"] == {"type": "integer"}


SENT = [
    ({}, True), ({"name": "b"}, True), ({"note": None, "parts": None}, True), ({"part": {}}, True),
    ({"name": None}, False), ({"titel": "a"}, False), ({"parts": [{}]}, False), ({"shade": None}, True),
]  # fmt: skip


@rows("patch, is_right", SENT)
def test_the_schema_of_a_merge_patch_accepts_what_the_handler_accepts(patch, is_right):
    from jsonschema import Draft202012Validator

    current = Nested("a", Color.RED, "dark", "b", Part("c"), [Part("d")])

    def patch_current(request: Request):
        return request.patched(current)

    made, operation = document(patch_current, method="PATCH")
    schema = operation["requestBody"]["content"]["application/merge-patch+json"]["schema"]
    assert Draft202012Validator({**schema, "components": made["components"]}).is_valid(patch) is is_right
    app = App()
    app.patch("/")(patch_current)
    response = Client(app).patch("/", json=patch, headers={"content-type": "application/merge-patch+json"})
    assert response.status == (200 if is_right else 422)


WITHOUT_RECORD = [(list[Nested], {}), (dict[str, int], {"type": "object"}), (Color, {})]


@rows("kind, schema", WITHOUT_RECORD)
def test_a_merge_patch_of_anything_but_a_record_may_have_any_members(kind, schema):
    def patch_any(request: Request):
        return request.patched(request.json, kind)

    content = document(patch_any, method="PATCH")[1]["requestBody"]["content"]
    assert content["application/merge-patch+json"] == {"schema": schema}


def strict_query_and_returned(request: Request) -> Lamp:
    return request.args_as(Lamp, unknown="refuse")


def test_a_strict_query_may_leave_out_what_a_response_has():
    parameters = document(strict_query_and_returned, method="GET")[1]["parameters"]
    assert [(each["name"], each["required"]) for each in parameters] == [("name", True), ("price", False)]


def test_a_held_contract_checks_rows_and_patches():
    app = App()
    app.post("/rows")(load)
    app.patch("/patch")(change)
    client = Client(app, contract=True)
    assert client.post("/rows", body=b"name,price\na,2\n", headers={"content-type": "text/csv"}).json == {"prices": 2}
    merge = {"content-type": "application/merge-patch+json"}
    assert client.patch("/patch", body=b'{"name": "b"}', headers=merge).json["name"] == "b"
    assert client.patch("/patch", body=b"{}").status == 415


def test_models_may_be_patched():
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", title=(str, ...))

    def patch_model(request: Request):
        return request.patched(model(title="a"), model)

    made, _ = document(patch_model, method="PATCH")
    assert "JSONPatch" in made["components"]["schemas"]
    app = App()
    app.patch("/")(patch_model)
    response = Client(app).patch("/", body=b'{"title": "b"}', headers={"content-type": "application/merge-patch+json"})
    assert response.json == {"title": "b"}
