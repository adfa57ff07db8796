"""Starlette: the part is a template of its own, which the endpoint chooses."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from . import FOLDER, TABLES

templates = Jinja2Templates(FOLDER)


async def lamps(request: Request) -> Response:
    name = "rows.html" if "x-block" in request.headers else "page.html"
    rows = TABLES[request.path_params["name"]]
    return templates.TemplateResponse(request, name, {"title": "Lamps", "rows": rows})


asgi = Starlette(routes=[Route("/{name}", lamps)])
