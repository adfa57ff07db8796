"""Falcon: resources, default media handlers; `falcon.App` over WSGI, `falcon.asgi.App` over ASGI."""

import falcon
import falcon.asgi

from .work import FIELDS, best_language, invoice, listing, receipt


def read_answer(req: falcon.Request, name: str) -> str:
    return listing(
        name,
        req.get_param("page", required=True),
        req.get_param_as_int("size", required=True),
        req.get_param("sort", required=True),
        req.cookies["session"],
        best_language(req.get_header("Accept-Language", default="")),
    )


class Hello:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


class Read:
    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = read_answer(req, name)


class Order:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = invoice(req.get_media())


class Form:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = req.get_media()
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = receipt([values[name] for name in FIELDS])


class AsyncHello:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, world!"


class AsyncRead:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, name: str) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = read_answer(req, name)


class AsyncOrder:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = invoice(await req.get_media())


class AsyncForm:
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        values = await req.get_media()
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = receipt([values[name] for name in FIELDS])


wsgi = falcon.App()
wsgi.add_route("/hello", Hello())
wsgi.add_route("/read/{name}", Read())
wsgi.add_route("/json", Order())
wsgi.add_route("/form", Form())

asgi = falcon.asgi.App()
asgi.add_route("/hello", AsyncHello())
asgi.add_route("/read/{name}", AsyncRead())
asgi.add_route("/json", AsyncOrder())
asgi.add_route("/form", AsyncForm())
