"""Robyn: it has no sessions, and validates nothing here."""

import sys
from dataclasses import asdict
from hashlib import sha256
from json import dumps
from types import SimpleNamespace

from robyn import Headers, Request, Response, Robyn
from robyn.templating import JinjaTemplate

from . import shop

app = Robyn(__file__)
templates = JinjaTemplate(str(shop.FOLDER))


def as_json(value: object) -> Response:
    return Response(200, Headers({"content-type": "application/json"}), dumps(value))


@app.get("/page")
def page():
    return templates.render_template("page.html", lamps=shop.lamps())


@app.get("/rows")
async def rows():
    return as_json([asdict(row) for row in shop.ROWS])


@app.post("/orders")
async def orders(request: Request):
    return as_json({"total": shop.total(SimpleNamespace(**item) for item in request.json()["items"])})


@app.post("/upload")
def upload(request: Request):
    return as_json({"sha256": sha256(next(iter(request.files.values()))).hexdigest()})


if __name__ == "__main__":
    app.start(host="127.0.0.1", port=int(sys.argv[sys.argv.index("--listen") + 1]))
