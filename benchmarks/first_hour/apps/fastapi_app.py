import asyncio

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

GREETING = "1"
app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
def page() -> str:
    return GREETING


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(ticks(), media_type="text/event-stream")


async def ticks():
    while True:
        yield b"data: tick\n\n"
        await asyncio.sleep(0.25)
