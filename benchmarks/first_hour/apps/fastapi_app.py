import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse

GREETING = "1"
app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
def page() -> str:
    return GREETING


@app.get("/stream", response_class=EventSourceResponse)
async def stream() -> AsyncIterator[str]:
    while True:
        yield "tick"
        await asyncio.sleep(0.25)
