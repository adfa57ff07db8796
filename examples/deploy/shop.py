"""An app to deploy. The environment sets whom it trusts: TRUSTED_HOSTS and TRUSTED_PROXIES, separated by spaces."""

import asyncio
import os
from collections.abc import AsyncIterator

from antiphon import App, Request, Response, env
from antiphon.features import Health

app = App(
    trusted_hosts=env("TRUSTED_HOSTS", "shop.example.com").split(),
    trusted_proxies=env("TRUSTED_PROXIES", "unix").split(),
)
app.use(Health())


@app.get("/")
def index(request: Request) -> dict[str, object]:
    return {"url": request.url, "ip": request.ip, "process": os.getpid()}


@app.post("/orders")
async def order(request: Request) -> tuple[dict[str, int], int]:
    return {"bytes": len(request.body)}, 201


@app.get("/news")
async def news(request: Request) -> Response:
    return Response.events(_news())


async def _news() -> AsyncIterator[str]:
    while True:
        yield "Nothing new."
        await asyncio.sleep(5)
