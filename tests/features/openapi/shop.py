"""A shop whose document has something of everything."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Literal, TypedDict
from uuid import UUID

from msgspec import Meta, Struct

from antiphon import App, Blueprint, Request, Response, Upload, abort
from antiphon.features import (
    Bearer,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    SessionLogin,
    Sessions,
    Users,
    login_required,
)
from antiphon.http import Conflict


class Color(Enum):
    WARM = "warm"
    COLD = "cold"


class Cat(Struct, tag=True):
    lives: int


class Dog(Struct, tag=True):
    tricks: list[str]


@dataclass
class Room:
    name: str
    lamps: "list[Lamp]" = field(default_factory=list)


@dataclass
class Lamp:
    """A lamp in a room."""

    id: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    name: Annotated[str, Meta(min_length=1, max_length=40, description="As people call it.")]
    color: Color = Color.WARM
    watts: float | None = None
    room: Room | None = None
    level: Annotated[int, Meta(ge=0, le=10)] = 5


class Patch(TypedDict, total=False):
    name: str


@dataclass
class Search:
    q: Annotated[str, Meta(min_length=1)]
    color: Color | None = None
    tags: list[str] = field(default_factory=list)
    page: int = 1


@dataclass
class Picture:
    file: Upload
    caption: str = ""


LAMPS: dict[int, Lamp] = {}
api = Blueprint("lamps", prefix="/api")


@api.get("/lamps")
def index(request: Request) -> list[Lamp]:
    """List the lamps.

    The newest come first.
    """
    request.args_as(Search)
    return [*LAMPS.values()]


@api.post("/lamps")
def add(request: Request) -> tuple[Lamp, Literal[201], dict[str, str]]:
    lamp = request.json_as(Lamp)
    if lamp.id in LAMPS:
        raise Conflict("There is such a lamp.")
    LAMPS[lamp.id] = lamp
    return lamp, 201, {"location": request.url_for(".show", number=lamp.id)}


@api.get("/lamps/<int:number>")
def show(request: Request, number: int) -> Lamp:
    return LAMPS.get(number) or abort(404, "There is no such lamp.")


@api.patch("/lamps/<int:number>", before=login_required)
def change(request: Request, number: int) -> Lamp:
    patch = request.json_as(Patch)
    lamp = LAMPS.get(number) or abort(404, "There is no such lamp.")
    lamp.name = patch.get("name", lamp.name)
    return lamp


@api.delete("/lamps/<int:number>")
def remove(request: Request, number: int) -> None:
    LAMPS.pop(number, None)


@api.post("/lamps/<int:number>/picture", before=RateLimit("1000/minute"))
def picture(request: Request, number: int) -> None:
    request.form_as(Picture)


@api.get("/pictures/<uuid:id>.<any(png,jpeg):kind>")
def show_picture(request: Request, id: UUID, kind: str) -> Response:
    return Response.file("/etc/hostname", content_type="image/png")


@api.post("/pets")
def pet(request: Request) -> Cat | Dog:
    return request.json_as(Cat | Dog)


@api.get("/me")
def me(request: Request):
    return {"user": request.user, "is_admin": False}


@api.post("/orders", idempotent=True, deadline=5)
async def order(request: Request) -> tuple[Lamp, Literal[202]]:
    return LAMPS.get(request.json_as(int)) or abort(404), 202


@api.get("/signed/<path:name>", signed_url=True)
def signed(request: Request, name: str):
    return f"Signed: {name}"


@api.route("/search", methods=["GET", "POST"], name="search")
def search(request: Request):
    found = request.form.get("q") if request.method == "POST" else request.args["q"]
    return {"found": found}


@api.get("/events")
def events(request: Request) -> Response:
    return Response.events([])


def make_app() -> App:
    app = App(secret_keys=["0123456789abcdef"])
    app.use(OpenAPI("Lamps", version="2", prefix="/api"))
    store = MemoryStore()
    app.use(Sessions(store))
    app.use(Users(Bearer({"t1": "ada"}.get), SessionLogin({"1": "ada"}.get)))
    app.use(IdempotentWrites(store))
    app.register(api)

    @app.get("/elsewhere")
    def elsewhere(request: Request):
        return "This is not below the prefix."

    return app
