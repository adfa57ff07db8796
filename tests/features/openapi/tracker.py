"""A tracker as its authors write it: rows behind a generic helper, with ETags, patches, pages and problems."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from antiphon import App, Blueprint, Request, Response
from antiphon.features import OpenAPI
from antiphon.http import Conflict, ETag, Link, NotFound

T = TypeVar("T")


@dataclass
class NewTicket:
    title: Annotated[str, Meta(min_length=1)]
    note: str | None = None


@dataclass(kw_only=True)
class Ticket(NewTicket):
    id: int
    version: int = 1


@dataclass
class Page:
    after: int = 0
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Taken(Conflict):
    """A ticket has this title."""


tickets: dict[int, Any] = {}
api = Blueprint("tracker", prefix="/tracker")


def one(type_: type[T], id: int) -> T:
    return tickets.get(id) or not_found(id)


def not_found(id: int) -> Any:
    raise NotFound(f"There is no ticket {id}.")


def shown(ticket: Ticket, status: int = 200) -> Response:
    response = Response.json(ticket, status)
    response.etag = f"v{ticket.version}"
    return response


@api.post("/tickets")
def add(request: Request) -> Response:
    new = request.json_as(NewTicket)
    if any(each.title == new.title for each in tickets.values()):
        raise Taken("There is a ticket with this title.")
    number = len(tickets) + 1
    tickets[number] = Ticket(new.title, new.note, id=number)
    response = Response.json(one(Ticket, number), 201)
    response.location = request.url_for(".show", id=number)
    response.etag = "v1"
    return response


@api.get("/tickets")
def index(request: Request) -> Response:
    page = request.args_as(Page)
    found: list[Ticket] = [each for number, each in sorted(tickets.items()) if number > page.after]
    response = Response.json(found[: page.limit])
    response.headers["x-total-count"] = str(len(tickets))
    if len(found) > page.limit:
        response.links = [Link(request.url.with_query(after=found[page.limit - 1].id), rel="next")]
    return response


@api.get("/tickets/<int:id>")
def show(request: Request, id: int) -> Response:
    return shown(one(Ticket, id)).make_conditional(request)


@api.patch("/tickets/<int:id>")
def change(request: Request, id: int) -> Response:
    known = one(Ticket, id)
    request.precondition(etag=ETag(f"v{known.version}"))
    new = request.patched(known, NewTicket)
    tickets[id] = replace(known, title=new.title, note=new.note, version=known.version + 1)
    return shown(one(Ticket, id))


def make_app() -> App:
    """Return the application, whose document is at ``/tracker/openapi.json``."""
    tickets.clear()
    app = App()
    app.use(OpenAPI("Tracker", prefix="/tracker"))
    app.register(api)
    return app
