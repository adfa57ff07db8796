"""The echo of Antiphon."""

import asyncio

from antiphon import App, Request, Response, WebSocket

app = App()


@app.websocket("/echo")
async def echo(request: Request, socket: WebSocket):  # noqa: ARG001 - as handlers are
    async for message in socket:
        await socket.send(message)


@app.get("/")
async def index(request: Request):  # noqa: ARG001
    return "hello"


@app.get("/events")
async def events(request: Request):  # noqa: ARG001
    return Response.events(waiting())


async def waiting():
    yield "begin"
    await asyncio.Event().wait()
