"""Falcon: `falcon.App` over WSGI, `falcon.asgi.App` over ASGI. An after-hook is one method of a middleware."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import falcon
import falcon.asgi

from . import CHUNK, literal, told


def query(req: Any) -> str:
    return told(req.params.values())


def cookies(req: Any) -> str:
    return told(req.cookies.values())


def headed(req: Any, resp: Any) -> str:
    for number in range(req.get_param_as_int("count", required=True)):
        resp.set_header(f"x-{number}", "value")
    return "headed"


def page(_req: Any, **_params: Any) -> str:
    return "page"


def resource(function: Callable[..., str]) -> Any:
    class Resource:
        def on_get(self, req: Any, resp: Any, **params: Any) -> None:
            resp.content_type = falcon.MEDIA_TEXT
            resp.text = function(req, **params)

    return Resource()


def async_resource(function: Callable[..., str]) -> Any:
    class Resource:
        async def on_get(self, req: Any, resp: Any, **params: Any) -> None:
            resp.content_type = falcon.MEDIA_TEXT
            resp.text = function(req, **params)

    return Resource()


class Headed:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = headed(req, resp)


class AsyncHeaded:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = headed(req, resp)


class Streamed:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = (CHUNK for _ in range(req.get_param_as_int("count", required=True)))


class AsyncStreamed:
    async def on_get(self, req: Any, resp: Any) -> None:
        count = req.get_param_as_int("count", required=True)

        async def chunks() -> AsyncGenerator[bytes, None]:
            for _ in range(count):
                yield CHUNK

        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = chunks()


class Form:
    def on_post(self, req: Any, resp: Any) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = told(req.get_media().values())


class AsyncForm:
    async def on_post(self, req: Any, resp: Any) -> None:
        values = await req.get_media()
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = told(values.values())


class After:
    def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None: ...


class Around(After):
    def process_request(self, req: Any, resp: Any) -> None: ...


class AsyncAfter:
    async def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None: ...


class AsyncAround(AsyncAfter):
    async def process_request(self, req: Any, resp: Any) -> None: ...


def make(interface: str, *, routes: int = 0, middlewares: int = 0, after_hooks: int = 0) -> Any:
    is_sync = interface == "wsgi"
    around, after = (Around, After) if is_sync else (AsyncAround, AsyncAfter)
    parts = [*(around() for _ in range(middlewares)), *(after() for _ in range(after_hooks))]
    app: Any = falcon.App(middleware=parts) if is_sync else falcon.asgi.App(middleware=parts)
    made = resource if is_sync else async_resource
    app.add_route("/query", made(query))
    app.add_route("/cookies", made(cookies))
    app.add_route("/headed", Headed() if is_sync else AsyncHeaded())
    app.add_route("/streamed", Streamed() if is_sync else AsyncStreamed())
    app.add_route("/form", Form() if is_sync else AsyncForm())
    app.add_route("/page", made(page))
    for number in range(routes // 2):
        app.add_route(literal(number), made(page))
        app.add_route(f"/items/{{id:int}}/a{number:05}", made(page))
    return app
