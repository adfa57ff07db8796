"""What is known of copies of records, their fields as dicts, numbers, text and hashes."""

import copy
import dataclasses
import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import msgspec
from pydantic import BaseModel, ConfigDict

from antiphon import App, Request
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Room:
    name: str
    kind: ClassVar[str] = "room"


@dataclass
class Lamp:
    id: int
    rooms: list[Room] = field(default_factory=list)


class Spot(NamedTuple):
    x: int
    y: int


class Book(msgspec.Struct):
    title: str


class Model(BaseModel):
    a: int


class Renamed(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)
    a: int


LAMP, ROOM, BOOK, MODEL = ({"$ref": f"#/components/schemas/{name}"} for name in ("Lamp", "Room", "Book", "Model"))
TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
ROWS = sqlite3.connect(":memory:", check_same_thread=False)
ROWS.row_factory = sqlite3.Row


def members(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


def listed(item: Any) -> dict[str, Any]:
    return {"type": "array", "items": item}


KNOWN: list[tuple[Callable[[Request], Any], dict[str, Any]]] = [
    (lambda request: vars(Room("a")), members(name=TEXT)),
    (lambda request: Spot(1, 2)._asdict(), members(x=INTEGER, y=INTEGER)),
    (lambda request: msgspec.structs.asdict(Book("a")), members(title=TEXT)),
    (lambda request: Model(a=1).model_dump(), members(a=INTEGER)),
    (lambda request: Renamed(a=1).model_dump(), {"type": "object"}),
    (lambda request: Model(a=1).model_dump(exclude={"a"}), {"type": "object"}),
    (lambda request: [dataclasses.asdict(each) for each in [Room("a")]], listed(members(name=TEXT))),
    (lambda request: Model(a=1).model_copy(update={"a": 2}), MODEL),
    (lambda request: {"room": copy.deepcopy(Room("a"))}, members(room=ROOM)),
    (lambda request: sorted([Room("b"), Room("a")], key=lambda each: each.name), listed(ROOM)),
    (
        lambda request: {"sum": sum([1, 2]), "part": round(1.5, 1), "whole": round(1.5), "abs": abs(-1)},
        members(sum=INTEGER, part={"type": "number"}, whole=INTEGER, abs=INTEGER),
    ),
    (
        lambda request: {"words": ["a", "b"], "is_a": "a".startswith("a"), "at": "a".find("a")},
        members(words=listed(TEXT), is_a={"type": "boolean"}, at=INTEGER),
    ),
    (lambda request: {"id": hashlib.sha256(request.url.target.encode()).hexdigest()}, members(id=TEXT)),
]  # fmt: skip


@rows("handler, schema", KNOWN)
def test_what_a_beginner_writes_is_known(handler: Callable[[Request], Any], schema: dict[str, Any]) -> None:
    app = App()
    app.get("/x")(handler)
    document = make_document(app, Info("X"))
    content = document.content["paths"]["/x"]["get"]["responses"]["200"]["content"]
    assert (document.unknown, content) == ([], {"application/json": {"schema": schema}})
    sent = Client(app).get("/x").json
    if schema.get("properties"):
        assert {*sent} == {*schema["properties"]}


@dataclass
class More(Room):
    def __post_init__(self) -> None:
        self.more = 1


def test_what_has_more_than_fields_stays_unknown() -> None:
    app = App()
    app.get("/x")(lambda request: vars(More("a")))
    assert "vars" in str(make_document(app, Info("X")).unknown)
