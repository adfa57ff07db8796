"""Frames that clients send, good and bad: what Antiphon makes of them over WSGI, and Uvicorn beside it.

The rows follow the families of the Autobahn suite: framing, pings, reserved bits, opcodes, fragments, UTF-8, ends.
"""

import zlib
from collections.abc import Iterator

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SOCKET_SERVERS
from tests.contract.sockets.raw import BYTES, CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, close, frame

pytestmark = [pytest.mark.processes, pytest.mark.once]
APPLICATION = "tests.contract.sockets.application:app"
FRAMED_HERE, REFERENCE = "Gunicorn, gthread", "Uvicorn, websockets"
LEAVE = close(1000)
BROKEN, NOT_TEXT = ["close 1002"], ["close 1007"]


def parts(*payloads: bytes, opcode: int = TEXT) -> bytes:
    """Return a message in frames."""
    last = len(payloads) - 1
    opcodes = [opcode] + [CONTINUATION] * last
    return b"".join(
        frame(kind, payload, is_last=number == last)
        for number, (kind, payload) in enumerate(zip(opcodes, payloads, strict=True))
    )


def of_size(number: int) -> tuple[str, bytes, list[str]]:
    """Return the row of a message of so many bytes."""
    told = "x" * number if number < 200 else f"of {number}"
    return f"{number} bytes", frame(BYTES, b"x" * number), [f"bytes {told}".strip()]


ROWS = [
    *map(of_size, (0, 1, 125, 126, 127, 128, 65_535, 65_536, 1 << 20)),
    ("text without a byte", frame(TEXT), ["text"]),
    ("a frame without a mask", frame(TEXT, b"a", is_masked=False), BROKEN),
    ("a length of 8 bytes with its first bit", frame(BYTES, length=b"\x7f\xff" + b"\x00" * 7), BROKEN),
    ("a frame in single bytes", frame(TEXT, b"slow"), ["text slow"]),
    ("two messages at once", frame(TEXT, b"a") + frame(TEXT, b"b"), ["text a", "text b"]),
    # Pings
    ("a ping", frame(PING, b"p" * 125), ["pong " + "p" * 125]),
    ("a ping without a payload", frame(PING), ["pong"]),
    ("ten pings", b"".join(frame(PING, b"%d" % n) for n in range(10)), [f"pong {n}" for n in range(10)]),
    ("a ping of 126 bytes", frame(PING, b"p" * 126), BROKEN),
    ("a pong that answers nothing", frame(PONG, b"x") + frame(TEXT, b"a"), ["text a"]),
    # Reserved bits and opcodes
    *((f"reserved bits {bits}", frame(TEXT, b"a", reserved=bits), BROKEN) for bits in (1, 2, 4)),
    ("reserved bits of a ping", frame(PING, reserved=4), BROKEN),
    *((f"opcode {opcode}", frame(opcode), BROKEN) for opcode in (3, 7, 11, 15)),
    # Fragments
    ("three fragments", parts(b"a", b"b", b"c"), ["text abc"]),
    ("fragments of which some are empty", parts(b"", b"b", b""), ["text b"]),
    ("fragments of bytes", parts(b"\xff", b"\xfe", opcode=BYTES), ["bytes \xff\xfe"]),
    ("a ping between fragments", frame(TEXT, b"a", is_last=False) + frame(PING, b"p") + frame(CONTINUATION, b"b"),
     ["pong p", "text ab"]),
    ("a continuation of nothing", frame(CONTINUATION, b"a"), BROKEN),
    ("a message in a message", frame(TEXT, b"a", is_last=False) + frame(TEXT, b"b"), BROKEN),
    ("a ping in fragments", frame(PING, b"a", is_last=False), BROKEN),
    # UTF-8
    ("a character over two fragments", parts(b"\xce", b"\xba"), ["text \xce\xba"]),
    ("a character that is cut off", parts(b"a", b"\xf4\x90"), NOT_TEXT),
    ("a wrong byte in a fragment, before the last", frame(TEXT, b"a\xff", is_last=False), NOT_TEXT),
    *((f"text {payload.hex()}", frame(TEXT, payload), NOT_TEXT)
      for payload in (b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xfe", b"a\x80")),
    ("the last character", frame(TEXT, b"\xf4\x8f\xbf\xbf"), ["text \xf4\x8f\xbf\xbf"]),
    # Ends
    ("an end without a code", frame(CLOSE), ["close"]),
    ("an end of one byte", frame(CLOSE, b"\x03"), BROKEN),
    ("an end of 126 bytes", frame(CLOSE, b"\x03\xe8" + b"r" * 124), BROKEN),
    ("an end whose reason is not UTF-8", close(1000, b"\xff"), NOT_TEXT),
    ("messages after the end", close(1000) + frame(TEXT, b"a") + frame(PING), ["close 1000"]),
    *((f"an end with {code}", close(code, b"r" * 123), [f"close {code}"])
      for code in (1000, 1001, 1002, 1003, 1007, 1011, 3000, 3999, 4000, 4999)),
    *((f"an end with {code}", close(code), BROKEN)
      for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535)),
]  # fmt: skip


REFERENCE_SAYS = {
    "a length of 8 bytes with its first bit": ["close 1009"],
    "what can't be decompressed": ["close 1002"],
}
REFERENCE_WAITS = ("a wrong byte in a fragment, before the last",)
"""Rows in which it reads the whole message before it looks at it."""


@pytest.fixture(scope="module", params=[FRAMED_HERE, REFERENCE])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, ServerProcess]]:
    server = next(server for server in SOCKET_SERVERS if server.name == request.param)
    with ServerProcess(server.command, APPLICATION) as process:
        yield request.param, process


