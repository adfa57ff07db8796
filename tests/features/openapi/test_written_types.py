"""Schemas of types that are only written: unions that can't be told apart in text, and dates and times."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import BaseModel, Field

from antiphon import App, Request
from antiphon.features.openapi.document import Info, make_document
from antiphon.features.openapi.schemas import Schemas
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Cat:
    name: str


@dataclass
class Dog:
    barks: bool


class Bird(msgspec.Struct):
    flies: bool


@dataclass
class Home:
    pet: Cat | Dog
    by_name: dict[str, Bird | Dog]
    before: "Home | Cat | None" = None


CAT, DOG = {"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}
PETS = {"anyOf": [CAT, DOG]}


def pet(request: Request) -> Cat | Dog:
    return Dog(True)


def pets(request: Request) -> list[Cat | Dog]:
    return [Cat("a"), Dog(True)]


def by_name(request: Request) -> dict[str, Cat | Dog]:
    return {"a": Cat("a")}


def numbers(request: Request) -> list[int] | list[str]:
    return ["a"]


def home(request: Request) -> Home:
    return Home(Cat("a"), {"b": Bird(True)}, Home(Dog(True), {}))


UNIONS: list[tuple[Callable[..., Any], dict[str, Any], object]] = [
    (pet, PETS, {"barks": True}),
    (pets, {"type": "array", "items": PETS}, [{"name": "a"}, {"barks": True}]),
    (by_name, {"type": "object", "additionalProperties": PETS}, {"a": {"name": "a"}}),
    (
        numbers,
        {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "string"}}]},
        ["a"],
    ),
    (
        home,
        {"$ref": "#/components/schemas/Home"},
        {
            "pet": {"name": "a"}, "by_name": {"b": {"flies": True}},
            "before": {"pet": {"barks": True}, "by_name": {}, "before": None},
        },
    ),
]  # fmt: skip


@rows("handler, schema, sent", UNIONS)
def test_an_annotation_is_as_good_as_the_code(handler: Callable[..., Any], schema: dict[str, Any], sent: Any) -> None:
    app = App()
    app.get("/x")(handler)
    document = make_document(app, Info("Pets"))
    content = document.content["paths"]["/x"]["get"]["responses"]["200"]["content"]
    assert (document.unknown, content) == ([], {"application/json": {"schema": schema}})
    assert Client(app).get("/x").json == sent


def test_a_record_has_unions_in_its_fields() -> None:
    schemas = Schemas([], [Home])
    assert schemas.undescribed == []
    properties = schemas.components["Home"]["properties"]
    assert properties["pet"] == PETS
    assert properties["by_name"]["additionalProperties"]["anyOf"] == [DOG, {"$ref": "#/components/schemas/Bird"}]
    assert properties["before"]["anyOf"] == [{"$ref": "#/components/schemas/Home"}, CAT, {"type": "null"}]


def test_a_union_that_is_read_must_be_readable() -> None:
    schemas = Schemas([Cat | Dog], [])
    ((kind, reason),) = schemas.undescribed
    assert kind == Cat | Dog
    assert "can't be read" in reason


DATES = [
    (datetime, "date-time-local", "A date and time (ISO 8601), which may have a zone."),
    (Annotated[datetime, Meta(tz=False)], "date-time-local", "A date and time without a zone."),
    (Annotated[datetime, Meta(tz=True)], "date-time", None),
    (Annotated[datetime, Meta(description="When.")], "date-time-local", "When."),
    (time, "time-local", "A time (ISO 8601), which may have a zone."),
    (Annotated[time, Meta(tz=True)], "time", None),
]


@rows("kind, form, description", DATES)
def test_a_date_has_a_format_and_says_what_it_is(kind: Any, form: str, description: str | None) -> None:
    schemas = Schemas([kind], [kind])
    wanted = {"type": "string", "format": form} | ({} if description is None else {"description": description})
    assert schemas.of_type(kind, "input") == schemas.of_type(kind, "output") == wanted


class Price(BaseModel):
    amount: str = Field(json_schema_extra={"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"})  # as newer versions have it


def test_patterns_of_decimals_in_models_have_no_lookahead() -> None:
    schemas = Schemas([Price], [Price])
    assert schemas.components["Price"]["properties"]["amount"]["pattern"] == r"^[+-]?0*\d*\.?\d*$"
