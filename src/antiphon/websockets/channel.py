"""The interface between a WebSocket and the server that carries its messages, and how a WebSocket ends."""

import asyncio
from collections import deque
from collections.abc import Sequence
from sys import getsizeof
from typing import Final, Protocol, TypeAlias

from antiphon.explanations import explained
from antiphon.http.errors import HTTPError
from antiphon.http.grammar import split_list
from antiphon.http.head import Head, server_head

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
NO_CODE: Final = 1005
"""The code that represents closing without a code."""
ABNORMAL: Final = 1006
"""The code for a lost connection."""
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009
FAILED: Final = 1011
RESTARTING: Final = 1012

LONGEST_REASON: Final = 123
"""The maximum length of a reason, in bytes of UTF-8 (RFC 6455 §5.5)."""

_NEVER_SENT = (1004, NO_CODE, ABNORMAL, 1015)


class WebSocketClosed(Exception):
    """How a WebSocket was closed: the ``code`` and the ``reason`` from the side that closed it (RFC 6455 §7.4).

    1005 means that it was closed without a code, 1006 that the connection was lost.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the WebSocket is closed, with {self.code}{f': {self.reason}' if self.reason else ''}"


def check_close(code: int, reason: str) -> None:
    """Check a code and a reason before they are sent.

    Raises ValueError for a code that applications can't send, and for a reason longer than 123 bytes.
    """
    is_defined = 1000 <= code <= 1014 and code not in _NEVER_SENT
    if not (is_defined or 3000 <= code <= 4999):
        raise explained(
            "bad-close", f"a WebSocket must be closed with a code of 1000 to 1014, or 3000 to 4999, not {code!r}"
        )
    if len(reason.encode()) > LONGEST_REASON:
        raise explained("bad-close", f"a close reason must have at most {LONGEST_REASON} bytes of UTF-8")


def shortened(reason: str) -> str:
    """Return as much of a reason as can be sent."""
    return reason.encode("utf-8", "replace")[:LONGEST_REASON].decode("utf-8", "ignore")


WebSocketMessage: TypeAlias = str | bytes
"""A message: text, or bytes."""

MOST_UNREAD: Final = 1 << 20
"""The maximum size, in bytes, of the messages that a handler has not received. Further messages stay with the
server.
"""
STANDSTILL: Final = 60.0
"""The seconds for which messages may stay with the server while a handler receives none. They hide the end of the
connection.
"""


class Channel(Protocol):
    """The messages of one connection, as a server receives and sends them, on its event loop.

    If the server limits its buffers, ``send`` waits while the client has not accepted a message.
    """

    limit: int
    """The maximum size of a message in bytes. Channels that read frames disconnect before a longer message is
    complete.
    """

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


class UnreadMessages:
    """Messages that have arrived while their handler was busy."""

    __slots__ = ("_messages", "_size", "_taken")

    def __init__(self) -> None:
        self._messages: deque[WebSocketMessage] = deque()
        self._size = 0
        self._taken: asyncio.Future[None] | None = None
        """A future that is done when a message is received; None if nothing is waiting for it."""

    def __bool__(self) -> bool:
        return bool(self._messages)

    def put(self, message: WebSocketMessage) -> None:
        """Add a message."""
        self._messages.append(message)
        self._size += getsizeof(message)

    def take(self) -> WebSocketMessage:
        """Return the first message."""
        message = self._messages.popleft()
        self._size -= getsizeof(message)
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)
        return message

    async def wait_room(self) -> None:
        """Wait until there is room for another message. Raises TimeoutError if none is received for too long."""
        while self._size > MOST_UNREAD:
            self._taken = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(STANDSTILL):
                await self._taken


def is_handshake(method: str, upgrade: str | None) -> bool:
    """Return True for the method and the Upgrade header of a WebSocket handshake (RFC 6455 §4.2.1)."""
    return method == "GET" and upgrade is not None and "websocket" in split_list(upgrade.lower())


def refusal_of(head: Head) -> HTTPError | None:
    """Return the error for a handshake that can't open a WebSocket on any route, or None."""
    return getattr(server_head(head), "refusal", None)
