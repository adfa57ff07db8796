"""Sanic, without its extensions: it has no sessions, and validates nothing."""

from dataclasses import asdict
from hashlib import sha256
from types import SimpleNamespace

from jinja2 import Environment, FileSystemLoader
from sanic import HTTPResponse, Request, Sanic, html, json

from . import shop

app = Sanic("everyday")
templates = Environment(loader=FileSystemLoader(shop.FOLDER), autoescape=True)


@app.get("/page")
async def page(_request: Request) -> HTTPResponse:
    return html(templates.get_template("page.html").render(lamps=shop.lamps()))


@app.get("/rows")
async def rows(_request: Request) -> HTTPResponse:
    return json([asdict(row) for row in shop.ROWS])


@app.post("/orders")
async def orders(request: Request) -> HTTPResponse:
    return json({"total": shop.total(SimpleNamespace(**item) for item in request.json["items"])})


@app.post("/upload")
async def upload(request: Request) -> HTTPResponse:
    return json({"sha256": sha256(request.files["file"][0].body).hexdigest()})
