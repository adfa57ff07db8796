import asyncio

from litestar import Litestar, MediaType, get
from litestar.response import Stream

GREETING = "1"


@get("/", media_type=MediaType.TEXT, sync_to_thread=True)
def page() -> str:
    return GREETING


@get("/stream")
async def stream() -> Stream:
    return Stream(ticks(), media_type="text/event-stream")


async def ticks():
    while True:
        yield b"data: tick\n\n"
        await asyncio.sleep(0.25)


app = Litestar([page, stream])
