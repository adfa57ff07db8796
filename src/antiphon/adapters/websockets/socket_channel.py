"""The messages of a connection whose socket a WSGI server exposes, framed here on the background loop."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from io import StringIO
from typing import Any

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, TextMessage
from wsproto.extensions import PerMessageDeflate

from antiphon.http.grammar import split_list, split_parameters
from antiphon.http.limits import NO_BOUND
from antiphon.websockets.channel import ABNORMAL, TOO_BIG, WebSocketClosed, WebSocketMessage, shortened
from antiphon.websockets.connection import CLOSING

SMALLEST_PIECE = 4 << 10
"""The number of bytes of compressed data to decompress at once: 4 MiB at most (RFC 1951 can't do better)."""


class Frames:
    """The frames on one connection, on the server's side.

    ``extension`` is the negotiated compression. ``replies`` contains the bytes to send in reply to frames.
    """

    def __init__(self, extension: PerMessageDeflate | None = None) -> None:
        self.limit = NO_BOUND
        """The maximum size of a message in bytes. A longer message ends the connection with 1009, before all of it has
        arrived.
        """
        self.replies = bytearray()
        self.end: WebSocketClosed | None = None
        """How the connection ended, by the client or because of its frames; None while it is open."""
        self.is_closing = False
        """True once this side has sent its close."""
        self._connection = Connection(ConnectionType.SERVER, extensions=[extension] if extension else [])
        self._is_compressed = extension is not None
        self._unread = memoryview(b"")
        self._text = StringIO()
        self._bytes = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Accept bytes from the network; b"" means that the connection has ended. Call this only when the earlier bytes
        contain no more messages.
        """
        if not data:
            self._end(WebSocketClosed(ABNORMAL))
        self._unread = memoryview(data)

    def next_message(self) -> WebSocketMessage | None:
        """Return the next message in the received bytes; None if it is incomplete or the connection has ended."""
        while self.end is None:
            for event in self._connection.events():
                message = self._handle(event)
                if message is not None:
                    return message
                if self.end is not None:
                    return None
            if not self._unread:
                return None
            self._connection.receive_data(self._next_piece())  # type: ignore[arg-type]  # any bytes-like object will do
        return None

    def _next_piece(self) -> memoryview:
        """Take a piece of the received bytes that can't decompress to more than a few times the limit."""
        # Deflate makes 1,032 bytes of one at most (RFC 1951): some four times the limit.
        size = max(SMALLEST_PIECE, self.limit >> 8) if self._is_compressed else len(self._unread)
        piece, self._unread = self._unread[:size], self._unread[size:]
        return piece

    def _handle(self, event: Event) -> WebSocketMessage | None:
        if isinstance(event, Message):
            return self._join(event)
        if isinstance(event, Ping):
            if not self.is_closing:
                self.replies += self._connection.send(event.response())
        elif isinstance(event, CloseConnection):
            self._close(event)
        return None

    def _join(self, event: "Message[Any]") -> WebSocketMessage | None:
        """Add a piece to the message; return the message once it is complete."""
        self._size += len(event.data)  # characters, for text: its bytes are counted when it is complete
        if self._size > self.limit:
            self.replies += self.close(TOO_BIG, f"A message may have at most {self.limit} bytes.")
            self._end(WebSocketClosed(TOO_BIG, f"A message may have at most {self.limit} bytes."))
            return None
        is_first = self._size == len(event.data)
        if event.message_finished:
            self._size = 0
            if is_first:
                return event.data if isinstance(event, TextMessage) else bytes(event.data)
        if isinstance(event, TextMessage):
            self._text.write(event.data)
            return self._whole_text() if event.message_finished else None
        self._bytes += event.data
        return self._whole_bytes() if event.message_finished else None

    def _whole_text(self) -> str:
        text, self._text = self._text.getvalue(), StringIO()
        return text

    def _whole_bytes(self) -> bytes:
        data, self._bytes = bytes(self._bytes), bytearray()
        return data

    def _close(self, event: CloseConnection) -> None:
        """Reply to the client's close frame, or end the connection because of an invalid frame."""
        state, code, reason = self._connection.state, int(event.code), event.reason or ""
        if state is ConnectionState.REMOTE_CLOSING:
            self.replies += self._connection.send(event.response())
            self.is_closing = True
        elif state is ConnectionState.OPEN:
            reason = shortened(reason)
            self.replies += self.close(code, reason)
        self._end(WebSocketClosed(code, reason))

    def _end(self, end: WebSocketClosed) -> None:
        self.end = self.end or end
        self._unread = memoryview(b"")

    # To the client

    def encoded(self, message: WebSocketMessage) -> bytes:
        """Return the frame of a message."""
        event = TextMessage(message) if isinstance(message, str) else BytesMessage(message)
        return self._connection.send(event)

    def ping(self) -> bytes:
        """Return a ping, to which the client must reply; empty if the connection is ending."""
        return b"" if self.is_closing or self.end else self._connection.send(Ping())

    def close(self, code: int, reason: str) -> bytes:
        """Return the close frame; empty if it was already sent."""
        if self.is_closing or self.end is not None:
            return b""
        self.is_closing = True
        return self._connection.send(CloseConnection(code, reason or None))


def agreed_extension(offers: str) -> tuple[PerMessageDeflate, str] | None:
    """Return the compression for the first acceptable offer, and the reply to it (RFC 7692 §7); None if there is none.

    ``offers`` is the value of Sec-WebSocket-Extensions.
    """
    for offer in split_list(offers):
        name, _, written = offer.partition(";")
        parameters = split_parameters(written) if written else []
        if name.strip().lower() == PerMessageDeflate.name and _can_be_met(parameters):
            extension = PerMessageDeflate()
            asked = [f"{name}={value}" if value else name for name, value in parameters]
            accepted = extension.accept("; ".join([PerMessageDeflate.name, *asked]))
            return extension, f"{PerMessageDeflate.name}; {accepted}" if accepted else PerMessageDeflate.name
    return None


def _can_be_met(parameters: list[tuple[str, str]]) -> bool:
    """Return True if an offer contains only parameters defined in RFC 7692 §7.1, each at most once, with values that
    zlib supports.
    """
    names = [name for name, _ in parameters]
    return len({*names}) == len(names) and all(_is_known(name, value) for name, value in parameters)


def _is_known(name: str, value: str) -> bool:
    if not value:
        return name in ("client_no_context_takeover", "server_no_context_takeover", "client_max_window_bits")
    is_window = name in ("client_max_window_bits", "server_max_window_bits")
    return is_window and value in ("9", "10", "11", "12", "13", "14", "15")


HEARTBEAT = 20.0
"""The seconds between two pings. A client that has sent nothing since the last ping, although its data is being read,
is considered gone.
"""
UNREAD = 64 << 10
"""The number of bytes to receive before a handler asks for them. Further bytes stay with the client."""


class SocketChannel:
    """The messages of a connection over a blocking socket, which is returned to the server at the end.

    The server's own object is never closed here, because servers close it and use it to count their connections.
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
        """The maximum number of bytes of a message."""
        return self._frames.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._frames.limit = limit

    async def open(self, head: bytes) -> None:
        """Send the head of the response to the handshake. Raises WebSocketClosed if the client has left."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self._link, sock=self._server_socket.dup())
        except OSError:
            self._link.connection_lost(None)
        await self._link.write(head)
        self._heartbeat = loop.call_later(HEARTBEAT, self._beat, context=Context())  # don't keep the task's context

    async def receive(self) -> WebSocketMessage:
        """Wait for the next message, and reply to pings in the meantime. Raises WebSocketClosed."""
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
        """Send the replies to the frames received so far. If the client has left, nothing is sent."""
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
        """Send the close frame, unless it has already been sent."""
        frame = self._frames.close(code, reason)
        with suppress(WebSocketClosed):
            await self._link.write(frame)

    def _beat(self) -> None:
        """Send a ping, or drop a client that has not replied to the last one."""
        if self._is_listening and not self._link.has_heard:
            self._link.abort()
            return
        self._link.has_heard = False
        self._link.write_soon(self._frames.ping())
        self._heartbeat = asyncio.get_running_loop().call_later(HEARTBEAT, self._beat, context=Context())

    async def shut(self) -> None:
        """Give the client a moment to reply to the close frame, then close the connection and return the socket."""
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
    """Replace the server's connection with one that has ended, so that the server doesn't treat later bytes as a
    request.

    Received bytes stay readable after a shutdown, and Werkzeug's server looks for another request.
    """
    with suppress(OSError):
        ours, other = socket.socketpair()
        other.close()
        with ours:
            os.dup2(ours.fileno(), server_socket.fileno(), inheritable=False)


class _Link(asyncio.Protocol):
    """The bytes of a connection in both directions, received only as requested."""

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
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a socket has such a transport
        self._transport = transport
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Store the received bytes and accept no more if there are many."""
        self.has_heard = True
        self._received += data
        if len(self._received) >= UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Record that no more bytes will come. The close frame can still be sent."""
        # What has arrived is still read: a close frame may be in it.
        self._is_over = True
        self._wake()
        # Otherwise asyncio would close the transport.
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own name
        """Wake all waiting tasks, because the connection is closed."""
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
        """Wait for bytes and return them, or b"" at the end."""
        while not (self._received or self._is_over):
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        received, self._received = bytes(self._received), bytearray()
        if self._transport is not None:
            self._transport.resume_reading()
        return received

    async def wait_writable(self) -> None:
        """Wait until the client has accepted enough of the sent data. Raises WebSocketClosed for a lost connection."""
        await self._writable.wait()
        if self._transport is None or self._transport.is_closing():
            raise WebSocketClosed(ABNORMAL)

    async def write(self, data: bytes) -> None:
        """Send bytes, completely or not at all, and wait if the client reads too slowly. Raises WebSocketClosed."""
        await self.wait_writable()
        self.write_soon(data)
        await self.wait_writable()

    def write_soon(self, data: bytes) -> None:
        """Send bytes without waiting."""
        if self._transport is not None and data and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Close the connection immediately."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close the connection when everything has been sent, or soon if the client does not accept the data."""
        if self._transport is None:
            return
        self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._lost.wait()
        # A client that accepts nothing would keep the connection open.
        self.abort()
        await self._lost.wait()
