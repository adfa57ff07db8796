"""An application with a WebSocket whose handler notes how it ended."""

from antiphon import App, Request, WebSocket, WebSocketClosed


def noting_ends():
    """Return the application, and the list to which its handler adds the code of each end."""
    app, ends = App(), []

    @app.websocket("/")
    async def listen(request: Request, socket: WebSocket):
        try:
            await socket.receive()
        except WebSocketClosed as end:
            ends.append(end.code)
            raise

    return app, ends
