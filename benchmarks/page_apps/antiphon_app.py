"""Antiphon: one handler for the page and its block, `def` over WSGI, `async def` over ASGI."""

from antiphon import App, Request
from antiphon.features import Page, Templates

from . import FOLDER, TABLES

wsgi = App()
wsgi.use(Templates(FOLDER))
asgi = App()
asgi.use(Templates(FOLDER))


@wsgi.get("/<name>")
def lamps(_request: Request, name: str) -> Page:
    return Page("page.html", _block="main", title="Lamps", rows=TABLES[name])


@asgi.get("/<name>")
async def lamps_async(_request: Request, name: str) -> Page:
    return Page("page.html", _block="main", title="Lamps", rows=TABLES[name])
