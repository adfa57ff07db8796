"""Ten programs that answer with JSON."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, NotRequired, TypedDict, assert_type
from uuid import UUID

from msgspec import Meta, Struct

from antiphon import JSON, App, Blueprint, Dependency, HTTPError, Limits, Request, Response, abort, decimal_meta, env
from antiphon.features import Bearer, IdempotentWrites, MemoryStore, OpenAPI, RateLimit, Users, login_required
from antiphon.http import CacheControl, ETag, FieldError, FieldProblem, NotFound, UnprocessableContent


@dataclass
class Order:
    item: str
    count: Annotated[int, Meta(ge=1, le=100)] = 1
    tags: list[str] = field(default_factory=list)


class Lamp(Struct):
    id: int
    name: str
    is_on: bool = False


class Search(TypedDict):
    q: str
    page: NotRequired[int]


class Orders:
    """A store of orders, as a database would be one."""

    def __init__(self) -> None:
        self.rows: dict[int, Order] = {1: Order("tea")}

    async def find(self, number: int) -> Order | None:
        return self.rows.get(number)


ORDERS = Dependency[Orders]("orders")


def dict_and_list() -> App:
    app = App()

    @app.get("/prices")
    def prices(request: Request) -> dict[str, float]:
        return {"tea": 2.5, "milk": 1.25}

    @app.get("/names")
    async def names(request: Request) -> list[str]:
        return ["tea", "milk"]

    return app


def body_as_a_dataclass() -> App:
    app = App()

    @app.post("/orders")
    def create(request: Request) -> tuple[Order, int, dict[str, str]]:
        order = request.json_as(Order)
        return order, 201, {"location": request.url_for("show", number=order.count)}

    @app.get("/orders/<int:number>")
    def show(request: Request, number: int) -> Order:
        return Order("tea", number)

    return app


def query_as_a_typed_dict() -> App:
    app = App()

    @app.get("/search")
    def search(request: Request) -> dict[str, str | int]:
        wanted = request.args_as(Search)
        return {"q": wanted["q"].lower(), "page": wanted.get("page", 1) + 1}

    return app


def union_of_bodies() -> App:
    app = App()

    @app.put("/lamps")
    def put(request: Request) -> list[Lamp]:
        given = request.json_as(Lamp | list[Lamp])
        return given if isinstance(given, list) else [given]

    @app.patch("/lamps/<int:number>")
    def switch(request: Request, number: int) -> Lamp:
        wanted = request.json_as(Literal["on", "off"])
        return Lamp(number, "Desk", wanted == "on")

    return app


def dependency_of_a_database() -> App:
    app = App()
    orders = Orders()
    app.provide(ORDERS, lambda request: orders)

    @app.get("/orders/<int:number>")
    async def show(request: Request, number: int) -> Order:
        found = await request[ORDERS].find(number)
        if found is None:
            raise NotFound(f"There is no order {number}.")
        return found

    return app


def wrong_fields() -> App:
    app = App()

    @app.post("/orders")
    def create(request: Request) -> Order:
        order = request.json_as(Order)
        if order.item == "coffee":
            wrong: FieldProblem = {"pointer": "/item", "detail": "is sold out"}
            raise UnprocessableContent("One field is wrong.", members={"errors": [wrong]})
        return order

    @app.errorhandler(422)
    def shorter(request: Request, error: HTTPError) -> tuple[dict[str, str], int]:
        return {each["pointer"]: each["detail"] for each in error.errors}, 422

    return app


def token_and_rate() -> App:
    async def find(token: str) -> str | None:
        return "billing" if token == "k7Qz" else None

    app = App()
    service = Dependency[str]("service")
    app.use(Users(Bearer(find), required=service))
    api = Blueprint("api", prefix="/v1", limits=Limits(body=64 << 10))
    api.before_request(login_required)

    @api.get("/usage", before=RateLimit("5/minute", by=lambda request: request[service]))
    async def usage(request: Request) -> dict[str, str]:
        return {"service": request[service].upper()}

    app.register(api)
    return app


def conditional_answers() -> App:
    app = App()
    changed = datetime(2026, 11, 23, tzinfo=UTC)

    @app.get("/lamps/<uuid:key>")
    def show(request: Request, key: UUID) -> Response:
        response = Response.json({"key": str(key), "name": "Desk"})
        response.etag = ETag(key.hex)
        response.last_modified = changed
        response.cache_control = CacheControl(max_age=60, public=True)
        return response

    return app


def rows_as_they_come() -> App:
    app = App()

    @app.get("/rows")
    def rows(request: Request) -> Response:
        def read() -> Iterator[dict[str, int]]:
            for number in range(3):
                yield {"number": number}

        return Response.ndjson(read())

    @app.get("/later")
    async def later(request: Request) -> Response:
        async def read() -> AsyncIterator[Order]:
            yield Order("tea")

        return Response.ndjson(read())

    return app


def writes_that_happen_once() -> App:
    app = App()
    app.use(IdempotentWrites(MemoryStore()))
    app.use(OpenAPI(title="Payments", version="1"))
    paid: list[Order] = []

    @app.post("/payments", idempotent=True)
    def pay(request: Request) -> tuple[dict[str, object], int]:
        order = request.json_as(Order)
        if order in paid:
            abort(409, "That is paid.", members={"item": order.item})
        paid.append(order)
        return asdict(order), 201

    return app


PROGRAMS = [
    dict_and_list, body_as_a_dataclass, query_as_a_typed_dict, union_of_bodies, dependency_of_a_database, wrong_fields,
    token_and_rate, conditional_answers, rows_as_they_come, writes_that_happen_once,
]  # fmt: skip


Money = Annotated[Decimal, decimal_meta(ge=0, places=2)]


@dataclass
class Details:
    title: str
    price: Money


@dataclass
class Picture:
    details: JSON[Details]
    tags: JSON[list[int]] = field(default_factory=list)
    other: JSON[Details] | None = None


def add_picture(request: Request) -> Picture:
    picture = request.form_as(Picture)
    assert_type(picture.details.price, Decimal)
    assert_type(picture.tags, list[int])
    assert_type(picture.other, Details | None)
    if picture.details.title == "taken":
        raise FieldError("/details/title", "is taken", code="taken")
    return picture


assert_type(env("FOLDER", "var", cast=Path), Path)
assert_type(env("WORKERS", "auto", cast=int), int | str)
