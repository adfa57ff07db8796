"""BlackSheep: async handlers that take the request itself, which spares them its binders; ASGI."""

from typing import Any

from blacksheep import Application, Request, Response, json, text

from .work import FIELDS, LANGUAGES, best_offer, invoice, listing, receipt, upload

asgi = Application()


@asgi.router.get("/hello")
async def hello(_request: Request) -> Response:
    return text("Hello, world!")


@asgi.router.get("/read/{name}")
async def read(request: Request) -> Response:
    args = request.query
    response = text(
        listing(
            request.route_values["name"] or "",
            args["page"][0],
            int(args["size"][0]),
            args["sort"][0],
            request.cookies["session"],
            best_offer((request.get_first_header(b"accept-language") or b"").decode(), LANGUAGES),
        )
    )
    response.add_header(b"Vary", b"Accept-Language")
    return response


@asgi.router.post("/json")
async def order(request: Request) -> Response:
    return json(invoice(await request.json()))


@asgi.router.post("/form")
async def form(request: Request) -> Response:
    values: Any = await request.form()
    return text(receipt([values[name] for name in FIELDS]))


@asgi.router.post("/multipart")
async def multipart(request: Request) -> Response:
    values: Any = await request.form()
    (file,) = values["file"]
    return text(upload(values["title"], file.file_name.decode(), file.data))
