"""An application with a stream that has no end and waits for nothing."""

from antiphon import App

app = App()
closed: list[str] = []


@app.get("/busy")
async def busy(_):
    async def chunks():
        try:
            while True:
                yield b"tick" * 16_384
        finally:
            closed.append("closed")

    return chunks()


@app.get("/closed")
async def how_many(_):
    return str(len(closed))
