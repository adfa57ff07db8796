"""Antiphon."""
# ruff: noqa: ARG001 - handlers get the request

import asyncio
import time
from collections.abc import AsyncIterator

from antiphon import App, Request

from . import CHUNKS, SLOW, WAIT, work

app = App()


@app.get("/async")
async def on_loop(request: Request) -> str:
    return work()


@app.get("/def")
def on_thread(request: Request) -> str:
    return work()


@app.get("/cheap")
async def cheap(request: Request) -> str:
    return work(0.1)


@app.get("/dear")
async def dear(request: Request) -> str:
    return work(5)


@app.get("/wait")
async def wait(request: Request) -> str:
    await asyncio.sleep(WAIT)
    return work(0.03)


@app.get("/slow")
async def slow(request: Request) -> str:
    await asyncio.sleep(SLOW)
    return work()


@app.post("/upload")
async def upload(request: Request) -> str:
    assert request.body
    return work()


@app.get("/wait-on-thread")
def wait_on_thread(request: Request) -> str:
    time.sleep(WAIT)
    return work(0.03)


@app.get("/stream")
async def stream(request: Request) -> AsyncIterator[str]:
    async def chunks() -> AsyncIterator[str]:
        for _ in range(CHUNKS):
            yield work(1 / CHUNKS)
            await asyncio.sleep(0.1)

    return chunks()
