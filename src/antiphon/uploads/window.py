"""A part of a spool as a file object of the standard library."""

import os
from collections.abc import Iterator
from errno import EINVAL
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from antiphon.explanations import explained
from antiphon.uploads.spool import Spool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 256 << 10
"""The default size of a chunk, in bytes."""

_BUFFER = 16 << 10


class Window(BufferedReader):
    """A read-only file object for ``length`` bytes of a spool from ``offset``.

    It has its own position, and several threads can use it. Closing it does not close the spool; once the spool is
    closed, reading raises ValueError. Raises ValueError for a range that is not within the spool.
    """

    def __init__(self, spool: Spool, offset: int, length: int) -> None:
        super().__init__(_Part(spool, offset, length), _BUFFER)

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Return the remaining bytes, in chunks of ``size`` bytes. Raises ValueError for a size below 1."""
        if size < 1:
            raise explained("bad-file-use", ValueError(f"a chunk has at least one byte, not {size}"))
        return iter(lambda: self.read(size), b"")


class _Part(RawIOBase):
    """The unbuffered file below a window."""

    def __init__(self, spool: Spool, offset: int, length: int) -> None:
        if not 0 <= offset <= offset + length <= spool.size:
            raise explained("bad-file-use", ValueError(f"{length} bytes from {offset} are not within {spool.size}"))
        self._spool = spool
        self._offset = offset
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        start = self._position
        size = self._spool.read_into(memoryview(buffer)[: max(self._length - start, 0)], self._offset + start)
        self._position = start + size
        return size

    def readall(self) -> bytes:
        start = self._position
        data = self._spool.read_at(self._offset + start, max(self._length - start, 0))
        self._position = start + len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._length
        elif whence != os.SEEK_SET:
            raise explained(
                "bad-file-use",
                ValueError(f"seek is relative to the start, the position or the end of a file (0, 1, 2), not {whence}"),
            )
        if offset < 0:
            raise OSError(EINVAL, "there is nothing before the start of a file")
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position
