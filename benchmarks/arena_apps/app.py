"""Antiphon's entry for HttpArena: a production entry, with the framework's defaults.

Its benchmark mounts the data at /data; ARENA_DATA names another folder.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from antiphon import App, Limits, Request
from antiphon.features import Compression

DATA = os.environ.get("ARENA_DATA", "/data")

with open(os.path.join(DATA, "dataset.json")) as file:
    ITEMS: list[dict[str, Any]] = json.load(file)

QUERY = """
    SELECT id, name, category, price, quantity, active, tags, rating_score, rating_count
    FROM items WHERE price BETWEEN $1 AND $2 LIMIT $3
"""


class Terms(NamedTuple):
    a: int = 0
    b: int = 0


class Multiplier(NamedTuple):
    m: int = 1


class Prices(NamedTuple):
    min: int = 10
    max: int = 50
    limit: Annotated[int, Meta(ge=1, le=50)] = 50


app = App()
app.use(Compression())
app.static("/static", os.path.join(DATA, "static"))


@app.lifespan
async def pool() -> AsyncIterator[Any]:
    url = os.environ.get("DATABASE_URL")
    if url is None:
        yield None
        return
    import asyncpg

    most = int(os.environ.get("DATABASE_MAX_CONN", "256")) // int(os.environ.get("WEB_CONCURRENCY", "1"))
    async with asyncpg.create_pool(url, min_size=1, max_size=max(most - 1, 1), init=_read_json) as pool:
        yield pool


async def _read_json(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@app.get("/pipeline")
async def ok(_: Request) -> str:
    return "ok"


@app.get("/baseline11")
@app.get("/baseline2")
async def total(request: Request) -> str:
    return str(sum(request.args_as(Terms)))


@app.post("/baseline11")
async def total_with_body(request: Request) -> str:
    return str(sum(request.args_as(Terms)) + int(request.text))


@app.get("/json/<int:count>")
async def items(request: Request, count: int) -> dict[str, object]:
    m = request.args_as(Multiplier).m
    found = [{**item, "total": item["price"] * item["quantity"] * m} for item in ITEMS[:count]]
    return {"items": found, "count": len(found)}


@app.post("/upload", receive="stream", limits=Limits(body=32 << 20))
async def upload(request: Request) -> str:
    return str(sum([len(chunk) async for chunk in request.stream]))


@app.get("/async-db")
async def by_price(request: Request) -> dict[str, object]:
    opened = request[pool]
    if opened is None:
        return {"items": [], "count": 0}
    found = [_nested(row) for row in await opened.fetch(QUERY, *request.args_as(Prices))]
    return {"items": found, "count": len(found)}


def _nested(row: Mapping[str, Any]) -> dict[str, object]:
    item = dict(row)
    item["rating"] = {"score": item.pop("rating_score"), "count": item.pop("rating_count")}
    return item
