"""Handlers of what a request brings: bodies of every kind, within limits."""

from dataclasses import dataclass
from hashlib import sha256

from antiphon import App, Limits, Request, Response
from tests.contract.application.twins import twins

SMALL = 1000
"""Bytes that the route with a limit accepts."""


@dataclass
class Item:
    """A line of an order."""

    name: str
    price: float


@dataclass
class Order:
    """What a typed body is read as."""

    items: list[Item]
    note: str = ""


@dataclass
class Paging:
    """What a typed query is read as."""

    page: int
    size: int = 10


def register(app: App) -> None:
    """Register the handlers of this module."""

    @twins(app, "/echo", ("POST",))
    def echo(request: Request) -> Response:
        return Response(request.body, content_type=request.headers.get("content-type", "application/octet-stream"))

    @twins(app, "/passed-on", ("POST",), body="stream")
    def pass_on(request: Request) -> Response:
        return Response(request.stream)

    @twins(app, "/digest", ("POST",))
    def digest(request: Request) -> dict[str, object]:
        return {"bytes": len(request.body), "sha256": sha256(request.body).hexdigest()}

    @twins(app, "/limited", ("POST",), limits=Limits(body=SMALL))
    def limited(request: Request) -> str:
        return f"{len(request.body)} bytes\n"

    @twins(app, "/text/in", ("POST",))
    def text(request: Request) -> str:
        return request.text

    @twins(app, "/json", ("POST",))
    def json(request: Request) -> dict[str, object]:
        return {"got": request.json}

    @twins(app, "/order", ("POST",))
    def order(request: Request) -> dict[str, object]:
        wanted = request.json_as(Order)
        return {"total": sum(item.price for item in wanted.items), "note": wanted.note}

    @twins(app, "/form", ("POST",))
    def form(request: Request) -> list[tuple[str, str]]:
        return list(request.form.items())

    @twins(app, "/unread", ("POST",), body="lazy")
    def unread(_: Request) -> str:
        return "unread\n"

    @twins(app, "/args")
    def args(request: Request) -> list[tuple[str, str]]:
        return list(request.args.items())

    @twins(app, "/paging")
    def paging(request: Request) -> Paging:
        return request.args_as(Paging)
