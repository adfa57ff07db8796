import asyncio

from antiphon import App, Request, Response

GREETING = "1"
app = App()


@app.get("/")
def page(request: Request):
    return GREETING


@app.get("/stream")
async def stream(request: Request):
    return Response.events(ticks())


async def ticks():
    while True:
        yield "tick"
        await asyncio.sleep(0.25)
