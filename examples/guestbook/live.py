"""New entries in each open window, over a WebSocket. `static/live.js` is the client.

An entry can be written in any process. A channel tells all processes that there is one, and the database has it.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from antiphon import Blueprint, Dependency, Request, WebSocket
from antiphon.features import Channel
from examples.guestbook.book import BOOK

live = Blueprint("live")
NEWS = Dependency[Channel]("news")
BATCH = 10
LAST = 2**63 - 1


@dataclass
class Position:
    last: Annotated[int, Meta(ge=0, le=LAST)]


@live.websocket("/live")
async def follow(request: Request, socket: WebSocket):
    """Send the entries after the last one that the page has seen, and then each new entry."""
    last = request.args_as(Position).last
    await socket.accept()
    async with request[NEWS].listen() as news:
        while True:
            while entries := await asyncio.to_thread(request[BOOK].entries_since, last, BATCH):
                for entry in entries:
                    await socket.send({"id": entry.id, "html": request.templates.render("entry.html", entry=entry)})
                    last = entry.id
            await anext(news)
