"""Bodies as iterables: parts, none, compressed, read from a file, written as a file."""

import zlib
from collections.abc import Iterable, Iterator
from struct import pack
from typing import IO, Any

from antiphon.dialects._environ.chunks import part_of

_BLOCK = 1 << 18
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""The head of a file without name and time, so that equal bytes give equal ones."""


class AppIterRange:
    """The bytes of an iterable from ``start`` to before ``stop``, or to the end if that is None.

    Raises AssertionError for a ``stop`` before ``start``, and for negative ones.
    """

    def __init__(self, app_iter: Iterable[bytes], start: int, stop: int | None) -> None:
        if start < 0:
            raise AssertionError(f"Bad start: {start!r}")
        if stop is not None and stop < start:
            raise AssertionError(f"Bad stop: {stop!r}")
        self.app_iter = app_iter
        self.start = start
        self.stop = stop
        self._chunks = part_of(app_iter, start, None if stop is None else stop - start)

    def __iter__(self) -> "AppIterRange":
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    next = __next__

    def close(self) -> None:
        """Close the iterable."""
        iter_close(self.app_iter)


class EmptyResponse:
    """A body without bytes that replaces another one, which is closed with it."""

    def __init__(self, app_iter: Any = None) -> None:
        close = getattr(app_iter, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self) -> "EmptyResponse":
        return self

    def __len__(self) -> int:
        return 0

    def __next__(self) -> bytes:
        raise StopIteration

    next = __next__


class ResponseBodyFile:
    """A response's body as a file to which text and bytes are written."""

    mode = "wb"
    closed = False

    def __init__(self, response: Any) -> None:
        self.response = response
        self.write = response.write

    def __repr__(self) -> str:
        return f"<body_file for {self.response!r}>"

    @property
    def encoding(self) -> str | None:
        """The charset in which text is written."""
        charset: str | None = self.response.charset
        return charset

    def writelines(self, seq: Iterable[str | bytes]) -> None:
        """Write several texts."""
        for item in seq:
            self.write(item)

    def close(self) -> None:
        """Raise NotImplementedError: a body is open as long as its response."""
        raise NotImplementedError("Response bodies cannot be closed")

    def flush(self) -> None:
        """Do nothing, since writes go directly to the body."""

    def tell(self) -> int:
        """Return the number of bytes that were written."""
        return sum(map(len, self.response.app_iter)) if self.response.has_body else 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False."""
        return False


def iter_close(iter: Any) -> None:  # noqa: A002 - WebOb's name
    """Close an iterable, if that can be closed."""
    close = getattr(iter, "close", None)
    if close is not None:
        close()


def iter_file(file: IO[bytes], block_size: int = _BLOCK) -> Iterator[bytes]:
    """Read a file in blocks of bytes."""
    while data := file.read(block_size):
        yield data


def gzip_app_iter(app_iter: Iterable[bytes]) -> Iterator[bytes]:
    """Compress chunks with gzip (RFC 1952) as they arrive, and close the iterable at the end."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum = size = 0
    try:
        yield _GZIP_HEAD
        for chunk in app_iter:
            checksum = zlib.crc32(chunk, checksum)
            size += len(chunk)
            if data := compressor.compress(chunk):
                yield data
        yield compressor.flush()
        yield pack("<2L", checksum, size & 0xFFFFFFFF)
    finally:
        iter_close(app_iter)
