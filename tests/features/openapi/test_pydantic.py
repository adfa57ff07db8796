"""Models of Pydantic in documents, where Pydantic is installed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest

from antiphon import App, Request
from antiphon.features import OpenAPI
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client, ContractError

pydantic = pytest.importorskip("pydantic")

from pydantic import BaseModel, Field, computed_field  # noqa: E402

T = TypeVar("T")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    name: Annotated[str, Field(min_length=1, description="As people call it.", examples=["shade"])]
    parts: "list[Part]" = []


class Lamp(BaseModel):
    """A lamp with parts."""

    id: Annotated[int, Field(ge=0)]
    watts: float | None = None
    color: Color = Color.RED
    price: Decimal = Decimal(1)
    sold_on: date | None = Field(None, alias="soldOn")
    part: Part | None = None

    @computed_field
    def label(self) -> str:
        return f"Lamp {self.id}"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Paged(BaseModel, Generic[T]):
    items: list[T]


@dataclass
class Box:
    lamp: Lamp


@dataclass(frozen=True)
class Plain:
    id: int


def make_app() -> App:
    app = App()

    @app.post("/lamps")
    def add(request: Request) -> tuple[Lamp, Literal[201]]:
        return request.json_as(Lamp), 201

    @app.get("/lamps")
    def listed(request: Request) -> list[Lamp]:
        return []

    @app.put("/box")
    def box(request: Request) -> Box:
        return request.json_as(Box)

    @app.post("/pets")
    def pet(request: Request) -> Paged[Part]:
        request.json_as(Pet)
        return Paged[Part](items=[])

    @app.get("/plain")
    def plain(request: Request) -> Plain:
        return Plain(1)

    return app


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    document = make_document(make_app(), Info("Lamps"))
    assert document.unknown == []
    return document.content


def test_the_document_is_valid(content: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    validator.validate(content)


def test_a_model_has_a_schema_for_each_direction(content: dict[str, Any]) -> None:
    schemas = content["components"]["schemas"]
    assert schemas["LampInput"] == {
        "title": "LampInput",
        "description": "A lamp with parts.",
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": 0},
            "watts": {"type": ["number", "null"]},
            "color": {"$ref": "#/components/schemas/Color"},
            "price": {"anyOf": [{"type": "number"}, schemas["LampInput"]["properties"]["price"]["anyOf"][1]]},
            "soldOn": {"type": ["string", "null"], "format": "date"},
            "part": {"anyOf": [{"$ref": "#/components/schemas/PartInput"}, {"type": "null"}]},
        },
        "required": ["id"],
    }
    answer = schemas["Lamp"]
    assert answer["required"] == [*answer["properties"]] == ["id", "watts", "color", "price", "soldOn", "part", "label"]
    assert answer["properties"]["price"]["type"] == answer["properties"]["label"]["type"] == "string"
    assert answer["properties"]["part"]["anyOf"][0] == {"$ref": "#/components/schemas/Part"}
    assert schemas["Part"]["properties"]["name"] == {
        "type": "string", "minLength": 1, "description": "As people call it.", "examples": ["shade"],
    }  # fmt: skip
    assert schemas["Color"]["enum"] == ["red", "blue"]


def test_operations_refer_to_models(content: dict[str, Any]) -> None:
    paths = content["paths"]
    add, box, pet = paths["/lamps"]["post"], paths["/box"]["put"], paths["/pets"]["post"]
    assert add["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/LampInput"}
    assert [*add["responses"]] == ["201", "400", "403", "413", "415", "422"]
    assert add["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Lamp"}
    assert paths["/lamps"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] == {
        "type": "array", "items": {"$ref": "#/components/schemas/Lamp"},
    }  # fmt: skip
    assert box["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/BoxInput"}
    schemas = content["components"]["schemas"]
    assert schemas["BoxInput"]["properties"]["lamp"] == {"$ref": "#/components/schemas/LampInput"}
    assert schemas["Box"]["properties"]["lamp"] == {"$ref": "#/components/schemas/Lamp"}
    choice = pet["requestBody"]["content"]["application/json"]["schema"]
    assert choice["discriminator"]["mapping"] == {
        "cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog",
    }  # fmt: skip
    assert pet["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Paged_Part"
    }


def test_a_model_and_a_dataclass_may_have_one_name() -> None:
    app = App()
    other = dataclass(type("Lamp", (), {"__annotations__": {"size": int}}))

    @app.post("/")
    def both(request: Request) -> Lamp:
        request.json_as(other)
        return Lamp(id=1)

    schemas = make_document(app, Info("Lamps")).content["components"]["schemas"]
    assert [name for name, each in schemas.items() if "size" in each.get("properties", ())] != []
    assert [name for name, each in schemas.items() if "watts" in each.get("properties", ())] != []


def test_the_page_shows_models() -> None:
    app = make_app()
    app.use(OpenAPI("Lamps"))
    page = Client(app).get("/docs").text
    assert '<a href="#type-Cat">Cat</a> or <a href="#type-Dog">Dog</a>' in page
    assert "&quot;kind&quot;: &quot;cat&quot;" in page


def test_answers_are_held_to_models() -> None:
    app = App()

    @app.get("/<kind>")
    def lamp(request: Request, kind: str) -> Lamp:
        whole = Lamp(id=1).model_dump(mode="json", by_alias=True)
        wrong = {"id": {**whole, "id": "x"}, "more": {**whole, "size": 1}, "less": {"id": 1}}
        return Lamp(id=1) if kind == "right" else wrong[kind]  # type: ignore[return-value]

    client = Client(app, contract=True)
    assert client.get("/right").json["label"] == "Lamp 1"
    assert client.get("/more").json == client.get("/less").json == client.get("/right").json
    with pytest.raises(ContractError, match=r"declares that it returns Lamp: dict is not Lamp: id: .* integer"):
        client.get("/id")
