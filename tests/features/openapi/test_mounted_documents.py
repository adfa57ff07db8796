"""The documents of mounted FastAPI applications, as parts of the document of the application around them."""

import logging

import pytest

from antiphon import App, Request
from antiphon.features import OpenAPI
from antiphon.testing import Client
from tests.helpers.rows import rows

fastapi = pytest.importorskip("fastapi")
pytestmark = pytest.mark.once

from fastapi.security import APIKeyHeader  # noqa: E402
from pydantic import BaseModel  # noqa: E402


class Item(BaseModel):
    name: str


class Order(BaseModel):
    number: int
    items: list[Item]


def theirs(**options):
    old = fastapi.FastAPI(title="Old", **options)

    class Item(BaseModel):
        theirs: float

    class Order(BaseModel):
        items: list[Item]

    @old.get("/orders/{number}", operation_id="show", tags=["old"])
    def order(number: int, key: str = fastapi.Depends(APIKeyHeader(name="x-key"))) -> Order: ...

    @old.post("/orders")
    def add(order: Order) -> Order: ...

    return old


def shop(**options):
    app = App()
    app.use(OpenAPI("Shop", **options))

    @app.get("/new/<int:id>", name="show")
    def show(request: Request, id: int) -> Order:
        return Order(number=id, items=[])

    return app


def document(app):
    return Client(app).get("/openapi.json").json


def references(value):
    if isinstance(value, dict):
        yield from (
            [value["$ref"]] if "$ref" in value else [each for part in value.values() for each in references(part)]
        )
    elif isinstance(value, list):
        yield from [each for part in value for each in references(part)]


def at(found, pointer):
    for step in pointer.split("/")[1:]:
        found = found[step]
    return found


def test_their_operations_are_below_the_prefix_and_marked():
    app, inner = shop(), App()
    app.mount("/shop", inner)
    inner.mount("/old", theirs())
    made = document(app)
    assert list(made["paths"]) == ["/new/{id}", "/shop/old/orders", "/shop/old/orders/{number}"]
    ours, old = made["paths"]["/new/{id}"]["get"], made["paths"]["/shop/old/orders/{number}"]["get"]
    assert (ours["operationId"], old["operationId"]) == ("show", "show_2")
    assert ("x-mounted" in ours, old["x-mounted"], old["tags"]) == (False, "/shop/old", ["old"])


def test_components_with_taken_names_have_others():
    app = shop()
    app.mount("/a", theirs())
    app.mount("/b", theirs())
    made = document(app)
    assert made == document(app)
    for prefix, number in (("/a", 2), ("/b", 3)):
        operation = made["paths"][f"{prefix}/orders"]["post"]
        order = at(made, operation["requestBody"]["content"]["application/json"]["schema"]["$ref"])
        assert order["properties"]["items"]["items"]["$ref"] == f"#/components/schemas/Item_{number}"
        assert [*at(made, f"#/components/schemas/Item_{number}")["properties"]] == ["theirs"]
    assert [*made["components"]["schemas"]["Item"]["properties"]] == ["name"]
    secured = [made["paths"][f"{prefix}/orders/{{number}}"]["get"]["security"] for prefix in ("/a", "/b")]
    assert secured == [[{"APIKeyHeader": []}], [{"APIKeyHeader_2": []}]]
    assert {*made["components"]["securitySchemes"]} == {"APIKeyHeader", "APIKeyHeader_2"}
    assert all(at(made, each) for each in references(made))


def test_a_route_hides_the_path_that_it_has_taken_over():
    app = shop()
    app.mount("", theirs())

    @app.get("/orders/<int:id>")
    def order(request: Request, id: int) -> Item:
        return Item(name="tea")

    assert [*document(app)["paths"]] == ["/new/{id}", "/orders", "/orders/{id}"]


@rows(
    "options, own, mounted, paths",
    ({}, {"openapi_url": None}, {}, ["/new/{id}"]),
    ({}, {}, {"host": "old.example"}, ["/new/{id}"]),
    ({"prefix": "/new"}, {}, {}, ["/new/{id}"]),
)
def test_documents_of_others_are_left_out(options, own, mounted, paths):
    app = shop(path="/doc.json", **options)
    app.mount("", theirs(**own), **mounted)
    assert [*Client(app).get(options.get("prefix", "") + "/doc.json").json["paths"]] == paths


def test_a_document_that_cannot_be_made_is_named(caplog):
    app, old = shop(), theirs()
    app.mount("/old", old)
    old.openapi = lambda: 1 / 0
    with caplog.at_level(logging.WARNING):
        assert [*document(app)["paths"]] == ["/new/{id}"]
    assert "in /old has no document: ZeroDivisionError" in caplog.text


def test_the_page_shows_their_operations():
    app = shop()
    app.mount("/old", theirs())
    client = Client(app, follow_redirects=False)
    assert "/old/orders/{number}" in client.get("/docs").text
    assert client.get("/docs/show_2?number=7").headers["location"].startswith("/old/orders/7")
