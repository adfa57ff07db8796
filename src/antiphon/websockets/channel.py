"""The interface between a WebSocket and the server that carries its messages."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from antiphon.http.errors import HTTPError
from antiphon.http.head import Head, server_head

WebSocketMessage: TypeAlias = str | bytes
"""A message: text, or bytes."""


class Channel(Protocol):
    """The messages of one connection, as a server gives and takes them, on its event loop.

    A message that the client has not taken yet makes ``send`` wait, if the server limits its buffers.
    """

    limit: int
    """The most bytes of a message, for those that read its frames: they end the connection before it is whole."""

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers, in order of preference (RFC 6455 §1.9)."""
        ...

    async def receive(self) -> WebSocketMessage:
        """Wait for the next message. Raises WebSocketClosed."""
        ...

    async def send(self, message: WebSocketMessage) -> None:
        """Send a message. Raises WebSocketClosed if the client has left."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close the connection. Does nothing if the client has left."""
        ...


def refusal_of(head: Head) -> HTTPError | None:
    """Return the error for a handshake that opens no WebSocket, whatever its route; None if there is none."""
    return getattr(server_head(head), "refusal", None)


def channel_of(head: Head) -> Channel | None:
    """Return the channel of a handshake's head; None for the head of any other request."""
    return getattr(head, "channel", None)
