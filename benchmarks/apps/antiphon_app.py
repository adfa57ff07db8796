"""Antiphon: `def` handlers over WSGI, `async def` handlers over ASGI."""

from typing import Any

from antiphon import App, Request

from .work import FIELDS, LANGUAGES, invoice, listing, receipt

wsgi = App()
asgi = App()


@wsgi.get("/hello")
def hello(_request: Request) -> str:
    return "Hello, world!"


@wsgi.get("/read/<name>")
def read(request: Request) -> str:
    args = request.args
    return listing(
        request.params["name"],
        args["page"],
        args.get("size", 0, type=int),
        args["sort"],
        request.cookies["session"],
        request.accept_languages.best(LANGUAGES),
    )


@wsgi.post("/json")
def order(request: Request) -> dict[str, Any]:
    return invoice(request.json)


@wsgi.post("/form")
def form(request: Request) -> str:
    values = request.form
    return receipt([values[name] for name in FIELDS])


@asgi.get("/hello")
async def hello_async(_request: Request) -> str:
    return "Hello, world!"


@asgi.get("/read/<name>")
async def read_async(request: Request) -> str:
    args = request.args
    return listing(
        request.params["name"],
        args["page"],
        args.get("size", 0, type=int),
        args["sort"],
        request.cookies["session"],
        request.accept_languages.best(LANGUAGES),
    )


@asgi.post("/json")
async def order_async(request: Request) -> dict[str, Any]:
    return invoice(request.json)


@asgi.post("/form")
async def form_async(request: Request) -> str:
    values = request.form
    return receipt([values[name] for name in FIELDS])
