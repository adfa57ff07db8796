"""Handlers that read bodies and queries of every kind, within limits."""

from dataclasses import dataclass
from hashlib import sha256

from antiphon import App, Limits, Request, Response
from tests.contract.application.registration import def_and_async

SMALL = 1000
"""The limit of the route that has one, in bytes."""


@dataclass
class Item:
    name: str
    price: float


@dataclass
class Order:
    """The type of a JSON body."""

    items: list[Item]
    note: str = ""


@dataclass
class Paging:
    page: int
    size: int = 10


def register(app: App) -> None:
    @def_and_async(app, "/echo", ("POST",))
    def echo(request: Request) -> Response:
        return Response(request.body, content_type=request.headers.get("content-type", "application/octet-stream"))

    @def_and_async(app, "/passed-on", ("POST",), receive="stream")
    def pass_on(request: Request) -> Response:
        return Response(request.stream)

    @def_and_async(app, "/digest", ("POST",))
    def digest(request: Request) -> dict[str, object]:
        return {"bytes": len(request.body), "sha256": sha256(request.body).hexdigest()}

    @def_and_async(app, "/limited", ("POST",), limits=Limits(body=SMALL))
    def limited(request: Request) -> str:
        return f"{len(request.body)} bytes\n"

    @def_and_async(app, "/text/in", ("POST",))
    def text(request: Request) -> str:
        return request.text

    @def_and_async(app, "/json", ("POST",))
    def json(request: Request) -> dict[str, object]:
        return {"got": request.json}

    @def_and_async(app, "/order", ("POST",))
    def order(request: Request) -> dict[str, object]:
        wanted = request.json_as(Order)
        return {"total": sum(item.price for item in wanted.items), "note": wanted.note}

    @def_and_async(app, "/form", ("POST",))
    def form(request: Request) -> list[tuple[str, str]]:
        return list(request.form.items())

    @def_and_async(app, "/unread", ("POST",), receive="lazy")
    def unread(_: Request) -> str:
        return "unread\n"

    @def_and_async(app, "/args")
    def args(request: Request) -> list[tuple[str, str]]:
        return list(request.args.items())

    @def_and_async(app, "/paging")
    def paging(request: Request) -> Paging:
        return request.args_as(Paging)
