"""Falcon: resources, default media handlers; `falcon.App` over WSGI, `falcon.asgi.App` over ASGI."""

from typing import Any

import falcon
import falcon.asgi
import msgspec
from falcon.media import JSONHandler

from .work import (
    FIELDS,
    LANGUAGES,
    MADE,
    MIDDLEWARES,
    NO_STORE,
    PAGES,
    USER,
    best_offer,
    invoice,
    listing,
    receipt,
    upload,
)


def identify(req: falcon.Request, _resp: falcon.Response, _resource: object, _params: dict[str, Any]) -> None:
    req.context.user = USER


def protect(_req: falcon.Request, resp: falcon.Response, _resource: object) -> None:
    resp.set_header("X-Frame-Options", "DENY")


async def identify_async(req: Any, _resp: Any, _resource: object, _params: dict[str, Any]) -> None:
    req.context.user = USER


async def protect_async(_req: Any, resp: Any, _resource: object) -> None:
    resp.set_header("X-Frame-Options", "DENY")


class Passing:
    """A middleware that does nothing."""

    def process_request(self, req: Any, resp: Any) -> None: ...

    def process_response(self, req: Any, resp: Any, resource: object, ok: bool) -> None: ...

    async def process_request_async(self, req: Any, resp: Any) -> None: ...

    async def process_response_async(self, req: Any, resp: Any, resource: object, ok: bool) -> None: ...


def with_msgspec(app: Any) -> Any:
    """Give an application the other codec, by media handlers; with the codec's state made once, as Falcon advises."""
    handler = JSONHandler(dumps=msgspec.json.Encoder().encode, loads=msgspec.json.Decoder().decode)
    for options in (app.req_options, app.resp_options):
        options.media_handlers[falcon.MEDIA_JSON] = handler
    return app


def answer(resp: falcon.Response, text: str) -> None:
    resp.content_type = falcon.MEDIA_TEXT
    resp.text = text


def make(resp: falcon.Response) -> None:
    resp.status = falcon.HTTP_201
    resp.cache_control = [NO_STORE]
    answer(resp, MADE)


def read(req: falcon.Request, resp: falcon.Response, name: str) -> None:
    resp.vary = ["Accept-Language"]
    text = listing(
        name,
        req.get_param("page", required=True),
        req.get_param_as_int("size", required=True),
        req.get_param("sort", required=True),
        req.cookies["session"],
        best_offer(req.get_header("Accept-Language", default=""), LANGUAGES),
    )
    answer(resp, text)


class Hello:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


class Hooks:
    @falcon.before(identify)
    @falcon.after(protect)
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer(resp, f"Hello, {req.context.user}!")


class Made:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        make(resp)


class Read:
    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        read(req, resp, name)


class Order:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = invoice(req.get_media())


class Form:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = req.get_media()
        answer(resp, receipt([values[name] for name in FIELDS]))


class Multipart:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        title, filename, content = "", "", b""
        for part in req.get_media():
            if part.name == "title":
                title = part.text
            elif part.name == "file":
                filename, content = part.filename, part.data
        answer(resp, upload(title, filename, content))


class AsyncHello:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


class AsyncHooks:
    @falcon.before(identify_async)
    @falcon.after(protect_async)
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        answer(resp, f"Hello, {req.context.user}!")


class AsyncMade:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        make(resp)


class AsyncRead:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, name: str) -> None:
        read(req, resp, name)


class AsyncOrder:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = invoice(await req.get_media())


class AsyncForm:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        values = await req.get_media()
        answer(resp, receipt([values[name] for name in FIELDS]))


class AsyncMultipart:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        title, filename, content = "", "", b""
        async for part in await req.get_media():
            if part.name == "title":
                title = await part.text
            elif part.name == "file":
                filename, content = part.filename, await part.data
        answer(resp, upload(title, filename, content))


ROUTES: tuple[tuple[str, Any, Any], ...] = (
    ("/hello", Hello(), AsyncHello()),
    ("/hooks", Hooks(), AsyncHooks()),
    ("/tuple", Made(), AsyncMade()),
    ("/read/{name}", Read(), AsyncRead()),
    ("/json", Order(), AsyncOrder()),
    ("/form", Form(), AsyncForm()),
    ("/multipart", Multipart(), AsyncMultipart()),
)

wsgi, asgi, asgi_def = falcon.App(), falcon.asgi.App(), falcon.asgi.App()
wsgi_json_msgspec, asgi_json_msgspec = with_msgspec(falcon.App()), with_msgspec(falcon.asgi.App())
wsgi_middlewares = falcon.App(middleware=[Passing() for _ in range(MIDDLEWARES)])
asgi_middlewares = falcon.asgi.App(middleware=[Passing() for _ in range(MIDDLEWARES)])
wsgi_static, asgi_static = falcon.App(), falcon.asgi.App()
wsgi_static.add_static_route("/static", PAGES)
asgi_static.add_static_route("/static", PAGES)
for path, on_thread, on_loop in ROUTES:
    wsgi.add_route(path, on_thread)
    asgi.add_route(path, on_loop)
wsgi_json_msgspec.add_route("/json-msgspec", Order())
asgi_json_msgspec.add_route("/json-msgspec", AsyncOrder())
wsgi_middlewares.add_route("/hello", Hello())
asgi_middlewares.add_route("/hello", AsyncHello())
for path, resource in (("/hello", Hello()), ("/read/{name}", Read())):
    setattr(resource, "on_get", falcon.wrap_sync_to_async(resource.on_get))  # noqa: B010 - an instance's own
    asgi_def.add_route(path, resource)
