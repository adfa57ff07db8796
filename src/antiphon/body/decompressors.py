"""What decompresses by the content codings gzip, deflate, zstd and br, never more at once than is asked for.

gzip is RFC 1952, deflate RFC 1950; br is RFC 7932, by `brotli`; zstd is RFC 8878, by Python 3.14, below that by
`backports.zstd`.
"""

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Protocol

from antiphon.body.compressors import ZSTD

_LARGEST_WINDOW = 23
"""How far back a zstd frame may reach, as a power of 2 bytes: 8 MiB, as RFC 9659 §3 has it."""


class Member(Protocol):
    """A gzip member, a zstd frame, or the one stream of another coding."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflate:
    """A stream of zlib, read as the others are."""

    def __init__(self, format: int) -> None:  # noqa: A002 - zlib's `wbits`, which say the format
        self._inner = zlib.decompressobj(format)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece = self._inner.decompress(data or self._inner.unconsumed_tail, max_length)
        self.needs_input = len(piece) < max_length
        return piece


class _Deflate(_Inflate):
    """Deflate in zlib's format, as it should be, or bare, as some have always sent it (RFC 9110 §8.4.1.2)."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._start: bytes | None = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._start is not None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return b""
            if data[0] & 15 != zlib.DEFLATED or int.from_bytes(data[:2]) % 31:
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            self._start = None
        return super().decompress(data, max_length)


class _BrotliDecompressor(Protocol):
    def process(self, data: bytes, /, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...


class _Brotli:
    unused_data = b""

    def __init__(self) -> None:
        self._inner: _BrotliDecompressor = import_module("brotli").Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.is_finished()

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece = self._inner.process(data, output_buffer_limit=max_length)
        self.needs_input = len(piece) < max_length
        return piece


def _zstd_frame() -> Member:
    zstd = import_module(ZSTD)
    frame: Member = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW})
    return frame


class Decompression(NamedTuple):
    """A content coding's other direction."""

    start: Callable[[], Member]
    """Give what reads a member. Raises ImportError where the library is missing."""
    library: str
    """The module that it needs."""
    error: str
    """The name of what the library raises for a body that is not in the coding."""
    has_members: bool
    """Whether a body may be several of them, one after another (RFC 1952 §2.2, RFC 8878 §3)."""

    @property
    def is_installed(self) -> bool:
        """Whether its library can be imported, and can bound what it makes."""
        try:
            library = import_module(self.library)
        except ImportError:
            return False
        # brotli below 1.2 makes as much at once as the data stands for
        return self.library != "brotli" or hasattr(library.Decompressor, "can_accept_more_data")


DECOMPRESSIONS = {
    "zstd": Decompression(_zstd_frame, ZSTD, "ZstdError", has_members=True),
    "br": Decompression(_Brotli, "brotli", "error", has_members=False),
    "gzip": Decompression(lambda: _Inflate(16 + zlib.MAX_WBITS), "zlib", "error", has_members=True),
    "deflate": Decompression(_Deflate, "zlib", "error", has_members=False),
}
"""All of them by name, the one first that asks for the least work."""
