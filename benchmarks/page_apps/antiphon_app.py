"""Antiphon: one handler for the page and its block, `def` over WSGI, `async def` over ASGI."""

from antiphon import App, Request
from antiphon.features import Page, Templates

from . import FOLDER, ROWS

wsgi = App()
wsgi.use(Templates(FOLDER))
asgi = App()
asgi.use(Templates(FOLDER))


@wsgi.get("/lamps")
def lamps(_request: Request) -> Page:
    return Page("page.html", _block="main", title="Lamps", rows=ROWS)


@asgi.get("/lamps")
async def lamps_async(_request: Request) -> Page:
    return Page("page.html", _block="main", title="Lamps", rows=ROWS)
