"""Litestar, with sessions in encrypted cookies, which are those that it has without a store."""

from hashlib import file_digest
from typing import Annotated

from litestar import Litestar, MediaType, Request, get, post
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.params import Body
from litestar.response import Template
from litestar.template.config import TemplateConfig

from . import shop


@get("/page", sync_to_thread=True)
def page() -> Template:
    return Template("page.html", context={"lamps": shop.lamps()})


@get("/rows")
async def rows() -> list[shop.Row]:
    return shop.ROWS


@post("/orders", status_code=200)
async def orders(data: shop.Order) -> dict[str, float]:
    return {"total": shop.total(data.items)}


@post("/upload", status_code=200, sync_to_thread=True)
def upload(data: Annotated[UploadFile, Body(media_type=RequestEncodingType.MULTI_PART)]) -> dict[str, str]:
    return {"sha256": file_digest(data.file, "sha256").hexdigest()}


@get("/visit", media_type=MediaType.TEXT)
async def visit(request: Request) -> str:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return "welcome"


app = Litestar(
    [page, rows, orders, upload, visit],
    middleware=[CookieBackendConfig(secret=shop.KEY.encode()[:32]).middleware],
    template_config=TemplateConfig(directory=shop.FOLDER, engine=JinjaTemplateEngine),
)
