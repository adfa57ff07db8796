"""An application with a text of two chunks, of which the second is sent when a client asks for that."""

import asyncio

from antiphon import App

app = App()
is_wanted = asyncio.Event()


@app.get("/text")
async def text(_):
    async def chunks():
        yield "first"
        await is_wanted.wait()
        yield " second"

    return chunks()


@app.get("/go-on")
async def go_on(_) -> None:
    is_wanted.set()
