"""Starlette: routes with async endpoints; ASGI."""

from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .work import (
    FIELDS,
    LANGUAGES,
    MADE,
    MIDDLEWARES,
    NO_STORE,
    PAGES,
    PassingAsgi,
    best_offer,
    invoice,
    listing,
    receipt,
    upload,
)


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, world!")


async def read(request: Request) -> PlainTextResponse:
    return read_answer(request)


def read_answer(request: Request) -> PlainTextResponse:
    args = request.query_params
    return PlainTextResponse(
        listing(
            request.path_params["name"],
            args["page"],
            int(args["size"]),
            args["sort"],
            request.cookies["session"],
            best_offer(request.headers["accept-language"], LANGUAGES),
        ),
        headers={"Vary": "Accept-Language"},
    )


async def made(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(MADE, 201, {"Cache-Control": NO_STORE})


encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


class MsgspecResponse(JSONResponse):
    """Another codec, as Starlette takes it for responses; it has no such place for requests."""

    def render(self, content: Any) -> bytes:
        return encode(content)


async def order_msgspec(request: Request) -> MsgspecResponse:
    return MsgspecResponse(invoice(decode(await request.body())))


async def order(request: Request) -> JSONResponse:
    return JSONResponse(invoice(await request.json()))


async def form(request: Request) -> PlainTextResponse:
    async with request.form() as values:
        texts: list[Any] = [values[name] for name in FIELDS]
        return PlainTextResponse(receipt(texts))


async def multipart(request: Request) -> PlainTextResponse:
    async with request.form() as values:
        file: Any = values["file"]
        return PlainTextResponse(upload(str(values["title"]), file.filename, await file.read()))


asgi = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/tuple", made),
        Route("/read/{name}", read),
        Route("/json", order, methods=["POST"]),
        Route("/json-msgspec", order_msgspec, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/multipart", multipart, methods=["POST"]),
    ]
)

asgi_static = Starlette(routes=[Mount("/static", StaticFiles(directory=PAGES))])
asgi_middlewares = Starlette(routes=[Route("/hello", hello)], middleware=[Middleware(PassingAsgi)] * MIDDLEWARES)


def hello_def(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, world!")


asgi_def = Starlette(routes=[Route("/hello", hello_def), Route("/read/{name}", read_answer)])
