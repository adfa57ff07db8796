"""The routes of the tour. Sync and async handlers are mixed, and each works on any server."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from antiphon import App, HTTPError, Limits, Request, Response
from antiphon.http import NotFound
from examples.tour import pages

app = App(limits=Limits(body=1 << 20), trusted_hosts=["localhost", "127.0.0.1", "[::1]"])
app.static("/static", Path(__file__).parent / "static")

DOCS = Path(__file__).parents[2] / "docs"

GREETINGS = {"en": "Hello", "de": "Guten Tag", "fr": "Bonjour", "es": "Hola"}


@app.middleware
def timing(request: Request):
    started = time.perf_counter()
    response = yield
    response.headers["server-timing"] = f"app;dur={(time.perf_counter() - started) * 1e3:.2f}"


@app.get("/")
def index(request: Request):
    visits = request.cookies.get("visits", 0, type=int) + 1
    language = request.accept_languages.best(GREETINGS, "en")
    response = Response.html(pages.index(request, GREETINGS[language], visits))
    response.set_cookie("visits", str(visits), max_age=30 * 86400, httponly=True)
    response.vary("accept-language", "cookie")
    return response


@app.post("/greet")
def greet(request: Request):
    name = request.form.get("name", "").strip() or "stranger"
    return Response.html(pages.greeting(request, name, request.form.getall("likes")))


@app.get("/upload")
def upload_form(request: Request):
    return Response.html(pages.upload_form(request))


@app.post("/upload", limits=Limits(body=1 << 30))
def upload(request: Request):
    chosen = [file for file in request.files.getall("file") if file]
    return Response.html(
        pages.uploaded(request, [(file.filename, file.size, file.digest("sha256")) for file in chosen])
    )


@app.get("/hello/<name>")
def hello(request: Request, name: str):
    return f"Hello, {name}!"


@dataclass
class Item:
    name: str
    price: float
    count: int = 1


@dataclass
class Order:
    items: list[Item]


@app.post("/api/orders")
async def order(request: Request):
    wanted = request.json_as(Order)
    total = sum(item.price * item.count for item in wanted.items)
    return {"total": total, "items": wanted.items}, 201


@app.get("/clock")
async def clock(request: Request):
    return ticks()


async def ticks() -> AsyncIterator[str]:
    while True:
        yield time.strftime("%H:%M:%S\n")
        await asyncio.sleep(1)


@app.get("/slow/async")
async def slow_async(request: Request):
    await asyncio.sleep(1)
    return "A second on the event loop, which served others meanwhile.\n"


@app.get("/slow/sync")
def slow_sync(request: Request):
    time.sleep(1)
    return "A second on a thread, while the others went on.\n"


@app.get("/items/<int:number>")
def item(request: Request, number: int):
    raise NotFound(f"There is no item {number}.")


@app.get("/docs/<path:page>")
def documentation(request: Request, page: str):
    """Answer with a page of the documentation, in Markdown. Its links lead to the other pages."""
    path = (DOCS / page).resolve()
    if path.suffix != ".md" or not path.is_relative_to(DOCS) or not path.is_file():
        raise NotFound(f"The documentation has no page {page}.")
    return Response(path.read_text("utf-8"), content_type="text/plain; charset=utf-8")


@app.errorhandler(HTTPError)
def show_error(request: Request, error: HTTPError):
    if request.accept.best(["application/problem+json", "text/html"]) != "text/html":
        raise error
    text = pages.problem(request, error.status, error.title, error.detail or "")
    return Response.html(text, status=error.status, headers=error.headers)


@app.get("/error")
def error(request: Request):
    raise RuntimeError("this is for the log only; the visitor sees a request id")
