"""The frames of one WebSocket (RFC 6455 §5), read and written by wsproto: no I/O, no waiting."""

from io import StringIO
from typing import Any

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, TextMessage
from wsproto.extensions import PerMessageDeflate

from antiphon.http.grammar import split_list, split_parameters
from antiphon.http.limits import NO_BOUND
from antiphon.websockets.channel import WebSocketMessage
from antiphon.websockets.closing import ABNORMAL, TOO_BIG, WebSocketClosed, shortened

SMALLEST_PIECE = 4 << 10
"""Bytes of compressed data that are decompressed at once, at least: 4 MiB at most (RFC 1951 can't do better)."""


class Frames:
    """The frames of one connection, on the server's side.

    ``extension`` is the negotiated compression. ``replies`` has the bytes to send in answer to frames.
    """

    def __init__(self, extension: PerMessageDeflate | None = None) -> None:
        self.limit = NO_BOUND
        """The most bytes of a message: a longer one ends the connection with 1009, before it is whole."""
        self.replies = bytearray()
        self.end: WebSocketClosed | None = None
        """The end of the connection, by the client or because of its frames; None before that."""
        self.is_closing = False
        """True once this side has sent its end."""
        self._connection = Connection(ConnectionType.SERVER, extensions=[extension] if extension else [])
        self._is_compressed = extension is not None
        self._unread = memoryview(b"")
        self._text = StringIO()
        self._bytes = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the network, when no message is left in the earlier ones; no bytes mean that the connection
        has ended.
        """
        if not data:
            self._end(WebSocketClosed(ABNORMAL))
        self._unread = memoryview(data)

    def next_message(self) -> WebSocketMessage | None:
        """Return the next message in the received bytes; None if it is not whole yet, or the connection has ended."""
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
        """Take a part of the received bytes that can't decompress to more than a few times the limit."""
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
        """Add a part to the message; return the message when it is whole."""
        self._size += len(event.data)  # for text in characters: bytes are counted when it is whole
        if self._size > self.limit:
            self.replies += self.close(TOO_BIG, f"A message has at most {self.limit} bytes.")
            self._end(WebSocketClosed(TOO_BIG, f"A message has at most {self.limit} bytes."))
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
        """Answer the client's end, or end the connection for a frame that breaks the rules."""
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
        """Return the frame that the client has to answer; none if the connection ends."""
        return b"" if self.is_closing or self.end else self._connection.send(Ping())

    def close(self, code: int, reason: str) -> bytes:
        """Return the frame of the end; none if it was sent."""
        if self.is_closing or self.end is not None:
            return b""
        self.is_closing = True
        return self._connection.send(CloseConnection(code, reason or None))


def agreed_extension(offers: str) -> tuple[PerMessageDeflate, str] | None:
    """Return the compression of the first offer that can be met, and the answer to it (RFC 7692 §7); None without one.

    ``offers`` is the value of Sec-WebSocket-Extensions.
    """
    for offer in split_list(offers):
        name, _, written = offer.partition(";")
        parameters = split_parameters(written) if written else []
        if name.strip().lower() == PerMessageDeflate.name and _can_be_met(parameters):
            extension = PerMessageDeflate()
            asked = [f"{name}={value}" if value else name for name, value in parameters]
            answer = extension.accept("; ".join([PerMessageDeflate.name, *asked]))
            return extension, f"{PerMessageDeflate.name}; {answer}" if answer else PerMessageDeflate.name
    return None


def _can_be_met(parameters: list[tuple[str, str]]) -> bool:
    """True if an offer has only parameters of RFC 7692 §7.1, each once, with values that zlib can have."""
    names = [name for name, _ in parameters]
    return len({*names}) == len(names) and all(_is_known(name, value) for name, value in parameters)


def _is_known(name: str, value: str) -> bool:
    if not value:
        return name in ("client_no_context_takeover", "server_no_context_takeover", "client_max_window_bits")
    is_window = name in ("client_max_window_bits", "server_max_window_bits")
    return is_window and value in ("9", "10", "11", "12", "13", "14", "15")
