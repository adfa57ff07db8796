"""An application of one handler that takes long, and says when it has cleaned up."""

import asyncio
import os

from antiphon import App

app = App()


@app.get("/")
async def handler(request):
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)
        os.write(2, b"cleaned up\n")


@app.get("/stream")
async def stream(request):
    async def chunks():
        try:
            yield "chunk"
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            os.write(2, b"cleaned up\n")

    return chunks()
