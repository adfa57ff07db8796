"""Streams that never wait and never end, one for each way to make one. Each tells how much it has made, and its end."""

from antiphon import App, Response
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot.sse import with_sse

CHUNK = "x" * (64 << 10)
app = App()
made = [0]
"""Bytes of the last stream so far."""
closed = []


def endless():
    made[0] = 0
    try:
        while True:
            made[0] += len(CHUNK)
            yield CHUNK
    finally:
        closed.append("closed")


async def aendless():
    for chunk in endless():
        yield chunk


@app.get("/sync")
def by_iterator(request):
    return Response.stream(endless())


@app.get("/async")
async def by_async_iterator(request):
    return Response.stream(aendless())


@app.get("/sync/async")
def by_async_iterator_on_a_thread(request):
    return Response.stream(aendless())


microdot = Microdot()


@microdot.get("/sse")
@with_sse
async def sse(request, sse):
    for chunk in endless():
        await sse.send(chunk)


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return (chunk.encode() for chunk in endless())


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for chunk in endless():
        await send({"type": "http.response.body", "body": chunk.encode(), "more_body": True})


app.mount("/microdot", microdot)
app.mount("/wsgi", wsgi, interface="wsgi")
app.mount("/asgi", asgi, interface="asgi")


@app.get("/made")
def tell(request):
    return str(made[0])


@app.get("/closed")
async def count_closed(request):
    return str(len(closed))
