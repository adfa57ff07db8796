"""The events of Antiphon."""

import asyncio
from collections.abc import AsyncIterator

from antiphon import App, Request, Response

from .publisher import QUEUES, publish

app = App()


@app.get("/events")
async def events(request: Request) -> Response:  # noqa: ARG001 - as handlers are
    return Response.events(listen())


@app.get("/publish/<int:count>")
async def start(request: Request) -> str:
    await publish(request.path_params["count"])
    return str(len(QUEUES))


async def listen() -> AsyncIterator[str]:
    queue = asyncio.Queue[str]()
    QUEUES.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        QUEUES.discard(queue)
