"""The events of Starlette: a stream of text, without heartbeats, which it has none of."""

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from .publisher import QUEUES, publish


async def events(request: Request) -> StreamingResponse:  # noqa: ARG001 - as handlers are
    return StreamingResponse(listen(), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def start(request: Request) -> PlainTextResponse:
    await publish(request.path_params["count"])
    return PlainTextResponse(str(len(QUEUES)))


async def listen() -> AsyncIterator[str]:
    queue = asyncio.Queue[str]()
    QUEUES.add(queue)
    try:
        while True:
            yield f"data: {await queue.get()}\n\n"
    finally:
        QUEUES.discard(queue)


app = Starlette(routes=[Route("/events", events), Route("/publish/{count:int}", start)])
