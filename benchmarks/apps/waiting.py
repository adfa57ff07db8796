"""Applications for a real ASGI server whose handlers wait for one event, those of `POST` with JSON that they hold.

Each function makes one. Around all of them is the same `Counted`, which tells how many wait, and lets them answer.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

ASGIApplication = Callable[[Any, Any, Any], Awaitable[None]]

PATH = "/wait"
ANSWER = "done"

waiting: list[None] = []
"""One for each handler that waits."""
released = asyncio.Event()
released_threads = threading.Event()


async def wait() -> str:
    waiting.append(None)
    await released.wait()
    return ANSWER


def wait_on_thread() -> str:
    waiting.append(None)
    released_threads.wait()
    return ANSWER


class Counted:
    """Answers `GET /state` with how many requests have begun, and how many of them wait; `/release` lets all answer."""

    def __init__(self, app: ASGIApplication) -> None:
        self.app = app
        self.begun = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope.get("path")
        if path == PATH:
            self.begun += 1
        elif path == "/release":
            released.set()
            released_threads.set()
        if path in ("/state", "/release"):
            await answer(send, json.dumps({"begun": self.begun, "waiting": len(waiting)}))
        else:
            await self.app(scope, receive, send)


async def answer(send: Any, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def bare() -> ASGIApplication:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError("bare has nothing to start")
        held = json.loads((await receive())["body"]) if scope["method"] == "POST" else None
        await answer(send, await wait())
        del held

    return Counted(app)


def antiphon() -> ASGIApplication:
    from antiphon import App, Request

    app = App()

    @app.get(PATH)
    async def get(_request: Request) -> str:
        return await wait()

    @app.post(PATH)
    async def post(request: Request) -> str:
        held = request.json
        return await wait() if held else ""

    return Counted(app)


def antiphon_def() -> ASGIApplication:
    from antiphon import App, Request

    app = App()

    @app.get(PATH)
    def get(_request: Request) -> str:
        return wait_on_thread()

    return Counted(app)


def starlette() -> ASGIApplication:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def get(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(await wait())

    async def post(request: Request) -> PlainTextResponse:
        held = await request.json()
        return PlainTextResponse(await wait() if held else "")

    return Counted(Starlette(routes=[Route(PATH, get), Route(PATH, post, methods=["POST"])]))


def starlette_def() -> ASGIApplication:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    def get(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(wait_on_thread())

    return Counted(Starlette(routes=[Route(PATH, get)]))


def blacksheep() -> ASGIApplication:
    from blacksheep import Application, Request, Response, text

    app = Application()

    @app.router.get(PATH)
    async def get(_request: Request) -> Response:
        return text(await wait())

    @app.router.post(PATH)
    async def post(request: Request) -> Response:
        held = await request.json()
        return text(await wait() if held else "")

    return Counted(app)


def falcon() -> ASGIApplication:
    import falcon as framework
    from falcon.asgi import App

    class Resource:
        async def on_get(self, _req: Any, resp: Any) -> None:
            resp.content_type = framework.MEDIA_TEXT
            resp.text = await wait()

        async def on_post(self, req: Any, resp: Any) -> None:
            held = await req.get_media()
            resp.content_type = framework.MEDIA_TEXT
            resp.text = await wait() if held else ""

    app: Any = App()
    app.add_route(PATH, Resource())
    return Counted(app)
