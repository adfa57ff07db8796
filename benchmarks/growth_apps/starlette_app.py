"""Starlette: async endpoints, and middleware of ASGI; ASGI."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from . import CHUNK, MANY, literal, told

INTERFACES = ("asgi",)


def endpoint(read: Callable[[Request], str]) -> Any:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(read(request))

    return answer


async def form(request: Request) -> PlainTextResponse:
    async with request.form(max_fields=MANY) as values:
        return PlainTextResponse(told(value for _, value in values.multi_items()))


async def headed(request: Request) -> PlainTextResponse:
    response = PlainTextResponse("headed")
    for number in range(int(request.query_params["count"])):
        response.headers[f"x-{number}"] = "value"
    return response


async def streamed(request: Request) -> StreamingResponse:
    async def chunks() -> AsyncGenerator[bytes, None]:
        for _ in range(int(request.query_params["count"])):
            yield CHUNK

    return StreamingResponse(chunks(), media_type="text/plain")


def query(request: Request) -> str:
    return told(value for _, value in request.query_params.multi_items())


def cookies(request: Request) -> str:
    return told(request.cookies.values())


def page(_request: Request) -> str:
    return "page"


class Around:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def make(_interface: str, *, routes: int = 0, middlewares: int = 0) -> Any:
    made = [
        Route("/query", endpoint(query)),
        Route("/cookies", endpoint(cookies)),
        Route("/form", form, methods=["POST"]),
        Route("/headed", headed),
        Route("/streamed", streamed),
        Route("/page", endpoint(page)),
    ]
    for number in range(routes // 2):
        made.append(Route(literal(number), endpoint(page)))
        made.append(Route(f"/items/{{id:int}}/a{number:05}", endpoint(page)))
    return Starlette(routes=made, middleware=[Middleware(Around) for _ in range(middlewares)])
