"""Starlette."""

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from . import CHUNKS, SLOW, WAIT, work


async def on_loop(_: Request) -> Response:
    return PlainTextResponse(work())


def on_thread(_: Request) -> Response:
    return PlainTextResponse(work())


async def cheap(_: Request) -> Response:
    return PlainTextResponse(work(0.1))


async def dear(_: Request) -> Response:
    return PlainTextResponse(work(5))


async def wait(_: Request) -> Response:
    await asyncio.sleep(WAIT)
    return PlainTextResponse(work(0.03))


async def slow(_: Request) -> Response:
    await asyncio.sleep(SLOW)
    return PlainTextResponse(work())


async def upload(request: Request) -> Response:
    assert await request.body()
    return PlainTextResponse(work())


async def stream(_: Request) -> Response:
    async def chunks() -> AsyncIterator[str]:
        for _ in range(CHUNKS):
            yield work(1 / CHUNKS)
            await asyncio.sleep(0.1)

    return StreamingResponse(chunks())


app = Starlette(
    routes=[
        Route("/async", on_loop),
        Route("/def", on_thread),
        Route("/cheap", cheap),
        Route("/dear", dear),
        Route("/wait", wait),
        Route("/slow", slow),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
    ]
)
