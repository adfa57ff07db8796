"""BlackSheep."""

import os
from hashlib import sha256

os.environ["APP_JINJA_EXTENSION"] = ".html"  # read at import

from blacksheep import Application, FromFiles, FromJSON, Request, Response, json, text
from blacksheep.server.rendering.jinja2 import JinjaRenderer
from blacksheep.server.responses import view_async
from blacksheep.settings.html import html_settings
from jinja2 import FileSystemLoader

from . import shop

app = Application()
app.use_sessions(shop.KEY)
html_settings.use(JinjaRenderer(FileSystemLoader(shop.FOLDER), enable_async=True))


@app.router.get("/page")
async def page() -> Response:
    return await view_async("page.html", {"lamps": shop.lamps()})


@app.router.get("/rows")
async def rows() -> Response:
    return json(shop.ROWS)


@app.router.post("/orders")
async def orders(order: FromJSON[shop.Order]) -> Response:
    return json({"total": shop.total(order.value.items)})


@app.router.post("/upload")
async def upload(files: FromFiles) -> Response:
    return json({"sha256": sha256(files.value[0].data).hexdigest()})


@app.router.get("/visit")
async def visit(request: Request) -> Response:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return text("welcome")
