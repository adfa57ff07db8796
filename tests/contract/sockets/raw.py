"""A client that sends frames byte by byte, also those that no client may send, and tells what comes back."""

import socket
import struct
import zlib
from types import TracebackType
from typing import Self

from tests.contract.wire import SentRequest
from tests.helpers.waiting import DEADLINE

HANDSHAKE = (
    ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)  # fmt: skip
"""The fields of a handshake (RFC 6455 §4.1)."""

CONTINUATION, TEXT, BYTES, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {CONTINUATION: "continuation", TEXT: "text", BYTES: "bytes", CLOSE: "close", PING: "ping", PONG: "pong"}
MASK = b"\x37\xfa\x21\x3d"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    is_last: bool = True,
    reserved: int = 0,
    is_masked: bool = True,
    length: bytes | None = None,
) -> bytes:
    """Return a frame (RFC 6455 §5.2); ``length`` replaces the field that tells its payload's length."""
    size = len(payload)
    if length is None:
        wide = b"" if size < 126 else struct.pack("!H", size) if size < 1 << 16 else struct.pack("!Q", size)
        length = bytes([{0: size, 2: 126, 8: 127}[len(wide)]]) + wide
    head = bytes([is_last << 7 | reserved << 4 | opcode, is_masked << 7 | length[0]]) + length[1:]
    if not is_masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))


def close(code: int, reason: bytes = b"") -> bytes:
    """Return the frame of an end."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


class RawClient:
    """A WebSocket on which bytes are sent as they are."""

    def __init__(self, port: int, path: str = "/echo", extensions: str | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        fields = (*HANDSHAKE, ("Sec-WebSocket-Extensions", extensions)) if extensions else HANDSHAKE
        self.send(SentRequest("GET", path, fields).encoded)
        self._inflate = zlib.decompressobj(wbits=-15)
        self._input = self._socket.makefile("rb")
        assert b" 101 " in self._input.readline()
        self.fields = b"".join(iter(self._input.readline, b"\r\n")).decode().lower()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._input.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def told(self) -> str | None:
        """Wait for a frame, and return it as text: `text Hello`, `close 1002`; None when the connection is closed."""
        try:
            head = self._input.read(2)
            if len(head) < 2:
                return None
            size = head[1]
            if size >= 126:
                size = int.from_bytes(self._input.read(2 if size == 126 else 8))
            payload = self._input.read(size)
        except ConnectionResetError:
            return None
        opcode = head[0] & 15
        if head[0] & 64:  # compressed
            payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
        if opcode == CLOSE:
            return f"close {struct.unpack('!H', payload[:2])[0]}" if payload else "close"
        return f"{NAMES[opcode]} {payload.decode('latin-1') if len(payload) < 200 else f'of {len(payload)}'}".rstrip(
            " "
        )
