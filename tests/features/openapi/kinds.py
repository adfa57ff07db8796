"""An application of what clients find hard: defaults, conditions, files, unions, problems, ranges, headers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, TypedDict
from uuid import UUID

from msgspec import Meta, Struct

from antiphon import App, Blueprint, Request, Response, Upload, abort
from antiphon.features import OpenAPI
from antiphon.http import Conflict


class Shade(Enum):
    WARM = "warm"
    COLD = "cold"


@dataclass
class Size:
    width: int = 1
    height: int = 1


@dataclass
class Lamp:
    """Read and answered, with defaults."""

    name: str
    watts: int = 4
    shade: Shade = Shade.WARM
    size: Size = field(default_factory=Size)
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    kind: Literal["led", "bulb"] = "led"
    price: Decimal = Decimal(1)
    made: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Kept:
    id: UUID
    lamp: Lamp
    others: dict[str, Lamp] = field(default_factory=dict)


@dataclass
class Picture:
    file: Upload
    others: list[Upload]
    caption: str = ""


class Cat(Struct, tag=True):
    lives: int = 9


class Dog(Struct, tag=True):
    friend: Cat | None = None


@dataclass
class Wanted:
    q: str = ""
    shade: Shade | None = None
    tag: list[str] = field(default_factory=list)
    most: Annotated[int, Meta(ge=1, le=99)] = 10


class Changes(TypedDict, total=False):
    name: str
    note: str | None


@dataclass
class Found:
    id: Literal[1, 2]
    total: int = 0
    page: tuple[int, str] = (1, "")


class Sold(Conflict):
    """A lamp that is not there any more."""


LAMP = UUID("8e03978e-40d5-43dd-bc93-6894a57f9324")
kept: dict[UUID, Kept] = {}
api = Blueprint("kinds", prefix="/kinds")


@api.post("/lamps")
def add(request: Request) -> tuple[Kept, Literal[201], dict[str, str]]:
    lamp = request.json_as(Lamp)
    kept[LAMP] = Kept(LAMP, lamp, {"twin": lamp})
    return kept[LAMP], 201, {"location": request.url_for(".show", id=LAMP)}


@api.get("/lamps/<uuid:id>")
def show(request: Request, id: UUID) -> Kept:
    return kept.get(id) or abort(404, "There is no such lamp.")


@api.patch("/lamps/<uuid:id>")
def change(request: Request, id: UUID) -> Kept:
    known = kept.get(id) or abort(404, "There is no such lamp.")
    request.precondition(etag=known.lamp.name)
    known.lamp.name = request.json_as(Changes).get("name", known.lamp.name)
    return known


@api.delete("/lamps/<uuid:id>")
def remove(request: Request, id: UUID) -> None:
    raise Sold("It is sold already.")


@api.get("/lamps")
def index(request: Request) -> Found:
    return Found(1, request.args_as(Wanted).most)


@api.post("/pictures")
def picture(request: Request):
    sent = request.form_as(Picture)
    return {"size": sent.file.size, "others": len(sent.others), "caption": sent.caption}, 201


@api.get("/pictures/<path:name>")
def shown(request: Request, name: str) -> Response:
    return Response.file(__file__, content_type="image/png")


@api.post("/pets")
def pet(request: Request) -> Cat | Dog:
    return request.json_as(Cat | Dog)


@api.post("/all-pets")
def pets(request: Request) -> list[Cat | Dog]:
    return request.json_as(list[Cat | Dog])


@api.post("/bytes")
def count(request: Request):
    return {"size": len(request.body)}


@api.get("/both")
def both(request: Request):
    if request.accept.best(["text/html", "application/json"]) == "text/html":
        return Response.html("<p>Lamp")
    return {"name": "Lamp"}


@api.get("/lines")
def lines(request: Request) -> Iterator[str]:
    yield "one\n"


@api.get("/go/<any(here,there):where>")
def go(request: Request, where: str) -> Response:
    return Response.redirect("/kinds/both")


@api.get("/count/<int(max=9):number>.<re([a-z]+):kind>")
def one(request: Request, number: int, kind: str) -> list[int]:
    return [number]


@api.post("/mixed")
def mixed(request: Request) -> dict[str, int | str]:
    wanted = request.json_as(dict[str, int | str])
    return {**wanted, "user": request.headers.get("x-user", "")}


def make_app() -> App:
    """Return the application, whose document is at ``/kinds/openapi.json``."""
    kept.clear()
    app = App()
    app.use(OpenAPI("Kinds", prefix="/kinds"))
    app.register(api)
    return app
