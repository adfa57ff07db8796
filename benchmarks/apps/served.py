"""Hello for a real server: without a framework over each interface, and by Antiphon, `def` and `async def`."""

from collections.abc import Awaitable, Callable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from antiphon import App, Request

TEXT = "text/plain; charset=utf-8"
BODY = b"Hello, world!"
LENGTH = str(len(BODY))


def bare_wsgi(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("content-type", TEXT), ("content-length", LENGTH)])
    return [BODY]


async def bare_asgi(scope: dict[str, Any], _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    headers = [(b"content-type", TEXT.encode()), (b"content-length", LENGTH.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


async def bare_rsgi(_scope: object, protocol: Any) -> None:
    protocol.response_bytes(200, [("content-type", TEXT), ("content-length", LENGTH)], BODY)


antiphon_def = App()
antiphon_async = App()


@antiphon_def.get("/hello")
def hello(_request: Request) -> str:
    return "Hello, world!"


@antiphon_async.get("/hello")
async def hello_async(_request: Request) -> str:
    return "Hello, world!"
