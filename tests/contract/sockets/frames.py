"""Frames that clients send, good and bad, what servers should send back (RFC 6455), and a client that tells what comes.

The cases follow the families of the Autobahn suite: framing, pings, reserved bits, opcodes, fragments, UTF-8, ends.
"""

import socket
import struct
import zlib
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from tests.contract.wire import SentRequest
from tests.helpers.waiting import DEADLINE

HANDSHAKE = (
    ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)  # fmt: skip
"""The fields of a handshake (RFC 6455 §4.1)."""

CONTINUATION, TEXT, BYTES, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {CONTINUATION: "continuation", TEXT: "text", BYTES: "bytes", CLOSE: "close", PING: "ping", PONG: "pong"}
CUT, NO_END, NOT_COMPRESSED = "cut", "no end", "not compressed"
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
    mask = (MASK * (size // 4 + 1))[:size]
    return head + MASK + (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(size)


def close(code: int, reason: bytes = b"") -> bytes:
    """Return the frame of an end."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


class FrameCase(NamedTuple):
    """Bytes that a client sends, and the frames that come back before both sides have closed the connection.

    The client closes it with 1000 when it has got as many frames as it wants, unless the last of them is the end.
    """

    name: str
    sent: bytes
    told: tuple[str, ...]
    extensions: str | None = None
    """The Sec-WebSocket-Extensions that the client offers; the case needs them."""

    @property
    def best(self) -> str:
        """The outcome as the RFC wants it."""
        return ", ".join(self.told if self._is_closed_by_server else (*self.told, "close 1000"))

    @property
    def _is_closed_by_server(self) -> bool:
        return self.told[-1].startswith("close")

    def outcome(self, port: int, patience: float = DEADLINE) -> str:
        """Return the frames that a server sends, and "no end" if it leaves the connection open for so many seconds."""
        told: list[str] = []
        with RawClient(port, extensions=self.extensions) as client, suppress(OSError):
            if self.extensions and self.extensions not in client.fields:
                return NOT_COMPRESSED
            client.patience = patience
            for piece in map(bytes, zip(self.sent, strict=True)) if "single" in self.name else [self.sent]:
                client.send(piece)
            while (each := client.told()) is not None:
                told.append(each)
                if len(told) == len(self.told):
                    client.send(LEAVE)  # which also answers an end of the server
        return ", ".join(told) or CUT


class RawClient:
    """A WebSocket on which bytes are sent as they are."""

    def __init__(self, port: int, path: str = "/echo", extensions: str | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.patience = DEADLINE
        """Seconds to wait for a frame."""
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
        self._socket.sendall(data)

    def told(self) -> str | None:
        """Wait for a frame, and return it as text: `text Hello`, `close 1002`; None when the connection is closed.

        "no end" if nothing comes; None after that.
        """
        if not self.patience:
            return None
        self._socket.settimeout(self.patience)
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
        except TimeoutError:
            self.patience = 0
            return NO_END
        opcode = head[0] & 15
        if head[0] & 64:  # compressed
            payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
        if opcode == CLOSE:
            return f"close {struct.unpack('!H', payload[:2])[0]}" if payload else "close"
        return f"{NAMES[opcode]} {payload.decode('latin-1') if len(payload) < 200 else f'of {len(payload)}'}".rstrip(
            " "
        )


LEAVE = close(1000)
BROKEN, NOT_TEXT = "close 1002", "close 1007"
COMPRESSED = 4
"""The reserved bit of a compressed message."""


def parts(*payloads: bytes, opcode: int = TEXT, between: bytes = b"") -> bytes:
    """Return a message in frames, with other frames between them."""
    last = len(payloads) - 1
    opcodes = [opcode] + [CONTINUATION] * last
    return between.join(
        frame(kind, payload, is_last=number == last)
        for number, (kind, payload) in enumerate(zip(opcodes, payloads, strict=True))
    )


def deflated(payload: bytes) -> bytes:
    """Return the payload of a compressed message (RFC 7692 §7.2.1)."""
    deflate = zlib.compressobj(wbits=-15)
    return (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def case(name: str, sent: bytes, *told: str) -> FrameCase:
    return FrameCase(name, sent, told)


def compressed(name: str, sent: bytes, *told: str) -> FrameCase:
    return FrameCase(f"compressed: {name}", sent, told, "permessage-deflate")


def of_size(number: int) -> FrameCase:
    told = "x" * number if number < 200 else f"of {number}"
    return case(f"{number} bytes", frame(BYTES, b"x" * number), f"bytes {told}".strip())


LENGTHS = (
    *map(of_size, (0, 1, 125, 126, 127, 128, 65_535, 65_536, 1 << 20)),
    case("text without a byte", frame(TEXT), "text"),
    case("a frame without a mask", frame(TEXT, b"a", is_masked=False), BROKEN),
    case("a ping without a mask", frame(PING, is_masked=False), BROKEN),
    case("a length of 2 bytes for 1", frame(TEXT, b"a", length=b"\x7e\x00\x01"), BROKEN),
    case("a length of 8 bytes for 1", frame(TEXT, b"a", length=b"\x7f" + (1).to_bytes(8)), BROKEN),
    case("a length of 8 bytes with its first bit", frame(BYTES, length=b"\x7f\xff" + b"\x00" * 7), BROKEN),
    case("a frame in single bytes", frame(TEXT, b"slow"), "text slow"),
    case("two messages at once", frame(TEXT, b"a") + frame(TEXT, b"b"), "text a", "text b"),
)  # fmt: skip
PINGS = (
    case("a ping", frame(PING, b"p" * 125), "pong " + "p" * 125),
    case("a ping without a payload", frame(PING), "pong"),
    case("ten pings", b"".join(frame(PING, b"%d" % n) for n in range(10)), *(f"pong {n}" for n in range(10))),
    case("a ping of 126 bytes", frame(PING, b"p" * 126), BROKEN),
    case("a pong of 126 bytes", frame(PONG, b"p" * 126), BROKEN),
    case("a pong that answers nothing", frame(PONG, b"x") + frame(TEXT, b"a"), "text a"),
)  # fmt: skip
RESERVED = (
    *(case(f"reserved bits {bits}", frame(TEXT, b"a", reserved=bits), BROKEN) for bits in (1, 2, 4)),
    case("reserved bits of a ping", frame(PING, reserved=4), BROKEN),
    case("reserved bits of an end", frame(CLOSE, b"\x03\xe8", reserved=1), BROKEN),
    case("reserved bits of a continuation",
         frame(TEXT, b"a", is_last=False) + frame(CONTINUATION, b"b", reserved=2), BROKEN),
    *(case(f"opcode {opcode}", frame(opcode), BROKEN) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
)  # fmt: skip
FRAGMENTS = (
    case("three fragments", parts(b"a", b"b", b"c"), "text abc"),
    case("fragments of which some are empty", parts(b"", b"b", b""), "text b"),
    case("fragments of bytes", parts(b"\xff", b"\xfe", opcode=BYTES), "bytes \xff\xfe"),
    case("a ping between fragments", parts(b"a", b"b", between=frame(PING, b"p")), "pong p", "text ab"),
    case("a pong between fragments", parts(b"a", b"b", between=frame(PONG, b"p")), "text ab"),
    case("an end between fragments", frame(TEXT, b"a", is_last=False) + close(1000), "close 1000"),
    case("a continuation of nothing", frame(CONTINUATION, b"a"), BROKEN),
    case("a continuation after a message", parts(b"a", b"b") + frame(CONTINUATION, b"c"), "text ab", BROKEN),
    case("a message in a message", frame(TEXT, b"a", is_last=False) + frame(TEXT, b"b"), BROKEN),
    case("bytes in a text", frame(TEXT, b"a", is_last=False) + frame(BYTES, b"b"), BROKEN),
    case("a ping in fragments", frame(PING, b"a", is_last=False), BROKEN),
    case("an end in fragments", frame(CLOSE, b"\x03\xe8", is_last=False), BROKEN),
)  # fmt: skip
TEXTS = (
    case("a character over two fragments", parts(b"\xce", b"\xba"), "text \xce\xba"),
    case("a character over four fragments, with pings",
         parts(b"\xf0", b"\x9f", b"\x98", b"\x80", between=frame(PING)), *["pong"] * 3, "text \xf0\x9f\x98\x80"),
    case("a character that is cut off", parts(b"a", b"\xf4\x90"), NOT_TEXT),
    case("a character that the end of the message cuts off", frame(TEXT, b"a\xce"), NOT_TEXT),
    case("a surrogate over two fragments", parts(b"\xed", b"\xa0\x80"), NOT_TEXT),
    case("a wrong byte in a fragment, before the last", frame(TEXT, b"a\xff", is_last=False), NOT_TEXT),
    *(case(f"text {payload.hex()}", frame(TEXT, payload), NOT_TEXT)
      for payload in (b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xfe", b"a\x80")),
    case("the last character", frame(TEXT, b"\xf4\x8f\xbf\xbf"), "text \xf4\x8f\xbf\xbf"),
)  # fmt: skip
ENDS = (
    case("an end without a code", frame(CLOSE), "close"),
    case("an end of one byte", frame(CLOSE, b"\x03"), BROKEN),
    case("an end of 126 bytes", frame(CLOSE, b"\x03\xe8" + b"r" * 124), BROKEN),
    case("an end whose reason is not UTF-8", close(1000, b"\xff"), NOT_TEXT),
    case("messages after the end", close(1000) + frame(TEXT, b"a") + frame(PING), "close 1000"),
    *(case(f"an end with {code}", close(code, b"r" * 123), f"close {code}")
      for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)),
    *(case(f"an end with {code}", close(code), BROKEN)
      for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)),
)  # fmt: skip
COMPRESSION = (
    compressed("a message", frame(TEXT, deflated(b"hello" + b" hello" * 19), reserved=COMPRESSED),
               "text" + " hello" * 20),
    compressed("a message that is not compressed", frame(TEXT, b"plain"), "text plain"),
    compressed("a message of 16 MiB in 16 KiB", frame(BYTES, deflated(bytes(1 << 24)), reserved=COMPRESSED),
               "close 1009"),
    compressed("what can't be decompressed", frame(TEXT, b"\xff\xff\xff", reserved=COMPRESSED), NOT_TEXT),
    compressed("a ping", frame(PING, deflated(b"p"), reserved=COMPRESSED), BROKEN),
    compressed("a fragment that is marked again", frame(TEXT, deflated(b"a"), is_last=False, reserved=COMPRESSED)
               + frame(CONTINUATION, reserved=COMPRESSED), BROKEN),
)  # fmt: skip
FAMILIES: dict[str, tuple[FrameCase, ...]] = {
    "Masks and lengths": LENGTHS, "Pings and pongs": PINGS, "Reserved bits and opcodes": RESERVED,
    "Fragments": FRAGMENTS, "UTF-8": TEXTS, "Ends": ENDS, "Compression": COMPRESSION,
}  # fmt: skip
"""What clients may send, and what they must not. The application returns messages as they are."""
CASES = [each for family in FAMILIES.values() for each in family]


def refused(*, by: str) -> dict[str, str]:
    """Return the outcomes of a server that ends the connection otherwise for frames that break the rules."""
    is_cut = by == CUT
    echoed = {"an end with 1002", "an end with 1007"}
    broken = [each for each in CASES if each.told[-1] in (BROKEN, NOT_TEXT) and each.name not in echoed]
    return {each.name: by if is_cut else ", ".join((*each.told[:-1], by)) for each in broken}


_PADDED = {f"a length of {size} bytes for 1": "text a, close 1000" for size in (2, 8)}
_GRANIAN = (
    refused(by="close")
    | _PADDED
    | {each.name: each.best for each in ENDS if each.name.startswith("an end with ")}
    | {each.name: NOT_COMPRESSED for each in COMPRESSION}
)
FRAME_GAPS: dict[str, dict[str, str]] = {
    "Granian, ASGI": _GRANIAN,
    "Granian, RSGI": _GRANIAN,
    "Uvicorn, websockets": _PADDED
    | {
        "a length of 8 bytes with its first bit": "close 1009",
        "a continuation after a message": "close 1002",
        "an end between fragments": "close 1002",
        "a wrong byte in a fragment, before the last": NO_END,
        "compressed: what can't be decompressed": "close 1002",
    },
    "Uvicorn, wsproto": refused(by=CUT),
    "Hypercorn": refused(by=CUT),
    "Gunicorn, gthread": {},
}
"""The outcomes that differ, by server and case. Over WSGI there are none: Antiphon itself reads the frames there."""
