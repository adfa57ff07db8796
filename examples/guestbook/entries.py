"""The guestbook itself: its entries, and the form to write one."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from antiphon import Blueprint, Limits, Request, Response, Upload, abort
from antiphon.features import Field, Form, Page, lazy_gettext, login_required
from examples.guestbook.accounts import EITHER_WAY
from examples.guestbook.book import BOOK, picture_suffix
from examples.guestbook.live import NEWS

entries = Blueprint("entries", limits=Limits(body=5 << 20))
SHOWN = 10
LAST = 2**63 - 1


@dataclass
class Range:
    before: Annotated[int, Meta(gt=0, le=LAST)] = LAST


@dataclass
class Note:
    words: Annotated[
        str,
        Meta(min_length=2, max_length=500),
        Field(widget="textarea", label=lazy_gettext("Your note"), attributes=EITHER_WAY),
    ]
    picture: Annotated[
        Upload | None,
        Field(
            label=lazy_gettext("Picture"),
            accept=".png, .jpg, .jpeg, .gif",
            max_size=4_000_000,
            help=lazy_gettext("PNG, JPEG or GIF, of up to 4 MB."),
        ),
    ] = None
    caption: Annotated[
        str,
        Meta(max_length=200),
        Field(
            label=lazy_gettext("Describe the picture"),
            help=lazy_gettext("For people who can't see it."),
            attributes=EITHER_WAY,
        ),
    ] = ""

    def check(self, form: "Form[Note]") -> None:
        if self.picture and picture_suffix(self.picture) is None:
            form.add_error("picture", lazy_gettext("This is not a picture we can show: use a PNG, JPEG or GIF."))
        if self.picture and not self.caption:
            form.add_error("caption", lazy_gettext("Please say what the picture shows."))


@entries.get("/")
@entries.post("/", before=login_required, receive="lazy")
def index(request: Request):
    book, form = request[BOOK], Form(Note, request)
    if form.validate(Note.check):
        book.add_entry(request.user, form.data.words, form.data.picture, form.data.caption)
        request[NEWS].send(None)
        request.flash(lazy_gettext("Thank you for signing!"))
        return Response.redirect(request.url_for(".index"))
    last_id = book.last_id()  # before the entries: those written in the meantime also come over the socket
    found = book.entries(request.args_as(Range).before, SHOWN)
    return Page(
        "index.html",
        _block=["main", "entries"],
        _json=form.errors or found,
        form=form,
        entries=found,
        last_id=last_id,
        has_older=len(found) == SHOWN,
    ), form.status


@entries.post("/entries/<int:id>/delete", before=login_required)
def delete(request: Request, id: int):
    if not request[BOOK].delete_entry(id, request.user):
        abort(404, lazy_gettext("There is no such entry of yours."))
    request.flash(lazy_gettext("The entry is gone."))
    return Response.redirect(request.url_for(".index"))


@entries.get("/pictures/<name>")
def picture(request: Request, name: str):
    path = request[BOOK].picture(name) or abort(404)
    return Response.file(path, headers={"cache-control": "max-age=86400"})
