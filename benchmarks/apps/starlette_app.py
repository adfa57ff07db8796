"""Starlette: routes with async endpoints; ASGI."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from .work import FIELDS, best_language, invoice, listing, receipt


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, world!")


async def read(request: Request) -> PlainTextResponse:
    args = request.query_params
    return PlainTextResponse(
        listing(
            request.path_params["name"],
            args["page"],
            int(args["size"]),
            args["sort"],
            request.cookies["session"],
            best_language(request.headers["accept-language"]),
        )
    )


async def order(request: Request) -> JSONResponse:
    return JSONResponse(invoice(await request.json()))


async def form(request: Request) -> PlainTextResponse:
    async with request.form() as values:
        texts: list[Any] = [values[name] for name in FIELDS]
        return PlainTextResponse(receipt(texts))


asgi = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/read/{name}", read),
        Route("/json", order, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
    ]
)
