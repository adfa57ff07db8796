import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

GREETING = "1"


def page(request: Request):
    return PlainTextResponse(GREETING)


async def stream(request: Request):
    return StreamingResponse(ticks(), media_type="text/event-stream")


async def ticks():
    while True:
        yield b"data: tick\n\n"
        await asyncio.sleep(0.25)


app = Starlette(routes=[Route("/", page), Route("/stream", stream)])
