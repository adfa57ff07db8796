"""A live block: what is written in one tab appears in all others."""

from collections import Counter

from antiphon import Blueprint, Request, Response
from antiphon.features import Page, live_reads, live_writes

live = Blueprint("live")
votes = Counter(tea=0, coffee=0)


@live.get("/votes", live="votes")
def show(request: Request):
    live_reads("votes")  # of SQLAlchemy's tables, Antiphon sees it
    return Page("votes.html", votes=votes)


@live.post("/votes")
def vote(request: Request):
    drink = request.form["drink"]
    votes[drink if drink in votes else "tea"] += 1
    live_writes("votes")
    return Response.redirect("/#live")
