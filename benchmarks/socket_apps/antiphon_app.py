"""The echo of Antiphon."""

from antiphon import App, Request, WebSocket

app = App()


@app.websocket("/echo")
async def echo(request: Request, socket: WebSocket):  # noqa: ARG001 - as handlers are
    async for message in socket:
        await socket.send(message)
