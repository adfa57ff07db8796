"""A page with 100 rows at /page, and 10,000 events at /events: by Antiphon, and by Starlette as a peer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from antiphon import App, Request, Response
from antiphon.features import Page, Templates

FOLDER = Path(__file__).parents[1] / "page_templates"
ROWS = [
    {"id": number, "name": f"Lamp no. {number} <brass & glass>", "price": 9.9 + number, "is_new": number % 7 == 0}
    for number in range(100)
]
EVENTS = 10_000

antiphon = App()
antiphon.use(Templates(FOLDER))


async def ticks() -> AsyncIterator[str]:
    for number in range(EVENTS):
        yield f"tick {number}"


@antiphon.get("/page")
async def page(_: Request) -> Page:
    return Page("page.html", title="Lamps", rows=ROWS)


@antiphon.get("/events")
async def events(_: Request) -> Response:
    return Response.events(ticks())


def starlette() -> Any:
    """Return the same application by Starlette."""
    from starlette import requests, responses
    from starlette.applications import Starlette
    from starlette.routing import Route
    from starlette.templating import Jinja2Templates

    templates = Jinja2Templates(FOLDER)

    async def page(request: requests.Request) -> responses.Response:
        return templates.TemplateResponse(request, "page.html", {"title": "Lamps", "rows": ROWS})

    async def events(_: requests.Request) -> responses.Response:
        sent = (f"data: {tick}\n\n" async for tick in ticks())
        return responses.StreamingResponse(sent, media_type="text/event-stream")

    return Starlette(routes=[Route("/page", page), Route("/events", events)])


def __getattr__(name: str) -> Any:
    if name != "starlette_app":
        raise AttributeError(name)
    app = globals()[name] = starlette()
    return app
