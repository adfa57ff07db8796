"""The server's side of a WebSocket over RSGI 1.6, as in Granian: without subprotocols, and without fields of a 101."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple

from antiphon.http.headers import Headers
from antiphon.testing.servers import rsgi
from antiphon.testing.servers.exchange import Head
from antiphon.testing.servers.socket_channel import SocketChannel
from antiphon.websockets.channel import NO_CODE, WebSocketClosed


class RSGIMessage(NamedTuple):
    """A message: its kind, 0 for the end, 1 for bytes and 2 for text, and its data."""

    kind: int
    data: str | bytes | None = None


class RSGISocketProtocol:
    """The protocol object of a handshake: it is accepted, or closed with a status."""

    def __init__(self, channel: SocketChannel) -> None:
        self._channel = channel

    def accept(self) -> "asyncio.Future[RSGISocketTransport]":
        """Return a future of the transport for the messages."""
        if self._channel.head is not None:
            raise rsgi.ProtocolError("RSGI protocol error")  # type: ignore[attr-defined]  # as there
        self._channel.accept([], None)
        return _future(_transport(self._channel))

    def close(self, status: int | None = None) -> tuple[int, bool]:
        """Refuse the handshake with a status, by default 403, or close the socket, always without a code."""
        if self._channel.head is None:
            self._channel.start(Head(status or 403, Headers([("content-length", "0")])))
            self._channel.finish()
            return status or 403, True
        self._channel.close(NO_CODE, "")
        return status or 0, False


class RSGISocketTransport:
    """The messages of an accepted socket."""

    def __init__(self, channel: SocketChannel) -> None:
        self._channel = channel

    def receive(self) -> "asyncio.Future[RSGIMessage]":
        """Return a future of the next message, or the end."""
        return _future(self._receive())

    async def _receive(self) -> RSGIMessage:
        try:
            message = await self._channel.next_message()
        except WebSocketClosed:
            return RSGIMessage(0)
        return RSGIMessage(2 if isinstance(message, str) else 1, message)

    def send_bytes(self, data: bytes) -> "asyncio.Future[None]":
        """Send bytes. Raises ProtocolClosed when the socket is closed."""
        return _future(self._send(data, bytes))

    def send_str(self, data: str) -> "asyncio.Future[None]":
        """Send text. Raises ProtocolClosed when the socket is closed."""
        return _future(self._send(data, str))

    async def _send(self, data: str | bytes, kind: type) -> None:
        if not isinstance(data, kind):
            raise self._channel.breach(f"a message that is sent here is {kind.__name__}, not {type(data).__name__}")
        if not await self._channel.put(data):
            raise self._channel.refuse_after_disconnect(rsgi.ProtocolClosed("RSGI transport is closed"))  # type: ignore[attr-defined]  # as there


async def _transport(channel: SocketChannel) -> RSGISocketTransport:
    return RSGISocketTransport(channel)


def _future(coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """Return a future, as Granian does: unlike a coroutine, it runs without being awaited."""
    return asyncio.get_running_loop().create_task(coroutine)
