"""The events of Antiphon by a channel: in this process, or in the Valkey that ``STORE`` names."""

import asyncio
import os

from antiphon import App, Request, Response
from antiphon.features import Channel, MemoryStore, ValkeyStore

from .publisher import EVENT

PAUSE = 0.05
"""Seconds after an event, in which each client has taken it, also by way of Valkey."""

app = App()
url = os.environ.get("STORE")
news = Channel("news", ValkeyStore(url) if url else MemoryStore())
listening: list[str | None] = []


@app.get("/events")
async def events(request: Request) -> Response:
    listening.append(request.last_event_id)
    return Response.events(news.follow(request.last_event_id))


@app.get("/publish/<int:count>")
async def start(request: Request) -> str:
    for number in range(request.path_params["count"]):
        await news.asend(EVENT % number)
        await asyncio.sleep(PAUSE)
    return str(len(listening))
