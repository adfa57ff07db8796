"""Starlette with python-multipart; ASGI."""

from typing import cast

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.apps.work import upload
from benchmarks.forms import NAMES
from benchmarks.upload_apps.answers import fields, large_file


async def large(request: Request) -> PlainTextResponse:
    async with request.form() as form:
        file = cast(UploadFile, form["file"])
        return PlainTextResponse(large_file(str(form["title"]), file.filename or "", file.file))


async def small(request: Request) -> PlainTextResponse:
    async with request.form() as form:
        file = cast(UploadFile, form["file"])
        return PlainTextResponse(upload(str(form["title"]), file.filename or "", await file.read()))


async def parts(request: Request) -> PlainTextResponse:
    async with request.form() as form:
        return PlainTextResponse(fields([str(form[name]) for name in NAMES]))


asgi = Starlette(
    routes=[
        Route("/large", large, methods=["POST"]),
        Route("/file", small, methods=["POST"]),
        Route("/parts", parts, methods=["POST"]),
    ]
)
