"""What becomes of streams that fail, and of those that the client leaves."""

import json
from uuid import uuid4

from tests.contract.messages import ReceivedResponse, SentRequest
from tests.contract.peer import Peer
from tests.helpers.waiting import eventually

STREAMS = tuple((colour, kind) for colour in ("def", "async") for kind in ("blocking", "waiting"))
"""The colours of handlers, and of the iterators that they return."""


def failure_of_stream(peer: Peer, name: str) -> str:
    """What a client sees of a stream that fails, whatever its colours."""
    found = {_seen(peer.respond(SentRequest("GET", f"/{colour}/stream/{kind}/{name}"))) for colour, kind in STREAMS}
    return " or ".join(sorted(found))


def _seen(response: ReceivedResponse) -> str:
    if response.status != 200:
        return str(response.status)
    ending = "ended" if response.whole else "cut"
    return ending if response.body else f"200, {ending}"


def where_closed(peer: Peer, colour: str, kind: str) -> str:
    """Where a stream stood when it was closed because the client had gone away. Raises TimeoutError if it never was."""
    name = uuid4().hex
    peer.leave(SentRequest("GET", f"/{colour}/stream/{kind}/endless?name={name}"), b"tick")

    def look() -> str | None:
        response = peer.respond(SentRequest("GET", f"/{colour}/stream/closed/{name}"))
        where: str | None = json.loads(response.body)["closed"]
        return where

    return eventually(look, "the stream goes on although the client has gone")
