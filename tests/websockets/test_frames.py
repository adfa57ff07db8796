"""Frames on the server's side, without a connection: compression as it is agreed on, and its bounds."""

import tracemalloc
import zlib

import pytest

from antiphon.adapters.websockets.socket_channel import Frames, agreed_extension
from tests.contract.sockets.frames import BYTES, frame
from tests.helpers.rows import rows

pytestmark = pytest.mark.once
DEFLATE = "permessage-deflate"


@rows(
    "offers, answer",
    ("", None),
    ("x-webkit-deflate-frame", None),
    (DEFLATE, DEFLATE),
    (f"x-other, {DEFLATE}", DEFLATE),
    (f"{DEFLATE}; client_max_window_bits", f"{DEFLATE}; client_max_window_bits=15"),
    (f"{DEFLATE}; client_max_window_bits=10", f"{DEFLATE}; client_max_window_bits=10"),
    (f"{DEFLATE}; server_max_window_bits=9", f"{DEFLATE}; server_max_window_bits=9"),
    (f"{DEFLATE}; server_no_context_takeover", f"{DEFLATE}; server_no_context_takeover"),
    (f"{DEFLATE}; server_max_window_bits=8, {DEFLATE}", DEFLATE),  # zlib has no window of 8 bits
    (f"{DEFLATE}; server_max_window_bits", None),
    (f"{DEFLATE}; client_max_window_bits=16", None),
    (f"{DEFLATE}; client_max_window_bits=1e1", None),
    (f"{DEFLATE}; client_no_context_takeover=1", None),
    (f"{DEFLATE}; server_no_context_takeover; server_no_context_takeover", None),
    (f"{DEFLATE}; another", None),
)
def test_compression_is_agreed_on(offers, answer):
    agreed = agreed_extension(offers)
    assert (None if agreed is None else agreed[1]) == answer


def test_a_small_message_that_becomes_large_is_refused_on_its_way():
    deflate = zlib.compressobj(wbits=-15)
    payload = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(64)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    frames = Frames(agreed_extension(DEFLATE)[0])
    frames.limit = 1 << 20
    data = frame(BYTES, payload, reserved=4)
    tracemalloc.start()
    try:
        frames.feed(data)
        assert frames.next_message() is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frames.end.code == 1009
    assert peak < 24 << 20  # of 64 MiB