@pytest.mark.parametrize(("name", "sent", "told"), ROWS, ids=[row[0] for row in ROWS])
def test_frames(served: tuple[str, ServerProcess], name: str, sent: bytes, told: list[str]) -> None:
    server, process = served
    if server == REFERENCE and name in REFERENCE_WAITS:
        return
    with RawClient(process.port) as client:
        for piece in [sent[index : index + 1] for index in range(len(sent))] if "single" in name else [sent]:
            client.send(piece)
        wanted = REFERENCE_SAYS.get(name, told) if server == REFERENCE else told
        for each in wanted:
            assert client.told() == each
        if not wanted[-1].startswith("close"):
            client.send(LEAVE)
            assert client.told() == "close 1000"
        assert client.told() is None, "the connection stays open"


def deflated(payload: bytes) -> bytes:
    """Return the payload of a compressed message (RFC 7692 §7.2.1)."""
    deflate = zlib.compressobj(wbits=-15)
    return (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


COMPRESSED = 4
"""The reserved bit of a compressed message."""
COMPRESSED_ROWS = [
    ("a message", frame(TEXT, deflated(b"hello" + b" hello" * 19), reserved=COMPRESSED), "text" + " hello" * 20),
    ("a message that is not compressed", frame(TEXT, b"plain"), "text plain"),
    ("a message of 16 MiB in 16 KiB", frame(BYTES, deflated(bytes(1 << 24)), reserved=COMPRESSED), "close 1009"),
    ("what can't be decompressed", frame(TEXT, b"\xff\xff\xff", reserved=COMPRESSED), "close 1007"),
    ("a compressed ping", frame(PING, deflated(b"p"), reserved=COMPRESSED), "close 1002"),
    ("a fragment that is marked again", frame(TEXT, deflated(b"a"), is_last=False, reserved=COMPRESSED)
     + frame(CONTINUATION, reserved=COMPRESSED), "close 1002"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sent", "told"), COMPRESSED_ROWS, ids=[row[0] for row in COMPRESSED_ROWS])
def test_compressed_frames(served: tuple[str, ServerProcess], name: str, sent: bytes, told: str) -> None:
    with RawClient(served[1].port, extensions="permessage-deflate") as client:
        assert "permessage-deflate" in client.fields
        client.send(sent)
        assert [client.told()] == (REFERENCE_SAYS.get(name, [told]) if served[0] == REFERENCE else [told])


def test_message_beyond_the_limit_is_refused_before_it_is_whole(served: tuple[str, ServerProcess]) -> None:
    server, process = served
    if server == FRAMED_HERE:
        with RawClient(process.port) as client:
            client.send(frame(BYTES, bytes((1 << 20) + 1), length=b"\x7f" + (1 << 40).to_bytes(8)))
            assert client.told() == "close 1009"
