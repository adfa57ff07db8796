"""Compressors of content codings (RFC 9110 §8.4): gzip (RFC 1952), br and zstd."""

import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import NamedTuple, Protocol

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
"""The name of the zstd module."""

_WINDOW = 18
"""The window of zstd and br, as a power of 2 bytes: it bounds the memory of a stream, and is far below the 8 MiB that
clients have to accept (RFC 9659 §3).
"""


class Compressor(Protocol):
    """A compressor for one body, from its first byte to its last."""

    def chunk(self, data: bytes) -> bytes:
        """Compress more of the body. The output so far is enough to decode the input so far."""
        ...

    def finish(self, data: bytes = b"") -> bytes:
        """Compress the rest of the body and end it."""
        ...


class Coding(NamedTuple):
    """A content coding (RFC 9110 §8.4.1), with its compression levels and the default level."""

    name: str
    levels: range
    usual_level: int
    start: Callable[[int], Compressor]
    """Return a new compressor with the given level. Raises ImportError if the library is missing."""
    library: str
    """The name of the required module."""

    @property
    def is_installed(self) -> bool:
        """True if the library can be imported."""
        try:
            import_module(self.library)
        except ImportError:
            return False
        return True


class _Gzip:
    def __init__(self, level: int) -> None:
        # 16 more than the window means gzip's header and trailer.
        self._compressor = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self, data: bytes = b"") -> bytes:
        return self._compressor.compress(data) + self._compressor.flush()


class _ZstdCompressor(Protocol):
    FLUSH_BLOCK: int
    FLUSH_FRAME: int

    def compress(self, data: bytes, mode: int) -> bytes: ...


class _Zstd:
    def __init__(self, level: int) -> None:
        zstd: ModuleType = import_module(ZSTD)
        settings = {zstd.CompressionParameter.compression_level: level, zstd.CompressionParameter.window_log: _WINDOW}
        self._compressor: _ZstdCompressor = zstd.ZstdCompressor(options=settings)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.compress(data, self._compressor.FLUSH_BLOCK)

    def finish(self, data: bytes = b"") -> bytes:
        return self._compressor.compress(data, self._compressor.FLUSH_FRAME)


class _BrotliCompressor(Protocol):
    def process(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...
    def finish(self) -> bytes: ...


class _Brotli:
    def __init__(self, level: int) -> None:
        self._compressor: _BrotliCompressor = import_module("brotli").Compressor(quality=level, lgwin=_WINDOW)

    def chunk(self, data: bytes) -> bytes:
        return self._compressor.process(data) + self._compressor.flush()

    def finish(self, data: bytes = b"") -> bytes:
        return self._compressor.process(data) + self._compressor.finish()


CODINGS = {
    coding.name: coding
    for coding in (
        Coding("zstd", range(1, 20), 3, _Zstd, ZSTD),
        Coding("br", range(12), 4, _Brotli, "brotli"),
        Coding("gzip", range(1, 10), 6, _Gzip, "zlib"),
    )
}
"""The supported codings by name, most efficient first."""
