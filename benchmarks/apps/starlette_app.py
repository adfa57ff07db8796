"""Starlette: routes with async endpoints; ASGI."""

from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from .work import (
    CODINGS,
    FIELDS,
    HOUR,
    LANGUAGES,
    MADE,
    MIDDLEWARES,
    MODIFIED,
    NEGOTIATED,
    NO_STORE,
    PIXELS,
    SESSION,
    TAG,
    TYPES,
    YEAR,
    PassingAsgi,
    basic_username,
    best_offer,
    invoice,
    listing,
    max_age,
    portrait,
    receipt,
    upload,
)

FOLDER = TemporaryDirectory()
FILE = Path(FOLDER.name) / "pixels.bin"
FILE.write_bytes(PIXELS)

CONDITIONS = StaticFiles()


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


async def headers(request: Request) -> PlainTextResponse:
    sent = request.headers
    return PlainTextResponse(
        portrait(
            best_offer(sent["accept"], TYPES),
            best_offer(sent["accept-language"], LANGUAGES),
            best_offer(sent["accept-encoding"], CODINGS),
            basic_username(sent["authorization"].partition(" ")[2]),
            sent["user-agent"],
            sent["referer"],
            f'"{TAG}"' in [tag.strip().removeprefix("W/") for tag in sent["if-none-match"].split(",")],
            parsedate_to_datetime(sent["if-modified-since"]),
            max_age(sent["cache-control"]),
            parse_options_header(sent["content-type"])[1][b"charset"].decode(),
        ),
        headers={"Vary": ", ".join(NEGOTIATED)},
    )


async def built(_request: Request) -> PlainTextResponse:
    response = PlainTextResponse(
        "Built.",
        headers={
            "Cache-Control": f"public, max-age={HOUR}",
            "Content-Language": "de",
            "ETag": f'"{TAG}"',
            "Last-Modified": format_datetime(MODIFIED, usegmt=True),
            "Vary": "Accept-Language",
            "X-Frame-Options": "DENY",
        },
    )
    response.set_cookie("session", SESSION, max_age=HOUR, secure=True, httponly=True)
    response.set_cookie("theme", "dark", max_age=YEAR)
    return response


async def conditional(request: Request) -> Response:
    response = PlainTextResponse("Hello, world!", headers={"ETag": f'"{TAG}"'})
    if CONDITIONS.is_not_modified(response.headers, request.headers):
        return NotModifiedResponse(response.headers)
    return response


async def pixels(_request: Request) -> FileResponse:
    return FileResponse(
        FILE,
        headers={"ETag": f'"{TAG}"', "Last-Modified": format_datetime(MODIFIED, usegmt=True)},
        media_type="application/octet-stream",
    )


asgi = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/tuple", made),
        Route("/read/{name}", read),
        Route("/json", order, methods=["POST"]),
        Route("/json-msgspec", order_msgspec, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/multipart", multipart, methods=["POST"]),
        Route("/headers", headers),
        Route("/built", built),
        Route("/conditional", conditional),
        Route("/pixels", pixels),
    ]
)

asgi_middlewares = Starlette(routes=[Route("/hello", hello)], middleware=[Middleware(PassingAsgi)] * MIDDLEWARES)


def hello_def(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, world!")


asgi_def = Starlette(routes=[Route("/hello", hello_def), Route("/read/{name}", read_answer)])
