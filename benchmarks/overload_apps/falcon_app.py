"""Falcon, over ASGI. It has no streams here, nor handlers on threads."""

import asyncio

import falcon.asgi
from falcon.asgi import Request, Response

from . import WAIT, work


class Work:
    def __init__(self, part: float) -> None:
        self.part = part

    async def on_get(self, _: Request, response: Response) -> None:
        response.text = work(self.part)


class Wait:
    async def on_get(self, _: Request, response: Response) -> None:
        await asyncio.sleep(WAIT)
        response.text = work(0.03)


app = falcon.asgi.App()
for path, part in (("/async", 1.0), ("/cheap", 0.1), ("/dear", 5.0)):
    app.add_route(path, Work(part))
app.add_route("/wait", Wait())
