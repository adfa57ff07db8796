"""BlackSheep: async handlers that take the request itself, which spares them its binders; ASGI."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from blacksheep import Application, Content, Request, Response, Router, TextContent, json, text

from .work import FIELDS, LANGUAGES, MADE, MIDDLEWARES, NO_STORE, best_offer, invoice, listing, receipt, upload

asgi = Application()
asgi_middlewares = Application(router=Router())
encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


async def passing(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    return await handler(request)


asgi_middlewares.middlewares.extend([passing] * MIDDLEWARES)


@asgi_middlewares.router.get("/hello")
@asgi.router.get("/hello")
async def hello(_request: Request) -> Response:
    return text("Hello, world!")


@asgi.router.get("/tuple")
async def made(_request: Request) -> Response:
    return Response(201, [(b"Cache-Control", NO_STORE.encode())], TextContent(MADE))


def read_answer(request: Request) -> Response:
    args = request.query
    response = text(
        listing(
            request.route_values["name"] or "",
            args["page"][0],
            int(args["size"][0]),
            args["sort"][0],
            request.cookies["session"],
            best_offer((request.get_first_header(b"accept-language") or b"").decode(), LANGUAGES),
        )
    )
    response.add_header(b"Vary", b"Accept-Language")
    return response


@asgi.router.get("/read/{name}")
async def read(request: Request) -> Response:
    return read_answer(request)


@asgi.router.post("/json-msgspec")
async def order_msgspec(request: Request) -> Response:
    """The codec that `json_settings.use` would set for all applications of the process."""
    body = encode(invoice(decode(await request.read() or b"")))
    return Response(200, None, Content(b"application/json", body))


@asgi.router.post("/json")
async def order(request: Request) -> Response:
    return json(invoice(await request.json()))


@asgi.router.post("/form")
async def form(request: Request) -> Response:
    values: Any = await request.form()
    return text(receipt([values[name] for name in FIELDS]))


@asgi.router.post("/multipart")
async def multipart(request: Request) -> Response:
    values: Any = await request.form()
    (file,) = values["file"]
    return text(upload(values["title"], file.file_name.decode(), file.data))


asgi_def = Application(router=Router())
"""Handlers on threads: BlackSheep calls a `def` on the loop, where it may not block."""


@asgi_def.router.get("/hello")
async def hello_on_thread(_request: Request) -> Response:
    return await to_thread(text, "Hello, world!")


@asgi_def.router.get("/read/{name}")
async def read_on_thread(request: Request) -> Response:
    return await to_thread(read_answer, request)
