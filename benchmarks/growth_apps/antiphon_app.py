"""Antiphon: `def` handlers and middleware over WSGI, `async def` over ASGI. All limits are raised."""

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from antiphon import App, Request, Response
from antiphon.http.limits import Limits

from . import CHUNK, MANY, literal, told

LIMITS = Limits(body=MANY, fields=MANY, form=MANY, json=MANY, json_depth=900, memory=MANY, parts=MANY, query=MANY)


def query(request: Request) -> str:
    return told(value for _, value in request.args.items())


def one_header(request: Request) -> str:
    return request.headers["x-1"]


def all_headers(request: Request) -> str:
    return told(value for name, value in request.headers.items() if name.startswith("x-"))


def cookies(request: Request) -> str:
    return told(value for _, value in request.cookies.items())


def form(request: Request) -> str:
    return told(value for _, value in request.form.items())


def each_name(request: Request) -> str:
    values = request.form
    return told(values.getall(name)[0] for name in values)


def listed(request: Request) -> str:
    return told(request.json)


def nested(request: Request) -> str:
    value, depth = request.json, 0
    while value:
        (value,) = value
        depth += 1
    return f"{depth} deep"


def headed(request: Request) -> Response:
    response = Response("headed")
    for number in range(request.args.get("count", 0, type=int)):
        response.headers[f"x-{number}"] = "value"
    return response


def streamed(request: Request) -> Response:
    return Response(CHUNK for _ in range(request.args.get("count", 0, type=int)))


async def async_streamed(request: Request) -> Response:
    count = request.args.get("count", 0, type=int)

    async def chunks() -> AsyncGenerator[bytes, None]:
        for _ in range(count):
            yield CHUNK

    return Response(chunks())


def page(_request: Request) -> str:
    return "page"


READERS: tuple[tuple[str, str, Callable[[Request], Any]], ...] = (
    ("GET", "/query", query),
    ("GET", "/one-header", one_header),
    ("GET", "/all-headers", all_headers),
    ("GET", "/cookies", cookies),
    ("POST", "/form", form),
    ("POST", "/each-name", each_name),
    ("POST", "/list", listed),
    ("POST", "/nested", nested),
    ("GET", "/headed", headed),
    ("GET", "/page", page),
)


def as_async(function: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def handler(request: Request) -> Any:
        return function(request)

    return handler


def make(interface: str, *, routes: int = 0, middlewares: int = 0, after_hooks: int = 0) -> App:
    app = App(limits=LIMITS)
    handlers = {function: function if interface == "wsgi" else as_async(function) for _, _, function in READERS}
    for method, path, function in READERS:
        app.route(path, methods=[method])(handlers[function])
    app.get("/streamed")(streamed if interface == "wsgi" else async_streamed)
    for number in range(routes // 2):
        app.get(literal(number))(handlers[page])
        app.get(f"/items/<int:id>/a{number:05}")(handlers[page])
    for _ in range(middlewares):
        app.middleware(middleware() if interface == "wsgi" else async_middleware())
    for _ in range(after_hooks):
        app.after_request(after() if interface == "wsgi" else async_after())
    return app


def middleware() -> Callable[[Request], Generator[None, Response, None]]:
    def does_nothing(_request: Request) -> Generator[None, Response, None]:
        yield

    return does_nothing


def async_middleware() -> Callable[[Request], AsyncGenerator[None, Response]]:
    async def does_nothing(_request: Request) -> AsyncGenerator[None, Response]:
        yield

    return does_nothing


def after() -> Callable[[Request, Response], Response]:
    def does_nothing(_request: Request, response: Response) -> Response:
        return response

    return does_nothing


def async_after() -> Callable[[Request, Response], Any]:
    async def does_nothing(_request: Request, response: Response) -> Response:
        return response

    return does_nothing
