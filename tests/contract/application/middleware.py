"""A second application, whose handlers stand inside sync and async middleware and hooks.

Each layer sets a context variable that everything inside it reads, and reads one that the handler sets.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextvars import ContextVar

from antiphon import App, Request, Response
from tests.contract.application.registration import def_and_async

outer = ContextVar("outer", default="unset")
inner = ContextVar("inner", default="unset")
back = ContextVar("back", default="unset")

app = App()


@app.middleware
def around(_: Request) -> Generator[None, Response]:
    token = outer.set("def")
    response = yield
    response.headers["x-outer"] = back.get()
    outer.reset(token)


@app.middleware
async def around_async(_: Request) -> AsyncGenerator[None, Response]:
    token = inner.set("async")
    response = yield
    await asyncio.sleep(0)
    response.headers["x-inner"] = back.get()
    inner.reset(token)


@app.middleware(blocking=True)
def around_on_thread(_: Request) -> Generator[None, Response]:
    seen = f"{outer.get()} {inner.get()}"
    response = yield
    response.headers["x-thread"] = f"{seen} {back.get()}"


@app.after_request
async def after(_: Request, response: Response) -> None:
    await asyncio.sleep(0)
    response.headers["x-after"] = f"{outer.get()} {inner.get()} {back.get()}"


@def_and_async(app, "/seen", below="/layers")
def seen(_: Request) -> str:
    back.set("handler")
    return f"{outer.get()} {inner.get()}\n"


@def_and_async(app, "/fails", below="/layers")
def fails(_: Request) -> str:
    back.set("failed")
    raise RuntimeError("inside the middleware")


@def_and_async(app, "/stream/sync", below="/layers")
def stream(_: Request) -> Iterator[str]:
    def chunks() -> Iterator[str]:
        yield back.get()
        yield " in the stream\n"

    back.set("handler")
    return chunks()


@def_and_async(app, "/stream/async", below="/layers")
def stream_async(_: Request) -> AsyncIterator[str]:
    async def chunks() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield back.get()
        yield " in the stream\n"

    back.set("handler")
    return chunks()
