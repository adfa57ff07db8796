"""Two files for a real server: by the way that each interface has for them, without a framework, and by Antiphon."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from antiphon import App, Request, Response

FOLDER = os.environ["BENCHMARK_FILES"]
FILES = {f"/{name}": os.path.join(FOLDER, name) for name in ("small.bin", "large.bin")}

TYPE = "application/octet-stream"
CHUNK = 256 << 10
BLOCK = 64 << 10


def size(path: str) -> str:
    return str(os.stat(path).st_size)


def bare_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = FILES[environ["PATH_INFO"]]
    start_response("200 OK", [("content-type", TYPE), ("content-length", size(path))])
    file = open(path, "rb", buffering=0)  # noqa: SIM115 - the server closes it
    if wrapper := environ.get("wsgi.file_wrapper"):
        wrapped: Iterable[bytes] = wrapper(file, BLOCK)
        return wrapped
    return iter(lambda: file.read(CHUNK), b"")


async def bare_asgi(scope: dict[str, Any], _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    path = FILES[scope["path"]]
    headers = [(b"content-type", TYPE.encode()), (b"content-length", size(path).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if "http.response.pathsend" in (scope.get("extensions") or {}):
        await send({"type": "http.response.pathsend", "path": path})
        return
    with open(path, "rb", buffering=0) as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def bare_rsgi(scope: Any, protocol: Any) -> None:
    path = FILES[scope.path]
    protocol.response_file(200, [("content-type", TYPE), ("content-length", size(path))], path)


antiphon_def = App()
antiphon_async = App()


@antiphon_def.get("/<name>")
def file(request: Request) -> Response:
    return Response.file(FILES[request.path])


@antiphon_async.get("/<name>")
async def file_async(request: Request) -> Response:
    return Response.file(FILES[request.path])
