"""The checks of each WebSocket handshake: that it is one, and that no page of another site makes it."""

from functools import partial
from typing import Any

from antiphon.app.answering.hooks import Hook
from antiphon.app.planning.guard import Guard
from antiphon.http.errors import NotImplementedByServer, UpgradeRequired
from antiphon.http.head import server_head
from antiphon.request.request import Request

SERVERS = "`antiphon run` with --interface asgi, Uvicorn, Hypercorn or Granian"


def handshake_check(guard: Guard | None) -> Hook:
    """Return the hook that refuses requests that are no handshakes, and, by a guard, those of other sites' pages."""
    return Hook(partial(_check_handshake, guard), False)


def _check_handshake(guard: Guard | None, request: Request) -> None:
    head: Any = server_head(request.head)
    if getattr(head, "channel", None) is None:
        if (request.head.field("upgrade") or "").lower() == "websocket":
            raise NotImplementedByServer(f"This server has no WebSockets: serve the application by {SERVERS}.")
        raise UpgradeRequired("This is for WebSockets.", upgrade="websocket")
    if guard is not None and (error := guard.refused_handshake(request)):
        raise error
