"""The messages of a connection whose socket a WSGI server has handed out: framed here, on the background loop."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context

from antiphon.adapters.websockets.frames import Frames
from antiphon.websockets.channel import WebSocketMessage
from antiphon.websockets.closing import ABNORMAL, WebSocketClosed
from antiphon.websockets.connection import CLOSING

HEARTBEAT = 20.0
"""Seconds between two pings. A client that has sent nothing since the last one, while it was listened to, has left."""
UNREAD = 64 << 10
"""Bytes that are received before a handler wants them. Further ones stay with the client."""


class SocketChannel:
    """The messages of a connection, over a blocking socket, which the server gets back at the end.

    The server's own object is never closed here: servers do that, and count their connections with it.
    """

    def __init__(self, server_socket: socket.socket, subprotocols: Sequence[str], frames: Frames) -> None:
        self.subprotocols = subprotocols
        self._server_socket = server_socket
        self._frames = frames
        self._reading = asyncio.Lock()
        self._link = _Link()
        self._heartbeat: asyncio.TimerHandle | None = None
        self._is_listening = False

    @property
    def limit(self) -> int:
        """The most bytes of a message."""
        return self._frames.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._frames.limit = limit

    async def open(self, head: bytes) -> None:
        """Send the head that answers the handshake. Raises WebSocketClosed if the client has left."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self._link, sock=self._server_socket.dup())
        except OSError:
            self._link.connection_lost(None)
        await self._link.write(head)
        self._heartbeat = loop.call_later(HEARTBEAT, self._beat, context=Context())  # that of the task would be kept

    async def receive(self) -> WebSocketMessage:
        """Wait for the next message, and answer pings in the meantime. Raises WebSocketClosed."""
        async with self._reading:
            while (message := self._frames.next_message()) is None:
                await self._reply()
                if self._frames.end is not None:
                    raise WebSocketClosed(*self._frames.end.args)
                self._frames.feed(await self._read())
            await self._reply()
            return message

    async def _read(self) -> bytes:
        self._is_listening = True
        try:
            return await self._link.read()
        finally:
            self._is_listening = False

    async def _reply(self) -> None:
        """Send the answers to the frames so far. A client that has left needs none."""
        if replies := self._frames.replies:
            self._frames.replies = bytearray()
            with suppress(WebSocketClosed):
                await self._link.write(bytes(replies))

    async def send(self, message: WebSocketMessage) -> None:
        """Send a message. Raises WebSocketClosed."""
        await self._link.wait_writable()
        if self._frames.is_closing:
            raise WebSocketClosed(*(self._frames.end or WebSocketClosed(ABNORMAL)).args)
        await self._link.write(self._frames.encoded(message))

    async def close(self, code: int, reason: str) -> None:
        """Send the end, unless it was sent."""
        frame = self._frames.close(code, reason)
        with suppress(WebSocketClosed):
            await self._link.write(frame)

    def _beat(self) -> None:
        """Send a ping, or abandon a client that has not answered the last one."""
        if self._is_listening and not self._link.has_heard:
            self._link.abort()
            return
        self._link.has_heard = False
        self._link.write_soon(self._frames.ping())
        self._heartbeat = asyncio.get_running_loop().call_later(HEARTBEAT, self._beat, context=Context())

    async def shut(self) -> None:
        """Give the client a moment to answer the end, then close the connection and return the socket to the server."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        try:
            with suppress(WebSocketClosed, TimeoutError):
                async with asyncio.timeout(CLOSING):
                    while True:
                        await self.receive()
        finally:
            await self._link.close()
            _seal(self._server_socket)


def _seal(server_socket: socket.socket) -> None:
    """Replace the server's connection by one that has ended: it must not take later bytes for a request.

    Received bytes stay readable after a shutdown, and Werkzeug's server looks for another request.
    """
    with suppress(OSError):
        ours, other = socket.socketpair()
        other.close()
        with ours:
            os.dup2(ours.fileno(), server_socket.fileno(), inheritable=False)


class _Link(asyncio.Protocol):
    """The bytes of a connection, in both directions, no more of them than requested."""

    def __init__(self) -> None:
        self.has_heard = True
        """True if the client has sent anything since this was last set to False."""
        self._received = bytearray()
        self._is_over = False
        self._transport: asyncio.Transport | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._lost = asyncio.Event()

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is a socket's
        self._transport = transport
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Keep the received bytes, and take no more if these are many."""
        self.has_heard = True
        self._received += data
        if len(self._received) >= UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note that no more bytes come. The end can still be sent."""
        self._is_over = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        """Wake all waiting tasks: the connection is closed."""
        self._transport = None
        self._is_over = True
        self._wake()
        self._writable.set()
        self._lost.set()

    def pause_writing(self) -> None:
        """Make senders wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let senders continue."""
        self._writable.set()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    # Called by the channel

    async def read(self) -> bytes:
        """Wait for bytes; b"" at the end."""
        while not (self._received or self._is_over):
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        received, self._received = bytes(self._received), bytearray()
        if self._transport is not None:
            self._transport.resume_reading()
        return received

    async def wait_writable(self) -> None:
        """Wait until the client has taken enough of what was sent. Raises WebSocketClosed for a lost connection."""
        await self._writable.wait()
        if self._transport is None or self._transport.is_closing():
            raise WebSocketClosed(ABNORMAL)

    async def write(self, data: bytes) -> None:
        """Send bytes, whole or not at all, and wait while the client reads too slowly. Raises WebSocketClosed."""
        await self.wait_writable()
        self.write_soon(data)
        await self.wait_writable()

    def write_soon(self, data: bytes) -> None:
        """Send bytes without waiting."""
        if self._transport is not None and data and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close the connection when everything was sent, or soon if the client does not take it."""
        if self._transport is None:
            return
        self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._lost.wait()
        self.abort()
        await self._lost.wait()
