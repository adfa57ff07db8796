"""Where the guestbook is."""

from antiphon.dialects.kay.routing import Rule, ViewGroup

view_groups = [
    ViewGroup(
        Rule("/", endpoint="index", view="guestbook.views.index"),
        Rule("/<int:number>", endpoint="entry", view="guestbook.views.entry", methods=["GET", "POST"]),
    )
]
