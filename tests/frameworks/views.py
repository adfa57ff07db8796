"""Views that every framework has, at the same paths."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from antiphon import Request, Response, abort, current_request, view
from antiphon.http import Event

FILE = Path(__file__)


@dataclass
class Order:
    item: str
    count: int = 1


def head(request: Request):
    seen = {name: request.headers.get(name) for name in ("accept-language", "x-own")}
    return {
        "method": request.method,
        "path": request.path,
        "url": request.url,
        "query": request.args.getall("q"),
    } | seen


def cookies(request: Request):
    response = Response.text(f"{request.cookies.get('a')}, {request.cookies.get('b')}")
    response.set_cookie("one", "1", max_age=60)
    response.set_cookie("two", "2", path="/x", httponly=True)
    return response


async def order(request: Request):
    await asyncio.sleep(0)
    wanted = request.json_as(Order)
    return wanted, 201, {"location": f"/orders/{wanted.item}"}


def form(request: Request):
    return {"fields": request.form.items(), "same": current_request() is request}


def upload(request: Request):
    file = request.files["file"]
    return {
        "name": file.filename,
        "size": file.size,
        "sha": sha256(file.read()).hexdigest(),
        "note": request.form["note"],
    }


async def echo(request: Request):
    return request.body, 200, {"content-type": "application/x-own"}


def stream(request: Request) -> Response:
    def chunks() -> Iterator[bytes]:
        yield b"one, "
        yield b"two"

    return Response.stream(chunks())


async def events(request: Request) -> Response:
    async def happen() -> AsyncIterator[Event]:
        for number in range(2):
            await asyncio.sleep(0)
            yield Event(f"tick {number}", id=str(number))

    return Response.events(happen())


def page(request: Request):
    response = Response.html("<p>Hello")
    response.add_etag()
    return response.make_conditional(request)


def file(request: Request):
    return Response.file(FILE, modified=False, etag=False)


async def error(request: Request):
    abort(409, "It is taken.")


def failing(request: Request):
    raise LookupError("secret")


def nothing(request: Request) -> None:
    pass


async def item(request: Request, name: str):
    return {"name": name, "all": dict(request.path_params)}


PATHS = {
    "head": head, "cookies": cookies, "order": order, "form": form, "upload": upload, "echo": echo, "stream": stream,
    "events": events, "page": page, "file": file, "error": error, "failing": failing, "nothing": nothing,
}  # fmt: skip
PARAMETER = item


def views(interface: str | None = None) -> dict:
    """Return the views by their paths; that of "item" has a parameter."""
    return {name: view(interface=interface)(function) for name, function in (*PATHS.items(), ("item", item))}
