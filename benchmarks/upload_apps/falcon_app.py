"""Falcon: its multipart form handler, which gives part after part; a file is piped to a temporary one."""

from tempfile import TemporaryFile
from typing import Any

import falcon
import falcon.asgi
from falcon.media import MultipartFormHandler

from benchmarks.apps.work import upload
from benchmarks.forms import NAMES
from benchmarks.upload_apps.answers import fields, large_file


class Large:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        title = ""
        with TemporaryFile() as file:
            for part in req.get_media():
                if part.name == "title":
                    title = part.text
                else:
                    filename = part.filename
                    part.stream.pipe(file)
            resp.text = large_file(title, filename, file)
        resp.content_type = falcon.MEDIA_TEXT


class Small:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        title = ""
        for part in req.get_media():
            if part.name == "title":
                title = part.text
            else:
                filename, content = part.filename, part.data
        resp.text = upload(title, filename, content)
        resp.content_type = falcon.MEDIA_TEXT


class Parts:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = {part.name: part.text for part in req.get_media()}
        resp.text = fields([values[name] for name in NAMES])
        resp.content_type = falcon.MEDIA_TEXT


class LargeAsync:
    async def on_post(self, req: Any, resp: Any) -> None:
        title = ""
        with TemporaryFile() as file:
            async for part in await req.get_media():
                if part.name == "title":
                    title = await part.text
                else:
                    filename = part.filename
                    async for chunk in part.stream:
                        file.write(chunk)
            resp.text = large_file(title, filename, file)
        resp.content_type = falcon.MEDIA_TEXT


class SmallAsync:
    async def on_post(self, req: Any, resp: Any) -> None:
        title = ""
        async for part in await req.get_media():
            if part.name == "title":
                title = await part.text
            else:
                filename, content = part.filename, await part.data
        resp.text = upload(title, filename, content)
        resp.content_type = falcon.MEDIA_TEXT


class PartsAsync:
    async def on_post(self, req: Any, resp: Any) -> None:
        values = {part.name: await part.text async for part in await req.get_media()}
        resp.text = fields([values[name] for name in NAMES])
        resp.content_type = falcon.MEDIA_TEXT


def routed(app: Any, *resources: object) -> Any:
    app.req_options.media_handlers[falcon.MEDIA_MULTIPART] = MultipartFormHandler()
    for path, resource in zip(("/large", "/file", "/parts"), resources, strict=True):
        app.add_route(path, resource)
    return app


wsgi = routed(falcon.App(), Large(), Small(), Parts())
asgi = routed(falcon.asgi.App(), LargeAsync(), SmallAsync(), PartsAsync())
