"""Streams that wait for ever after their first chunk, one for each way to make one."""

import asyncio

from antiphon import App, Response
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot.sse import with_sse

app = App()


async def forever():
    yield b"tick"
    await asyncio.Event().wait()


@app.get("/native")
def native(request):
    return Response.stream(forever())


@app.get("/native/async")
async def native_async(request):
    return Response.stream(forever())


@app.get("/events")
async def events(request):
    async def silent():
        yield "tick"
        await asyncio.Event().wait()

    return Response.events(silent(), heartbeat=None)


microdot = Microdot()


@microdot.get("/sse")
@with_sse
async def sse(request, sse):
    await sse.send("tick")
    await asyncio.Event().wait()


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"tick", "more_body": True})
    await receive()
    assert (await receive())["type"] == "http.disconnect"


app.mount("/microdot", microdot)
app.mount("/asgi", asgi, interface="asgi")


@app.get("/hello")
def hello(request):
    return "hello"
