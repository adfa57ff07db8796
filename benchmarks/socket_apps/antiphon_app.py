"""The echo of Antiphon."""

import asyncio
from collections.abc import AsyncIterator

from antiphon import App, Request, Response, WebSocket

app = App()


@app.websocket("/echo")
async def echo(request: Request, socket: WebSocket):  # noqa: ARG001 - as handlers are
    async for message in socket:
        await socket.send(message)


@app.get("/")
async def index(request: Request) -> str:  # noqa: ARG001
    return "hello"


@app.get("/events")
async def events(request: Request) -> Response:  # noqa: ARG001
    return Response.events(waiting())


async def waiting() -> AsyncIterator[str]:
    yield "begin"
    await asyncio.Event().wait()
