"""Uvicorn with httptools, the one server that bounds no header section, played in this process."""


def as_httptools(app):
    """The app under the one server that bounds no header section."""

    class Cycle:
        __module__ = "uvicorn.protocols.http.httptools_impl"

        def __init__(self, receive):
            self._receive = receive

        async def receive(self):
            return await self._receive()

    async def served(scope, receive, send):
        await app(scope, Cycle(receive).receive if scope["type"] == "http" else receive, send)

    return served
