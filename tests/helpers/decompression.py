"""Decompression of bodies, as in clients."""

import zlib
from importlib import import_module

import pytest

from antiphon.features.codings import CODINGS, ZSTD

INSTALLED = [
    pytest.param(name, marks=pytest.mark.skipif(not coding.is_installed, reason=f"{coding.library} is not installed"))
    for name, coding in CODINGS.items()
]
"""The content codings, as parameters of tests; one whose library is missing is skipped."""

LARGEST_WINDOW = 23  # as a power of 2 bytes: what clients have to take (RFC 9659)


class Reader:
    """A decompressor that returns the data as it comes. ``is_whole`` is True once the end was read."""

    def __init__(self, coding):
        self._coding = coding
        if coding == "gzip":
            self._inner = zlib.decompressobj(31)
        elif coding == "br":
            self._inner = import_module("brotli").Decompressor()
        else:
            zstd = import_module(ZSTD)
            limit = {zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
            self._inner = zstd.ZstdDecompressor(options=limit)

    def read(self, data):
        if not data:
            return b""
        return self._inner.process(data) if self._coding == "br" else self._inner.decompress(data)

    @property
    def is_whole(self):
        return self._inner.is_finished() if self._coding == "br" else self._inner.eof


def decompressed(coding, data):
    """Decompress a whole body. Fails if the body was cut off, or goes on after its end."""
    reader = Reader(coding)
    body = reader.read(data)
    assert reader.is_whole
    assert coding == "br" or not reader._inner.unused_data
    return body
