"""Falcon: resources, default media handlers; `falcon.App` over WSGI, `falcon.asgi.App` over ASGI."""

from typing import Any

import falcon
import falcon.asgi
import msgspec
from falcon.media import JSONHandler

from .falcon_answers import (
    answer_conditionally,
    build,
    headers_answer,
    make,
    read_answer,
    send_part,
)
from .work import (
    FIELDS,
    MIDDLEWARES,
    NEGOTIATED,
    USER,
    invoice,
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

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None: ...

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, ok: bool) -> None: ...

    async def process_request_async(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None: ...

    async def process_response_async(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resource: object, ok: bool
    ) -> None: ...


def with_msgspec(app: Any) -> Any:
    """Give an application the other codec, by media handlers; with the codec's state made once, as Falcon advises."""
    handler = JSONHandler(dumps=msgspec.json.Encoder().encode, loads=msgspec.json.Decoder().decode)
    for options in (app.req_options, app.resp_options):
        options.media_handlers[falcon.MEDIA_JSON] = handler
    return app


class Hello:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


class Hooks:
    @falcon.before(identify)
    @falcon.after(protect)
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"Hello, {req.context.user}!"


class Made:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        make(resp)


class Read:
    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.vary = ["Accept-Language"]
        resp.text = read_answer(req, name)


class Order:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = invoice(req.get_media())


class Form:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = req.get_media()
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = receipt([values[name] for name in FIELDS])


class Multipart:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        title, filename, content = "", "", b""
        for part in req.get_media():
            if part.name == "title":
                title = part.text
            elif part.name == "file":
                filename, content = part.filename, part.data
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = upload(title, filename, content)


class Headers:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.vary = NEGOTIATED
        resp.text = headers_answer(req)


class Built:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        build(resp)


class Conditional:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer_conditionally(req, resp)


class Pixels:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        send_part(req, resp)


class AsyncHello:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


class AsyncHooks:
    @falcon.before(identify_async)
    @falcon.after(protect_async)
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"Hello, {req.context.user}!"


class AsyncMade:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        make(resp)


class AsyncRead:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, name: str) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.vary = ["Accept-Language"]
        resp.text = read_answer(req, name)


class AsyncOrder:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = invoice(await req.get_media())


class AsyncForm:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        values = await req.get_media()
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = receipt([values[name] for name in FIELDS])


class AsyncMultipart:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        title, filename, content = "", "", b""
        async for part in await req.get_media():
            if part.name == "title":
                title = await part.text
            elif part.name == "file":
                filename, content = part.filename, await part.data
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = upload(title, filename, content)


class AsyncHeaders:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.vary = NEGOTIATED
        resp.text = headers_answer(req)


class AsyncBuilt:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        build(resp)


class AsyncConditional:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        answer_conditionally(req, resp)


class AsyncPixels:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        send_part(req, resp)


wsgi = falcon.App()
wsgi.add_route("/hello", Hello())
wsgi.add_route("/hooks", Hooks())
wsgi.add_route("/tuple", Made())
wsgi.add_route("/read/{name}", Read())
wsgi.add_route("/json", Order())
wsgi.add_route("/form", Form())
wsgi.add_route("/multipart", Multipart())
wsgi.add_route("/headers", Headers())
wsgi.add_route("/built", Built())
wsgi.add_route("/conditional", Conditional())
wsgi.add_route("/pixels", Pixels())

asgi = falcon.asgi.App()
asgi.add_route("/hello", AsyncHello())
asgi.add_route("/hooks", AsyncHooks())
asgi.add_route("/tuple", AsyncMade())
asgi.add_route("/read/{name}", AsyncRead())
asgi.add_route("/json", AsyncOrder())
asgi.add_route("/form", AsyncForm())
asgi.add_route("/multipart", AsyncMultipart())
asgi.add_route("/headers", AsyncHeaders())
asgi.add_route("/built", AsyncBuilt())
asgi.add_route("/conditional", AsyncConditional())
asgi.add_route("/pixels", AsyncPixels())

wsgi_json_msgspec = with_msgspec(falcon.App())
wsgi_json_msgspec.add_route("/json-msgspec", Order())
asgi_json_msgspec = with_msgspec(falcon.asgi.App())
asgi_json_msgspec.add_route("/json-msgspec", AsyncOrder())

wsgi_middlewares = falcon.App(middleware=[Passing() for _ in range(MIDDLEWARES)])
wsgi_middlewares.add_route("/hello", Hello())
asgi_middlewares = falcon.asgi.App(middleware=[Passing() for _ in range(MIDDLEWARES)])
asgi_middlewares.add_route("/hello", AsyncHello())

asgi_def = falcon.asgi.App()
for path, resource in (("/hello", Hello()), ("/read/{name}", Read())):
    setattr(resource, "on_get", falcon.wrap_sync_to_async(resource.on_get))  # noqa: B010 - an instance's own
    asgi_def.add_route(path, resource)
