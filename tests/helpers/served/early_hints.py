"""Handlers that send early hints, and answer only when another request says that these have arrived."""

import asyncio

from antiphon import App, Request
from antiphon.http import Link
from tests.helpers.waiting import DEADLINE, PAUSE, eventually

HINT = Link("/style.css", "preload", {"as": "style"})

app = App()
arrived: set[str] = set()


@app.post("/arrived/<name>")
async def arrive(request: Request, name: str) -> str:
    arrived.add(name)
    return "noted"


@app.get("/def/<name>")
def blocking(request: Request, name: str) -> str:
    request.send_early_hints(HINT)
    eventually(lambda: name in arrived or None, "no hint arrived")
    return "page"


@app.get("/async/<name>")
async def waiting(request: Request, name: str) -> str:
    request.send_early_hints(HINT)
    async with asyncio.timeout(DEADLINE):
        while name not in arrived:
            await asyncio.sleep(PAUSE)
    return "page"
