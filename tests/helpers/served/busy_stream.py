"""An application with an endless stream that never suspends."""

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
async def count_closed(_):
    return str(len(closed))
