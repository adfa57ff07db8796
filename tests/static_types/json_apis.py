"""Programs that answer with JSON."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, assert_type
from uuid import UUID

from msgspec import Meta

from antiphon import App, Blueprint, Dependency, Limits, Request, Response, abort, env
from antiphon.features import Bearer, IdempotentWrites, MemoryStore, OpenAPI, RateLimit, Users, login_required
from antiphon.http import CacheControl, ETag


@dataclass
class Order:
    item: str
    count: Annotated[int, Meta(ge=1, le=100)] = 1
    tags: list[str] = field(default_factory=list)


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


PROGRAMS = [token_and_rate, conditional_answers, rows_as_they_come, writes_that_happen_once]


assert_type(env("FOLDER", "var", cast=Path), Path)
assert_type(env("WORKERS", "auto", cast=int), int | str)
