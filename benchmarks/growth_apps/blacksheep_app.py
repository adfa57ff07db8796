"""BlackSheep: async handlers that take the request itself; ASGI."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from blacksheep import Application, Request, Response, StreamedContent, text
from blacksheep.server.routing import Router

from . import CHUNK, literal, told

INTERFACES = ("asgi",)


def reader(read: Callable[[Request], str]) -> Any:
    async def answer(request: Request) -> Response:
        return text(read(request))

    return answer


async def form(request: Request) -> Response:
    values: Any = await request.form()
    return text(told(values.values()))


async def headed(request: Request) -> Response:
    response = text("headed")
    for number in range(int(request.query["count"][0])):
        response.set_header(b"x-%d" % number, b"value")
    return response


async def streamed(request: Request) -> Response:
    count = int(request.query["count"][0])

    async def chunks() -> AsyncGenerator[bytes, None]:
        for _ in range(count):
            yield CHUNK

    return Response(200, content=StreamedContent(b"text/plain; charset=utf-8", chunks))


def query(request: Request) -> str:
    return told(value for values in request.query.values() for value in values)


def cookies(request: Request) -> str:
    return told(request.cookies.values())


def page(_request: Request) -> str:
    return "page"


async def around(request: Request, handler: Callable[[Request], Any]) -> Any:
    return await handler(request)


def make(_interface: str, *, routes: int = 0, middlewares: int = 0) -> Any:
    router = Router()
    app = Application(router=router)
    router.add_get("/query", reader(query))
    router.add_get("/cookies", reader(cookies))
    router.add_post("/form", form)
    router.add_get("/headed", headed)
    router.add_get("/streamed", streamed)
    router.add_get("/page", reader(page))
    for number in range(routes // 2):
        router.add_get(literal(number), reader(page))
        router.add_get(f"/items/{{int:id}}/a{number:05}", reader(page))
    app.middlewares.extend(around for _ in range(middlewares))
    return app
