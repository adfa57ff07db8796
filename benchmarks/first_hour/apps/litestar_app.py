import asyncio

from litestar import Litestar, MediaType, get
from litestar.response import ServerSentEvent

GREETING = "1"


@get("/", media_type=MediaType.TEXT, sync_to_thread=True)
def page() -> str:
    return GREETING


@get("/stream")
async def stream() -> ServerSentEvent:
    return ServerSentEvent(ticks())


async def ticks():
    while True:
        yield "tick"
        await asyncio.sleep(0.25)


app = Litestar([page, stream])
