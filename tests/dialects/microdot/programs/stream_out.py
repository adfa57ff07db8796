"""Responses that are made while they are sent."""

import io

from microdot import Microdot, Response
from microdot.sse import with_sse

app = Microdot()


@app.get("/sync")
def sync(request):
    def chunks():
        yield "one\n"
        yield b"two\n"

    return chunks()


@app.get("/async")
async def fibonacci(request):
    async def generate():
        a, b = 0, 1
        while a < 100:
            yield str(a) + "\n"
            a, b = b, a + b

    return generate(), 200, {"Content-Type": "text/csv"}


@app.get("/file")
async def file(request):
    return Response(body=io.BytesIO(b"0123456789" * 500), headers={"Content-Type": "application/x-own"})


@app.get("/events")
@with_sse
async def events(request, sse):
    await sse.send("hello")
    await sse.send({"unit": "C", "value": 21})
    await sse.send("named", event="greeting", event_id="7")


REQUESTS = [("GET", "/sync"), ("GET", "/async"), ("GET", "/file"), ("GET", "/events")]
