"""A bookstore of twenty-five operations: forms, files, unions, sessions, signed URLs, rates, events, ranges."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID, uuid4

from msgspec import Meta, Struct

from antiphon import App, Blueprint, Limits, Redirect, Request, Response, Upload, abort
from antiphon.features import (
    Bearer,
    Field,
    Form,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    Sessions,
    Users,
    login_required,
)
from antiphon.http import Conflict, NotFound

TOKEN = "s3cret"
Title = Annotated[str, Meta(min_length=1, max_length=80)]
Price = Annotated[int, Meta(ge=0, le=10**6, description="Cents.")]
Count = Annotated[int, Meta(ge=1, le=99)]


class Genre(Enum):
    NOVEL = "novel"
    ATLAS = "atlas"
    POEMS = "poems"


@dataclass
class NewBook:
    title: Title
    price: Price
    genre: Genre = Genre.NOVEL
    authors: Annotated[list[Title], Meta(max_length=5)] = field(default_factory=list)
    pages: Annotated[int, Meta(ge=1, le=10_000)] | None = None


@dataclass
class Book(NewBook):
    id: Annotated[int, Meta(ge=1, le=2**63 - 1)] = 1


class Changes(TypedDict, total=False):
    title: Title
    price: Price


@dataclass
class Search:
    q: Title
    genre: Genre | None = None
    page: Annotated[int, Meta(ge=1, le=1000)] = 1


@dataclass
class Cover:
    file: Upload
    caption: Annotated[str, Meta(max_length=40)] = ""


@dataclass
class Line:
    book: Count
    count: Count = 1


@dataclass
class Order:
    lines: Annotated[list[Line], Meta(min_length=1, max_length=9)]
    note: str | None = None


@dataclass
class Placed(Order):
    id: UUID = field(default_factory=uuid4)


class Card(Struct, tag=True):
    number: Annotated[str, Meta(pattern="^[0-9]{12}$")]


class Transfer(Struct, tag=True):
    iban: Annotated[str, Meta(pattern="^[A-Z]{2}[0-9]{2}$")]


@dataclass
class Receipt:
    method: Card | Transfer
    is_paid: bool


@dataclass
class Contact:
    name: Annotated[Title, Field(widget="textarea")]
    message: Annotated[Title, Field(widget="textarea")]


class Sold(Conflict):
    """A book that is not there any more."""


class Shelf:
    """The books, by their numbers."""

    books: dict[int, Book]
    orders: dict[UUID, Placed]

    def __init__(self) -> None:
        self.books, self.orders = {}, {}
        for number, title in enumerate(("Emma", "Persuasion"), 1):
            self.books[number] = Book(title, 990, id=number)

    def find(self, number: int) -> Book | None:
        return self.books.get(number)

    def get(self, number: int) -> Book:
        return self.find(number) or abort(404, "There is no such book.")

    def add(self, new: NewBook) -> Book:
        if any(each.title == new.title for each in self.books.values()):
            raise Conflict("There is a book of this title.")
        number = len(self.books) + 1
        book = self.books[number] = Book(new.title, new.price, new.genre, new.authors, new.pages, number)
        return book


shelf = Shelf()
api = Blueprint("books", prefix="/api")


def etag_of(book: Book) -> str:
    return f"{book.id}-{book.price}"


@api.get("/books")
def index(request: Request) -> list[Book]:
    """List the books that are searched for."""
    wanted = request.args_as(Search)
    return [book for book in shelf.books.values() if wanted.q in book.title]


@api.post("/books")
def add(request: Request) -> tuple[Book, Literal[201], dict[str, str]]:
    """Add a book."""
    book = shelf.add(request.json_as(NewBook))
    return book, 201, {"location": request.url_for(".show", number=book.id)}


@api.get("/books/<int:number>")
def show(request: Request, number: int):
    """Show a book."""
    book = shelf.get(number)
    response = Response.json(book)
    response.etag = etag_of(book)
    return response.make_conditional(request, ranges=False)


@api.put("/books/<int:number>")
def write(request: Request, number: int) -> Book:
    """Replace a book, unless it has changed meanwhile."""
    known = shelf.get(number)
    request.precondition(etag=etag_of(known))
    new = request.json_as(NewBook)
    shelf.books[number] = Book(new.title, new.price, new.genre, new.authors, new.pages, number)
    return shelf.books[number]


@api.patch("/books/<int:number>", before=login_required)
def change(request: Request, number: int):
    """Change a book."""
    changes = request.json_as(Changes)
    known = shelf.find(number)
    if known is None:
        raise NotFound("There is no such book.")
    shelf.books[number] = replace(known, **changes)
    return shelf.books[number]


@api.delete("/books/<int:number>", before=login_required)
def remove(request: Request, number: int) -> None:
    """Remove a book. The first two stay."""
    if number < 3:
        raise Sold("It is sold already.")
    shelf.books.pop(number, None)


@api.post("/books/<int:number>/cover", before=RateLimit("1000000/minute"))
def cover(request: Request, number: int):
    """Add a cover."""
    shelf.get(number)
    sent = request.form_as(Cover)
    return {"name": sent.file.safe_filename, "size": sent.file.size, "caption": sent.caption}, 201


@api.get("/books/<int:number>/text")
def text(request: Request, number: int) -> Response:
    """Read a book, or a range of it."""
    shelf.get(number)
    return Response.file(mimetypes.__file__, content_type="text/plain")


@api.get("/books/<int:number>/label.<any(txt,html):kind>")
def label(request: Request, number: int, kind: str):
    book = shelf.get(number)
    if kind == "html":
        return Response.html(f"<p>{book.id}")
    return f"{book.title:{len(book.title)}}"


@api.post("/payments")
def pay(request: Request) -> Receipt:
    """Pay by card or by transfer."""
    match request.json_as(Card | Transfer):
        case Card(number=number) as card:
            if number == "0" * 12:
                abort(409, "The card is refused.")
            return Receipt(card, True)
        case transfer:
            return Receipt(transfer, False)


@api.get("/basket")
def basket(request: Request):
    """Show the basket of the session."""
    lines: list[Line] = request.session.get("lines", [])
    return {"lines": lines, "count": len(lines)}


@api.post("/basket")
def put(request: Request):
    """Put a book into the basket."""
    line = request.form_as(Line)
    if line.book not in shelf.books:
        abort(404, "There is no such book.")
    lines: list[dict[str, int]] = [*request.session.get("lines", [])][:5]
    lines.append({"book": line.book, "count": line.count})
    request.session["lines"] = lines
    return {"count": len(lines)}, 201


@api.delete("/basket")
def clear(request: Request) -> None:
    """Empty the basket."""
    request.session.clear()


@api.post("/orders", idempotent=True)
def order(request: Request) -> tuple[Placed, Literal[202]]:
    """Order books, once."""
    wanted = request.json_as(Order)
    placed = Placed(wanted.lines, wanted.note)
    shelf.orders[placed.id] = placed
    return placed, 202


@api.get("/orders/<uuid:id>")
def ordered(request: Request, id: UUID):
    """Show an order."""
    try:
        return shelf.orders[id]
    except KeyError:
        raise NotFound("There is no such order.") from None


@api.get("/events")
def events(request: Request) -> Response:
    """Follow what happens."""
    return Response.events([{"data": "one"}])


@api.get("/export")
def export(request: Request) -> Response:
    """Export all books, one a line."""
    return Response.ndjson(shelf.books.values())


@api.get("/lines")
def lines(request: Request) -> Iterator[str]:
    """Stream the titles."""
    yield from (f"{book.title}\n" for book in shelf.books.values())


@api.get("/samples/<path:name>", signed_url=True)
def sample(request: Request, name: str):
    """Download a sample, by a link that was signed."""
    return {"name": name, "path": request.path}


@api.get("/me", before=login_required)
async def me(request: Request):
    """Show who is logged in."""
    return {"name": request.user}


@api.post("/contact")
def contact(request: Request):
    """Write to us."""
    form = Form(Contact, request)
    if not form.validate():
        raise form.error()
    made = {"name": form.data.name}
    made["message"] = form.data.message
    return made


@api.route("/search", methods=["GET", "POST"], name="search")
def search(request: Request):
    """Search by a form, or by a link."""
    match request.method:
        case "POST":
            wanted = request.form.get("q", "")
        case _:
            wanted = request.args["q"]
    found: list[dict[str, Any]] = []
    for book in shelf.books.values():
        if wanted in book.title:
            found.append({"id": book.id, "title": book.title})  # noqa: PERF401
    return {"found": found, "theme": request.cookies.get("theme", "light")}


@api.get("/newest")
def newest(request: Request) -> None:
    """Go to the newest book."""
    raise Redirect(request.url_for(".show", number=max(shelf.books)), 307)


@api.post("/raw")
def raw(request: Request):
    """Count the bytes of a body."""
    limit = request.headers.get("x-limit", "none")
    return {"size": len(request.body), "limit": limit}


def make_app() -> App:
    """Return the bookstore, with books of its own."""
    shelf.__init__()  # type: ignore[misc]
    app = App(secret_keys=["0123456789abcdef"], limits=Limits(body=1 << 16))
    app.use(OpenAPI("Books", version="3", prefix="/api"))
    store = MemoryStore()
    app.use(Sessions(store))
    app.use(Users(Bearer({TOKEN: "ada"}.get)))
    app.use(IdempotentWrites(store))
    app.register(api)
    return app
